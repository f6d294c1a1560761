use std::sync::Arc;

use http_body_util::BodyExt;
use outcrop_access::{Caller, CallerKind, Clock, MemoryKeys, oidc};

use super::*;
use crate::fetch::HttpFetch;

/// STS with no keys, roles or issuers.
pub(crate) fn testing() -> Sts {
    let clock: Clock = Arc::new(jiff::Timestamp::now);
    let verifier = oidc::Verifier::new(Arc::new(HttpFetch), clock);
    Sts::new(Arc::new(MemoryKeys::default()), Arc::default(), Arc::new(verifier))
}

async fn answer(form: &str) -> Response<Body> {
    let caller = Caller {
        arn: "arn:aws:iam::123456789012:user/a<b>&\u{1}".into(),
        user_id: "AIDAEXAMPLE".into(),
        ..Caller::root("123456789012", None, CallerKind::User)
    };
    let cx = Context { request_id: "the-id".into(), ..Context::new(caller, "us-east-1", "sts") };
    handle(&testing(), &cx, form).await
}

async fn read(response: Response<Body>) -> (u16, String) {
    assert_eq!(response.headers()["content-type"], "text/xml");
    assert_eq!(response.headers()["x-amzn-requestid"], "the-id");
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(bytes.to_vec()).unwrap())
}

/// The text of the only element called `name`.
fn text<'a>(xml: &'a str, name: &str) -> &'a str {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let (_, rest) = xml.split_once(&open).unwrap_or_else(|| panic!("no {name} in {xml}"));
    rest.split_once(&close).unwrap().0
}

#[tokio::test]
async fn get_caller_identity() {
    for form in [
        "Action=GetCallerIdentity&Version=2011-06-15",
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&Version=2011-06-15&Action=Get%43allerIdentity&X-Amz-Signature=00",
    ] {
        let (status, xml) = read(answer(form).await).await;
        assert_eq!(status, 200);
        assert!(
            xml.starts_with("<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">"),
            "{xml}"
        );
        let result = text(&xml, "GetCallerIdentityResult");
        assert_eq!(text(result, "Arn"), "arn:aws:iam::123456789012:user/a&lt;b&gt;&amp;\u{fffd}");
        assert_eq!(text(result, "UserId"), "AIDAEXAMPLE");
        assert_eq!(text(result, "Account"), "123456789012");
        assert_eq!(text(text(&xml, "ResponseMetadata"), "RequestId"), "the-id");
    }
}

#[tokio::test]
async fn everything_else_is_an_error_in_xml() {
    let long = format!("Action={}&Version=2011-06-15", "x%F0%9F%98%80".repeat(1000));
    for (form, status, code, fault) in [
        ("Action=AssumeRole&Version=2011-06-15&RoleArn=x", 400, "ValidationError", "Sender"),
        ("Action=GetFederationToken&Version=2011-06-15", 501, "NotImplemented", "Receiver"),
        ("Action=Dance&Version=2011-06-15", 400, "InvalidAction", "Sender"),
        ("Action=GetCallerIdentity&Version=2010-01-01", 400, "InvalidAction", "Sender"),
        ("Action=GetCallerIdentity", 400, "InvalidAction", "Sender"),
        ("Version=2011-06-15", 400, "MissingAction", "Sender"),
        ("", 400, "MissingAction", "Sender"),
        ("%%%=&&=%zz", 400, "MissingAction", "Sender"),
        (&long, 400, "InvalidAction", "Sender"),
    ] {
        let (got, xml) = read(answer(form).await).await;
        let error = text(&xml, "Error");
        assert_eq!((got, text(error, "Code"), text(error, "Type")), (status, code, fault), "{form}");
        assert!(text(error, "Message").len() < 500);
        assert_eq!(text(&xml, "RequestId"), "the-id");
    }
    let (status, xml) = read(refusal(Kind::InvalidSignature, "no & no", "the-id")).await;
    assert_eq!((status, text(&xml, "Code"), text(&xml, "Message")), (403, "SignatureDoesNotMatch", "no &amp; no"));
}

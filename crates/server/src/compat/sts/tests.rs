use http_body_util::BodyExt;

use outcrop_access::oidc::Verifier;
use outcrop_access::{Caller, CallerKind, MemoryKeys};
use std::sync::Arc;

use super::*;
use crate::fetch::HttpFetch;

/// STS without keys, roles and issuers.
pub(crate) fn testing() -> Sts {
    let outbound = outcrop_outbound::Outbound::new(outcrop_outbound::Settings::default()).unwrap();
    let verifier = Verifier::new(Arc::new(HttpFetch::new(outbound)), Arc::new(jiff::Timestamp::now));
    Sts::new(Arc::new(MemoryKeys::default()), Arc::default(), Arc::new(verifier))
}

fn context() -> Context {
    let mut caller = Caller::root("123456789012", None, CallerKind::User);
    caller.arn = "arn:aws:iam::123456789012:user/a<b>&\u{1}".into();
    caller.user_id = "AIDAEXAMPLE".into();
    let request_id = "the-id".to_owned();
    Context { request_id, ..Context::new(caller, "us-east-1", "sts") }
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
        let (status, xml) = read(handle(&testing(), &context(), form).await).await;
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
        ("Action=AssumeRoleWithSAML&Version=2011-06-15&RoleArn=x", 501, "NotImplemented", "Receiver"),
        ("Action=GetFederationToken&Version=2011-06-15", 501, "NotImplemented", "Receiver"),
        ("Action=AssumeRole&Version=2011-06-15&RoleArn=x", 400, "ValidationError", "Sender"),
        ("Action=AssumeRole&Version=2011-06-15&DurationSeconds=-1", 400, "ValidationError", "Sender"),
        ("Action=AssumeRoleWithWebIdentity&Version=2011-06-15", 400, "ValidationError", "Sender"),
        ("Action=GetSessionToken&Version=2011-06-15&DurationSeconds=1", 400, "ValidationError", "Sender"),
        ("Action=GetSessionToken&Version=2011-06-15&TokenCode=123456", 400, "ValidationError", "Sender"),
        ("Action=Dance&Version=2011-06-15", 400, "InvalidAction", "Sender"),
        ("Action=GetCallerIdentity&Version=2010-01-01", 400, "InvalidAction", "Sender"),
        ("Action=GetCallerIdentity", 400, "InvalidAction", "Sender"),
        ("Version=2011-06-15", 400, "MissingAction", "Sender"),
        ("", 400, "MissingAction", "Sender"),
        ("%%%=&&=%zz", 400, "MissingAction", "Sender"),
        (&long, 400, "InvalidAction", "Sender"),
    ] {
        let (got, xml) = read(handle(&testing(), &context(), form).await).await;
        let error = text(&xml, "Error");
        assert_eq!((got, text(error, "Code"), text(error, "Type")), (status, code, fault), "{form}");
        assert!(text(error, "Message").len() < 500);
        assert_eq!(text(&xml, "RequestId"), "the-id");
    }
    let (status, xml) = read(refusal(Kind::InvalidSignature, "no & no", "the-id")).await;
    assert_eq!((status, text(&xml, "Code"), text(&xml, "Message")), (403, "SignatureDoesNotMatch", "no &amp; no"));
}

#[test]
fn lists_are_read_by_number() {
    let form = Form::read(
        "RoleArn=a&RoleSessionName=b&Tags.member.1.Key=k1&Tags.member.1.Value=v%201&Tags.member.2.Key=k2&Tags.member.4.Key=no\
         &TransitiveTagKeys.member.1=k1&PolicyArns.member.1.arn=p1&PolicyArns.member.2.arn=p2&RoleArn=second",
    );
    let input = form.assume_role().unwrap();
    assert_eq!(input.role_arn, "a");
    assert_eq!(input.tags.tags, [("k1".into(), "v 1".into()), ("k2".to_owned(), String::new())]);
    assert_eq!(
        (input.tags.transitive, input.narrowing.policy_arns),
        (vec!["k1".into()], vec!["p1".into(), "p2".to_owned()])
    );
}

#[test]
fn only_a_web_identity_proves_itself() {
    assert!(proves_itself("Version=2011-06-15&Action=AssumeRoleWithWebIdentity"));
    for form in [
        "",
        "Action=AssumeRole",
        "Action=GetCallerIdentity&Action=AssumeRoleWithWebIdentity",
        "action=AssumeRoleWithWebIdentity",
    ] {
        assert!(!proves_itself(form), "{form}");
    }
}

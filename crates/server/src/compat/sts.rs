//! The slice of STS that everybody tries first: `GetCallerIdentity`.
//!
//! STS speaks the AWS Query protocol: a form in, XML out, errors as XML too. Every other action of STS answers 501 in
//! that form, naming itself. The caller is proven before it comes here.

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use outcrop_api::Kind;
use outcrop_wire::text::query_pairs;

use crate::listen::Body;

#[cfg(test)]
mod tests;

const VERSION: &str = "2011-06-15";
const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// The other actions in the service's model.
const NOT_BUILT: [&str; 10] = [
    "AssumeRole",
    "AssumeRoleWithSAML",
    "AssumeRoleWithWebIdentity",
    "AssumeRoot",
    "DecodeAuthorizationMessage",
    "GetAccessKeyInfo",
    "GetDelegatedAccessToken",
    "GetFederationToken",
    "GetSessionToken",
    "GetWebIdentityToken",
];

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub struct Caller<'a> {
    /// The account's 12 digits.
    pub account: &'a str,
    /// The principal.
    pub arn: &'a str,
    /// The principal's unique id.
    pub user_id: &'a str,
}

/// Answers an STS call. `form` is the body of a POST or the query of a GET.
pub fn handle(caller: Caller<'_>, request_id: &str, form: &str) -> Response<Body> {
    let field = |name: &str| query_pairs(form).find(|(key, _)| key == name).map(|(_, value)| value);
    let Some(action) = field("Action") else {
        return error(400, "MissingAction", "The request must contain the parameter Action.", request_id);
    };
    let version = field("Version").unwrap_or(Cow::Borrowed("NO_VERSION_SPECIFIED"));
    let known = action == "GetCallerIdentity" || NOT_BUILT.contains(&action.as_ref());
    if !known || version != VERSION {
        let message = format!("Could not find operation {} for version {}", cut(&action), cut(&version));
        return error(400, "InvalidAction", &message, request_id);
    }
    if action != "GetCallerIdentity" {
        return error(501, "NotImplemented", &format!("sts:{action} is not implemented by this server."), request_id);
    }
    let xml = format!(
        "<GetCallerIdentityResponse xmlns=\"{NAMESPACE}\">\n  <GetCallerIdentityResult>\n    <Arn>{}</Arn>\n    \
         <UserId>{}</UserId>\n    <Account>{}</Account>\n  </GetCallerIdentityResult>\n  <ResponseMetadata>\n    \
         <RequestId>{}</RequestId>\n  </ResponseMetadata>\n</GetCallerIdentityResponse>\n",
        escape(caller.arn),
        escape(caller.user_id),
        escape(caller.account),
        escape(request_id),
    );
    answer(200, xml, request_id)
}

/// Any refusal of the layers before, in STS's form and with STS's own names for it.
pub fn refusal(kind: Kind, message: &str, request_id: &str) -> Response<Body> {
    let code = match kind {
        Kind::UnrecognizedClient => "InvalidClientTokenId",
        Kind::InvalidSignature => "SignatureDoesNotMatch",
        Kind::MissingAuthenticationToken => "MissingAuthenticationToken",
        Kind::ExpiredToken => "ExpiredToken",
        Kind::AccessDenied => "AccessDenied",
        Kind::Throttling => "Throttling",
        Kind::InternalServer => "InternalFailure",
        Kind::ServiceUnavailable => "ServiceUnavailable",
        Kind::NotImplemented => "NotImplemented",
        Kind::Validation => "ValidationError",
        other => other.name(),
    };
    error(kind.default_status(), code, message, request_id)
}

fn error(status: u16, code: &str, message: &str, request_id: &str) -> Response<Body> {
    let fault = if status < 500 { "Sender" } else { "Receiver" };
    let xml = format!(
        "<ErrorResponse xmlns=\"{NAMESPACE}\">\n  <Error>\n    <Type>{fault}</Type>\n    <Code>{}</Code>\n    \
         <Message>{}</Message>\n  </Error>\n  <RequestId>{}</RequestId>\n</ErrorResponse>\n",
        escape(code),
        escape(message),
        escape(request_id),
    );
    answer(status, xml, request_id)
}

fn answer(status: u16, xml: String, request_id: &str) -> Response<Body> {
    let mut response = Response::new(Body::full(Bytes::from(xml)));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/xml"));
    if let Ok(id) = HeaderValue::try_from(request_id) {
        headers.insert("x-amzn-requestid", id);
    }
    response
}

/// Enough of a foreign text to recognise it.
fn cut(text: &str) -> &str {
    text.char_indices().nth(64).and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}

/// Text as XML admits it. Characters that XML 1.0 has no way to write become a replacement character.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\r' => out.push_str("&#13;"),
            '\t' | '\n' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'.. => out.push(c),
            _ => out.push('\u{fffd}'),
        }
    }
    out
}

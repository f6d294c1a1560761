//! Writing the answers of an AWS Query service.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use outcrop_access::sts::Issued;

use super::NAMESPACE;
use crate::listen::Body;

/// `<name>text</name>`.
pub(in crate::compat) fn element(name: &str, text: &str) -> String {
    format!("<{name}>{}</{name}>\n", escape(text))
}

/// What every answer with credentials holds.
pub(super) fn issued(issued: &Issued) -> String {
    let key = &issued.key;
    let token = key.session.as_ref().map_or("", |session| session.token.reveal());
    let credentials = [
        element("AccessKeyId", &key.id),
        element("SecretAccessKey", key.secret.reveal()),
        element("SessionToken", token),
        element("Expiration", &format!("{:.0}", issued.expires_at())),
    ];
    format!("<Credentials>\n{}</Credentials>\n", credentials.concat())
}

/// The answer of `action` with `result` inside.
pub(super) fn success(action: &str, result: &str, request_id: &str) -> Response<Body> {
    let xml = format!(
        "<{action}Response xmlns=\"{NAMESPACE}\">\n<{action}Result>\n{result}</{action}Result>\n<ResponseMetadata>\n{}\
         </ResponseMetadata>\n</{action}Response>\n",
        element("RequestId", request_id)
    );
    answer(200, xml, request_id)
}

/// A refusal.
pub(super) fn error(status: u16, code: &str, message: &str, request_id: &str) -> Response<Body> {
    let fault = if status < 500 { "Sender" } else { "Receiver" };
    let parts = [element("Type", fault), element("Code", code), element("Message", message)];
    let xml = format!(
        "<ErrorResponse xmlns=\"{NAMESPACE}\">\n<Error>\n{}</Error>\n{}</ErrorResponse>\n",
        parts.concat(),
        element("RequestId", request_id)
    );
    let mut response = answer(status, xml, request_id);
    response.extensions_mut().insert(super::Refused(code.to_owned()));
    response
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

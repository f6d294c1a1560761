//! What the listener itself answers, where no service has spoken yet.

use http::{HeaderValue, Response, StatusCode, header};
use outcrop_api::Kind;

use super::body::Body;

/// An AWS error as JSON: `x-amzn-ErrorType`, `x-amzn-RequestId` and `{"message": …}`.
pub fn refusal(kind: Kind, message: &str) -> Response<Body> {
    let mut response = Response::new(Body::full(body(message)));
    *response.status_mut() = StatusCode::from_u16(kind.default_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert("x-amzn-errortype", HeaderValue::from_static(kind.name()));
    let id = uuid::Uuid::new_v4().to_string();
    if let Ok(id) = HeaderValue::try_from(id) {
        headers.insert("x-amzn-requestid", id);
    }
    response
}

pub(super) fn body(message: &str) -> String {
    serde_json::json!({ "message": message }).to_string()
}

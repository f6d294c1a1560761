//! A function behind an HTTP endpoint: the event by POST, the answer in the body. Lambda's runtime interface emulator
//! speaks the same at its `/2015-03-31/functions/function/invocations`.

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderValue, Method, Request};
use outcrop_outbound::{Endpoint, collect};

use crate::LARGEST;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// Set where the answer is the function's error.
const ERROR: &str = "x-amz-function-error";
/// How much of a refusal is told on.
const TOLD: usize = 300;

pub(crate) async fn call(endpoint: &Endpoint, event: Vec<u8>) -> Result<Bytes, String> {
    let mut request = Request::new(Bytes::from(event));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = endpoint.uri("");
    request.headers_mut().insert(CONTENT_TYPE, JSON);
    request.headers_mut().insert(ACCEPT, JSON);
    let answer = endpoint.send(request).await.map_err(|error| error.to_string())?;
    let (status, failed) = (answer.status(), answer.headers().contains_key(ERROR));
    let body = collect(answer.into_body(), LARGEST).await.map_err(|error| error.to_string())?;
    if status.is_success() && !failed {
        return Ok(body);
    }
    let said: String = String::from_utf8_lossy(&body).chars().take(TOLD).collect();
    Err(format!("it answered {status}: {said}"))
}

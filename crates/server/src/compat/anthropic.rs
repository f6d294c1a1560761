//! The door of Anthropic's clients, under `/anthropic`. What it speaks and what not: `docs/doors.md`.

mod error;
mod messages;
mod models;

use http::{HeaderMap, HeaderValue, Response, header};
use outcrop_api::Fault;

use super::{Call, Doors, identified};
use crate::doors::Door;
use crate::listen::Body;

pub use error::refusal;

/// Their clients may send an API key in a header of its own; here it is a bearer token like any other. It goes before
/// a bearer token, as at Anthropic, but never before a signature.
pub fn credentials(headers: &mut HeaderMap) {
    let signed = |value: &HeaderValue| !value.as_bytes().get(..7).is_some_and(|s| s.eq_ignore_ascii_case(b"bearer "));
    if headers.get_all(header::AUTHORIZATION).iter().any(signed) {
        return;
    }
    let mut keys = headers.get_all("x-api-key").iter();
    let (Some(key), None) = (keys.next(), keys.next()) else { return };
    if let Ok(mut bearer) = HeaderValue::from_bytes(&[b"Bearer ", key.as_bytes()].concat()) {
        bearer.set_sensitive(true);
        headers.insert(header::AUTHORIZATION, bearer);
    }
}

/// Answers one call.
pub(super) async fn answer(doors: &Doors, call: Call<'_>) -> Result<Response<Body>, Fault> {
    match call.door {
        Door::MessageTokens => messages::count(doors, &call).await,
        Door::AnthropicModels => models::list(doors, &call.context, call.query).await,
        Door::AnthropicModel => models::get(doors, &call.context, call.id).await,
        _ => messages::create(doors, &call).await,
    }
}

pub(super) fn identify(response: Response<Body>, request_id: &str) -> Response<Body> {
    identified(response, "request-id", request_id)
}

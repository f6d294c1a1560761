//! The door of OpenAI's clients, under `/v1` and `/openai/v1`. What it speaks and what not: `docs/doors.md`.

mod chat;
mod embeddings;
mod error;
mod models;

use http::Response;

use super::{Call, Doors, identified};
use crate::doors::Door;
use crate::listen::Body;

pub use error::{Refused, refusal};

/// Answers one call.
pub(super) async fn answer(doors: &Doors, call: Call<'_>) -> Result<Response<Body>, Refused> {
    match call.door {
        Door::Embeddings => embeddings::create(doors, &call).await,
        Door::Models => models::list(doors, &call.context).await,
        Door::Model => models::get(doors, &call.context, call.id).await,
        _ => chat::create(doors, &call).await,
    }
}

pub(super) fn identify(response: Response<Body>, request_id: &str) -> Response<Body> {
    identified(response, "x-request-id", request_id)
}

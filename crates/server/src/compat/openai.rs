//! The door of OpenAI's clients, under `/v1` and `/openai/v1`. What it speaks and what not: `docs/doors.md`.

mod chat;
mod embeddings;
mod error;
mod models;
mod responses;

use http::{Method, Response};

use super::{Call, Doors, identified};
use crate::doors::Door;
use crate::listen::Body;

pub use error::{Refused, refusal};
pub use responses::Stored;

/// Answers one call.
pub(super) async fn answer(doors: &Doors, call: Call<'_>) -> Result<Response<Body>, Refused> {
    match call.door {
        Door::Embeddings => embeddings::create(doors, &call).await,
        Door::Models => models::list(doors, &call.context).await,
        Door::Model => models::get(doors, &call.context, call.id).await,
        Door::Responses => responses::create(doors, &call).await,
        Door::Response if call.method == Method::DELETE => responses::delete(doors, &call).await,
        Door::Response => responses::get(doors, &call).await,
        Door::CancelResponse => responses::cancel(doors, &call).await,
        Door::ResponseInput => responses::input(doors, &call).await,
        _ => chat::create(doors, &call).await,
    }
}

pub(super) fn identify(response: Response<Body>, request_id: &str) -> Response<Body> {
    identified(response, "x-request-id", request_id)
}

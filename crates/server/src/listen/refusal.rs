//! What the listener itself answers, where nothing behind it has spoken yet.

use http::Response;
use outcrop_api::{Fault, Kind, Service};

use super::body::Body;
use crate::doors::Speaks;
use crate::pipeline;

/// An error in the words of the door that was asked.
pub fn refusal(speaks: Speaks, kind: Kind, message: &str) -> Response<Body> {
    let id = uuid::Uuid::new_v4().to_string();
    pipeline::refusal(speaks, Fault::new(kind, message), Service::Bedrock, &id)
}

pub(super) fn body(message: &str) -> String {
    serde_json::json!({ "message": message }).to_string()
}

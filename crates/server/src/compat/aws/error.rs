//! Refusals in the form of each protocol.

use http::{HeaderValue, Response};
use outcrop_telemetry::SliceError;
use serde_json::json;

use super::{Wire, cbor, xml};
use crate::listen::Body;

/// A refusal. `compatible`: the service once spoke Query only, and its clients are told the codes of that time in a
/// header beside the body (`awsQueryCompatible` in its model).
pub(super) fn answer(wire: &Wire, compatible: bool, refused: &SliceError, id: &str) -> Response<Body> {
    let (status, at_fault) = (refused.status, if refused.status < 500 { "Sender" } else { "Receiver" });
    let body = json!({ "__type": refused.code, "message": refused.message });
    let mut response = match wire {
        Wire::Query => {
            let text = xml::error(at_fault, query_code(refused.code), &refused.message, id);
            super::answer(status, "text/xml", text.into_bytes(), id)
        }
        Wire::Json { content_type, .. } => super::answer(status, content_type, body.to_string().into_bytes(), id),
        Wire::Cbor(_) => super::answer(status, "application/cbor", cbor::write(&body, &[]), id),
    };
    let headers = response.headers_mut();
    if matches!(wire, Wire::Cbor(_)) {
        headers.insert("smithy-protocol", HeaderValue::from_static("rpc-v2-cbor"));
    }
    if *wire != Wire::Query {
        headers.insert("x-amzn-errortype", HeaderValue::from_static(refused.code));
        if compatible && let Ok(value) = HeaderValue::try_from(format!("{};{at_fault}", query_code(refused.code))) {
            headers.insert("x-amzn-query-error", value);
        }
    }
    response
}

/// The code that the Query protocol has for an exception: what CloudWatch's model says where the two differ, and what
/// every Query service answers before an operation is reached.
fn query_code(exception: &'static str) -> &'static str {
    match exception {
        "InvalidParameterValueException" => "InvalidParameterValue",
        "InvalidParameterCombinationException" => "InvalidParameterCombination",
        "MissingRequiredParameterException" => "MissingParameter",
        "InternalServiceFault" => "InternalServiceError",
        "LimitExceededFault" => "LimitExceeded",
        "InvalidFormatFault" => "InvalidFormat",
        "AccessDeniedException" => "AccessDenied",
        "ValidationException" => "ValidationError",
        "NotImplementedException" => "NotImplemented",
        "UnknownOperationException" => "InvalidAction",
        "ThrottlingException" => "Throttling",
        other => other,
    }
}

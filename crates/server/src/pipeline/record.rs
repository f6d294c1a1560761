//! What the audit trail and the invocation logs get to know of a request.

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderMap, Method, Response, request};
use jiff::Timestamp;
use outcrop_access::{Caller, ClientInfo, Context, Proof, Trail};
use outcrop_api::{Fault, Kind, Service, Spec};
use outcrop_telemetry::audit::{Decision, Event, Who};
use outcrop_telemetry::invocation_log::{Call, InvocationLogs, Tap};
use outcrop_wire::text::percent_decode;

use super::Goal;
use crate::compat::sts;
use crate::doors::Door;
use crate::listen::Body;

/// The operations whose calls are logged for accounts that ask for it.
const LOGGED: [&str; 4] = ["Converse", "ConverseStream", "InvokeModel", "InvokeModelWithResponseStream"];
/// What a caller that was not proven says of itself is cut to this.
const LONGEST_KEY: usize = 128;

/// What is known of a request at its beginning, and what becomes known of its caller.
pub(super) struct Seen {
    at: Timestamp,
    source: &'static str,
    service: &'static str,
    name: &'static str,
    read_only: bool,
    parameters: Vec<(&'static str, String)>,
    /// Carried by the call's context.
    pub trail: Trail,
    caller: Option<Caller>,
    owner: bool,
    region: String,
}

impl Seen {
    pub fn new(goal: &Goal<'_>, method: &Method) -> Self {
        let (source, service, name, read_only) = match goal {
            Goal::Operation(spec, _) => ("bedrock.amazonaws.com", spec.service.prefix(), spec.name, reads(spec)),
            // Which service and which of its operations is seen later.
            Goal::Aws(_) => ("sts.amazonaws.com", "sts", "sts", true),
            Goal::Door(door, _) => {
                // Calls of models count as reading, as CloudTrail has it.
                let reads = *method != Method::DELETE && *door != Door::Outcomes;
                ("bedrock.amazonaws.com", Service::BedrockRuntime.prefix(), door.name(), reads)
            }
            // Which of its operations is seen later.
            Goal::S3 => ("s3.amazonaws.com", "s3", "S3", true),
            Goal::Nowhere(_) => ("bedrock.amazonaws.com", "bedrock", "UnknownOperation", true),
        };
        let parameters = match goal {
            Goal::Operation(_, labels) => labels.iter().map(|(name, raw)| (*name, decoded(raw))).collect(),
            Goal::Door(_, id) if !id.is_empty() => vec![("id", decoded(id))],
            _ => Vec::new(),
        };
        Self {
            at: Timestamp::now(),
            source,
            service,
            name,
            read_only,
            parameters,
            trail: Trail::default(),
            caller: None,
            owner: false,
            region: String::new(),
        }
    }

    /// The caller is proven.
    pub fn proven(&mut self, proof: &Proof) {
        self.caller = Some(proof.caller.clone());
        self.owner = proof.permissions.identity.is_none();
        self.region.clone_from(&proof.region);
    }

    /// The call is of a part of another AWS service.
    pub fn aimed(&mut self, service: &'static str, operation: &'static str) {
        self.source = match service {
            "monitoring" => "monitoring.amazonaws.com",
            "cloudtrail" => "cloudtrail.amazonaws.com",
            "s3" => "s3.amazonaws.com",
            "servicequotas" => "servicequotas.amazonaws.com",
            _ => "outcrop.local",
        };
        (self.service, self.name, self.read_only) = (service, operation, is_reading(operation));
    }

    /// The record of the request, now that it has its answer.
    pub fn event(
        self,
        head: &request::Parts,
        client: ClientInfo,
        request_id: &str,
        fault: Option<&Fault>,
        response: &Response<Body>,
    ) -> Event {
        let noted = self.trail.noted();
        let action = response.extensions().get::<sts::Action>();
        let mut parameters = self.parameters;
        parameters.extend(noted.model.map(|model| ("modelId", model)));
        let decision = match (noted.decided, self.owner) {
            (Some(decided), _) => Decision::Policies(Box::new(decided)),
            (None, true) => Decision::Owner,
            (None, false) => Decision::NotAsked,
        };
        let who = match self.caller {
            Some(caller) => Who::Proven(caller),
            None => Who::Unproven(named(&head.headers)),
        };
        Event {
            at: self.at,
            request_id: request_id.to_owned(),
            source: self.source,
            service: self.service,
            name: action.map_or(self.name, |action| action.0).into(),
            region: self.region,
            ip: client.ip,
            user_agent: head.headers.get("user-agent").and_then(|agent| agent.to_str().ok()).map(str::to_owned),
            who,
            parameters,
            error: error(fault, response),
            decision,
            read_only: self.read_only && action.is_none_or(|action| action.0 == "GetCallerIdentity"),
            facts: None,
        }
    }
}

/// The exception. Its message stands beside it only where it is of who calls or how often: others may quote what was
/// sent.
fn error(fault: Option<&Fault>, response: &Response<Body>) -> Option<(Cow<'static, str>, Option<String>)> {
    if let Some(refused) = response.extensions().get::<sts::Refused>() {
        return Some((refused.0.clone().into(), None));
    }
    if let Some(fault) = fault {
        let told = matches!(
            fault.kind,
            Kind::AccessDenied
                | Kind::UnrecognizedClient
                | Kind::MissingAuthenticationToken
                | Kind::InvalidSignature
                | Kind::ExpiredToken
                | Kind::Throttling
                | Kind::NotImplemented
        );
        return Some((fault.kind.name().into(), told.then(|| fault.message.clone())));
    }
    let named = response.headers().get("x-amzn-errortype").and_then(|name| name.to_str().ok());
    // The Query protocol has the name in the body only.
    let status = response.status();
    let failed = status.is_client_error() || status.is_server_error();
    named
        .map(|name| (name.to_owned().into(), None))
        .or_else(|| failed.then(|| (status.as_str().to_owned().into(), None)))
}

/// By AWS's way of naming operations, and its word that a call of a model changes nothing.
fn reads(spec: &Spec) -> bool {
    is_reading(spec.name) || spec.service == Service::BedrockRuntime && spec.name != "StartAsyncInvoke"
}

fn is_reading(name: &str) -> bool {
    ["Get", "Head", "List", "Describe", "Lookup", "Retrieve", "Search"].iter().any(|verb| name.starts_with(verb))
}

fn decoded(raw: &str) -> String {
    percent_decode(raw).unwrap_or(Cow::Borrowed(raw)).into_owned()
}

/// The access key that a head names. A bearer token is a secret, and named by nothing.
fn named(headers: &HeaderMap) -> Option<String> {
    let header = headers.get("authorization")?.to_str().ok()?;
    let key = header.split_once("Credential=")?.1.split('/').next()?;
    let fits = key.len() <= LONGEST_KEY && key.bytes().all(|b| b.is_ascii_alphanumeric());
    fits.then(|| key.to_owned())
}

/// What keeps an operation's call for the invocation logs, if its account has it logged.
pub(super) fn tap_operation(
    logs: Option<&InvocationLogs>,
    cx: &Context,
    spec: &Spec,
    labels: &[(&'static str, &str)],
    headers: &HeaderMap,
    body: &Bytes,
) -> Option<Tap> {
    let logs = logs.filter(|_| spec.service == Service::BedrockRuntime && LOGGED.contains(&spec.name))?;
    let model = || labels.iter().find(|(name, _)| *name == "modelId").map(|(_, raw)| decoded(raw));
    begin(logs, cx, spec.name, model, headers, body)
}

/// The same of a door's call: it is logged as what the door is called.
pub(super) fn tap_door(
    logs: Option<&InvocationLogs>,
    cx: &Context,
    (door, method): (Door, &Method),
    headers: &HeaderMap,
    body: &Bytes,
) -> Option<Tap> {
    let asks = matches!(door, Door::ChatCompletions | Door::Embeddings | Door::Responses | Door::Messages);
    let logs = logs.filter(|_| asks && *method == Method::POST)?;
    begin(logs, cx, door.name(), || None, headers, body)
}

fn begin(
    logs: &InvocationLogs,
    cx: &Context,
    operation: &'static str,
    model: impl Fn() -> Option<String>,
    headers: &HeaderMap,
    body: &Bytes,
) -> Option<Tap> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    logs.begin(cx, || Call {
        operation,
        model_id: model(),
        content_type: header("content-type"),
        metadata: header("x-amzn-bedrock-request-metadata"),
        body,
    })
}

/// Shows a call's answer to what keeps it.
pub(super) fn tapped(tap: Option<Tap>, answer: Result<Response<Body>, Fault>) -> Result<Response<Body>, Fault> {
    let Some(mut tap) = tap else { return answer };
    match answer {
        Err(fault) => {
            tap.failed(fault.kind.name());
            Err(fault)
        }
        Ok(response) => {
            tap.head(|name| response.headers().get(name).and_then(|value| value.to_str().ok()));
            Ok(response.map(|body| body.shown_to(move |piece| tap.piece(piece))))
        }
    }
}

//! One straight path for every request: route, prove the caller, read the bounded body, decode and validate, run,
//! encode. Every refusal on the way is an AWS error of the service that was meant.

mod bind;
mod browser;
mod encode;
mod handler;
mod record;
#[cfg(test)]
mod tests;

pub(crate) use encode::identify;
pub use encode::refusal_headers;
pub use handler::{Call, Handler, Table, run, run_stream};

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, EXPECT};
use http::{HeaderValue, Method, Request, Response, Version, request};
use outcrop_access::{
    AccessError, Body as ProofBody, Claim, ClientInfo, Context, Gate, Head, Proof, ResourcePolicies, Sts, Trail,
};
use outcrop_admission::Budgets;
use outcrop_api::{Fault, Kind, Service, Spec};
use outcrop_gateway::routing::RouteReport;
use outcrop_telemetry::audit::Audit;
use outcrop_telemetry::invocation_log::InvocationLogs;
use outcrop_telemetry::trace;
use tokio_util::sync::CancellationToken;

use crate::budgets;
use crate::compat::aws::{Slices, Wire};
use crate::compat::{self, s3, sts};
use crate::doors::{Door, Speaks};
use crate::explain;
use crate::listen::{self, Body, BodyError, Peer, TrustedProxy};
use crate::observe::{self, Observe};
use crate::route::{self, Asked};
use record::{Seen, tap_door, tap_operation, tapped};

/// Liveness: the one path that needs no credentials.
pub const HEALTH: &str = "/outcrop/health";

/// Everything that a request needs to be answered.
pub struct Pipeline {
    /// `outcrop dev`: callers are believed, so web pages must be kept away.
    pub dev: bool,
    /// Proves callers.
    pub gate: Gate,
    /// What the resources' own policies say of them.
    pub resource_policies: ResourcePolicies,
    /// Makes their sessions.
    pub sts: Sts,
    /// Runs them.
    pub table: Table,
    /// The doors of other protocols.
    pub doors: Option<Arc<compat::Doors>>,
    /// Where every call is recorded.
    pub audit: Option<Audit>,
    /// Where accounts have their calls logged.
    pub logs: Option<Arc<InvocationLogs>>,
    /// What may be spent.
    pub budgets: Option<Budgets>,
    /// Parts of other AWS services.
    pub slices: Slices,
    /// S3, where it is switched on.
    pub s3: Option<s3::S3>,
    /// What of all this is shown, and to whom.
    pub observe: Observe,
    /// Whose word about a request's origin counts.
    pub trusted_proxies: Vec<TrustedProxy>,
    /// The greatest body.
    pub body_bytes: usize,
    /// How long a body may take to arrive.
    pub body_timeout: Duration,
    /// How long an operation may take to begin its answer.
    pub deadline: Duration,
    /// Cancelled when the server stops for good.
    pub stop: CancellationToken,
}

/// The greatest form of STS that is read before anybody is proven.
const UNSIGNED_BYTES: usize = 128 * 1024;

/// Where a request goes.
enum Goal<'a> {
    Operation(&'static Spec, Vec<(&'static str, &'a str)>),
    /// STS, or a part of another AWS service.
    Aws(Wire),
    /// S3, at whatever path.
    S3,
    Door(Door, &'a str),
    Nowhere(Fault),
}

impl Pipeline {
    /// How routes and their targets fare.
    pub fn routes(&self) -> Vec<RouteReport> {
        self.doors.as_ref().map(|doors| doors.gateway.routes().report()).unwrap_or_default()
    }

    /// How budgets stand.
    pub async fn budgets(&self) -> Result<budgets::Report, outcrop_store::Error> {
        match &self.budgets {
            Some(budgets) => budgets.report().await,
            None => Ok(budgets::Report::default()),
        }
    }

    /// Answers one request.
    pub async fn answer(self: Arc<Self>, request: Request<Body>) -> Response<Body> {
        let request_id = uuid::Uuid::new_v4().to_string();
        let (mut parts, mut body) = request.into_parts();
        let speaks = Speaks::at(parts.uri.path());
        if speaks == Speaks::Anthropic {
            compat::anthropic::credentials(&mut parts.headers);
        }
        // Buckets and keys may be named like anything else here; only the signature says that they are meant.
        let to_s3 = Head::from(&parts).service() == Some("s3") || Head::from(&parts).is_version_2();
        let goal = match Door::at(parts.uri.path()) {
            _ if to_s3 => Goal::S3,
            Some((Door::Health, _)) => return health(&parts.method, &request_id),
            Some((door @ (Door::Aws | Door::AwsCbor), id)) if door.methods().contains(&parts.method.as_str()) => {
                Goal::Aws(Wire::of(door, id, &parts))
            }
            Some((door, id)) => door_goal(&parts.method, door, id),
            None if speaks != Speaks::Aws => Goal::Nowhere(compat::nowhere(parts.uri.path())),
            None => self.goal(&parts, &mut body).await,
        };
        let service = match &goal {
            Goal::Operation(spec, _) => spec.service,
            _ => Service::Bedrock,
        };
        let aws = if let Goal::Aws(wire) = &goal { Some(wire.clone()) } else { None };
        let mut seen = Seen::new(&goal, &parts.method);
        // Who reads the metrics reads them every few seconds, and nothing else.
        let metrics = matches!(goal, Goal::Door(Door::Metrics, _));
        let audit = self.audit.as_ref();
        let ready = audit.is_none_or(Audit::ready);
        let result = match ready {
            true => self.pass(&parts, body, goal, &request_id, &mut seen).await,
            false => Err(unrecorded()),
        };
        let fault = result.as_ref().err().cloned();
        let mut response = match result {
            Ok(response) => response,
            Err(fault) => {
                if fault.kind.default_status() >= 500 && fault.kind != Kind::NotImplemented {
                    tracing::error!(request_id, %fault, "failed");
                }
                match aws {
                    Some(wire) => wire.refusal(&fault, &request_id),
                    None if to_s3 => s3::refusal(&fault, parts.uri.path(), &request_id),
                    None => refusal(speaks, fault, service, &request_id),
                }
            }
        };
        match audit {
            None => {}
            Some(_) if metrics && fault.is_none() => {}
            // Nothing was done that would have to be on record, and there is no room for what was not.
            Some(audit) if !ready => audit.skip(),
            Some(audit) => {
                let event = seen.event(&parts, self.client(&parts), &request_id, fault.as_ref(), &response);
                audit.record(event).await;
            }
        }
        // Whoever waits to be asked for the body of a request that is refused may begin the next one without sending it
        // (boto3 does), which would be read as that body.
        if parts.version <= Version::HTTP_11 && parts.headers.contains_key(EXPECT) && !response.status().is_success() {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    async fn goal<'a>(&self, parts: &'a request::Parts, body: &mut Body) -> Goal<'a> {
        let path = parts.uri.path();
        let host =
            parts.headers.get("host").and_then(|h| h.to_str().ok()).or(parts.uri.authority().map(|a| a.as_str()));
        let find =
            |has_body| route::Table::of_bedrock().find(Asked { method: parts.method.as_str(), path, host, has_body });
        let mut found = find(true);
        // Few paths depend on it, and it may take a while to know.
        if let (Ok(with), Ok(without)) = (&found, find(false))
            && !std::ptr::eq(with.spec, without.spec)
            && !body.has_content(self.body_timeout).await
        {
            found = Ok(without);
        }
        match found {
            Ok(found) => Goal::Operation(found.spec, found.labels().collect()),
            Err(miss) => {
                let kind = if miss.allowed.is_empty() { Kind::UnknownOperation } else { Kind::MethodNotAllowed };
                Goal::Nowhere(Fault::new(kind, miss.message()))
            }
        }
    }

    async fn pass(
        &self,
        parts: &request::Parts,
        body: Body,
        goal: Goal<'_>,
        request_id: &str,
        seen: &mut Seen,
    ) -> Result<Response<Body>, Fault> {
        if self.dev
            && let Some(who) = browser::stranger(parts)
        {
            let text = format!(
                "`outcrop dev` checks no credentials and answers programs on this machine only, not {who}. Name it \
                 127.0.0.1 or localhost; for anything else use `outcrop serve`."
            );
            return Err(Fault::new(Kind::AccessDenied, text));
        }
        if matches!(goal, Goal::Door(Door::Metrics, _)) && self.observe.shows(self.dev, parts) {
            let mut response = self.observe.metrics(&parts.headers);
            encode::identify(&mut response, request_id);
            return Ok(response);
        }
        let head = Head::from(parts);
        if matches!(goal, Goal::Aws(Wire::Query)) && !head.has_credentials() {
            return self.unsigned(parts, body, request_id).await;
        }
        if head.is_version_2() {
            let text = "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.";
            return Err(Fault::validation(text));
        }
        let claim = self.gate.examine(&head).await.map_err(refused)?;
        if matches!(goal, Goal::S3) {
            return self.s3(parts, body, claim, request_id, seen).await;
        }
        let built = match &goal {
            Goal::Operation(spec, _) => self.table.get(spec),
            _ => None,
        };
        // A request that streams its input never ends its body: what is not built says so on the head alone.
        if let Goal::Operation(spec, _) = &goal
            && spec.streams_input
        {
            seen.proven(&claim.prove(&head, ProofBody::Events).map_err(refused)?);
            return Err(not_built(spec));
        }
        let bytes = listen::collect(body, self.body_bytes, self.body_timeout).await.map_err(|e| unread(&e))?;
        let proof = claim.prove(&head, ProofBody::Whole(&bytes)).map_err(refused)?;
        seen.proven(&proof);
        let trail = &seen.trail.clone();
        match goal {
            Goal::Nowhere(fault) => Err(fault),
            // It was gone before its body was read.
            Goal::S3 => Err(Fault::new(Kind::InternalServer, "S3 is not answered here.")),
            Goal::Aws(wire) => self.aws(wire, parts, &bytes, proof, request_id, seen).await,
            Goal::Door(door, id) => self.open(door, id, parts, bytes, proof, request_id, trail).await,
            Goal::Operation(spec, labels) => {
                let handler = built.ok_or_else(|| not_built(spec))?;
                self.run(handler, spec, labels, parts, bytes, proof, request_id, trail).await
            }
        }
    }

    /// Where the request came from.
    fn client(&self, parts: &request::Parts) -> ClientInfo {
        let peer = parts.extensions.get::<Peer>();
        peer.map(|peer| listen::client(peer, &parts.headers, &self.trusted_proxies)).unwrap_or_default()
    }

    /// A call of STS without credentials: one that brings its own, or none at all.
    async fn unsigned(&self, parts: &request::Parts, body: Body, request_id: &str) -> Result<Response<Body>, Fault> {
        let bytes = listen::collect(body, UNSIGNED_BYTES, self.body_timeout).await.map_err(|e| unread(&e))?;
        let form = if parts.method == Method::GET { parts.uri.query().unwrap_or("") } else { utf8(&bytes)? };
        if !sts::proves_itself(form) {
            return Err(refused(AccessError::Missing));
        }
        Ok(sts::unsigned(&self.sts, self.client(parts), request_id, form).await)
    }

    fn context(
        &self,
        parts: &request::Parts,
        proof: Proof,
        (service, operation): (&'static str, &'static str),
        request_id: &str,
        trail: &Trail,
    ) -> Context {
        Context {
            caller: proof.caller,
            permissions: proof.permissions,
            client: self.client(parts),
            resource_policies: self.resource_policies.clone(),
            region: proof.region,
            service,
            operation,
            request_id: request_id.to_owned(),
            trail: trail.clone(),
            cancel: self.stop.child_token(),
            deadline: Some(std::time::Instant::now() + self.deadline),
        }
    }

    /// One call of S3, whose body is read as it is written to the disk.
    async fn s3(
        &self,
        parts: &request::Parts,
        body: Body,
        claim: Claim,
        request_id: &str,
        seen: &mut Seen,
    ) -> Result<Response<Body>, Fault> {
        let (proof, payload) = claim.prove_head(&Head::from(parts)).map_err(refused)?;
        seen.proven(&proof);
        let Some(door) = &self.s3 else {
            let text = "This server speaks S3 where its configuration says so: [s3] enabled = true.";
            return Err(Fault::new(Kind::NotImplemented, text));
        };
        let context = self.context(parts, proof, ("s3", "S3"), request_id, &seen.trail);
        let called = s3::Called::default();
        let span = tracing::info_span!("call", operation = "S3", request_id, account = context.caller.account);
        let answer = door.answer(&context, parts, (body, payload), self.body_timeout, called.clone());
        let answer = tracing::Instrument::instrument(answer, span).await;
        seen.aimed("s3", called.name().unwrap_or("UnknownOperation"));
        answer
    }

    /// One call of STS or of a part of another AWS service: a credential is for one service, and opens no other.
    async fn aws(
        &self,
        wire: Wire,
        parts: &request::Parts,
        body: &[u8],
        proof: Proof,
        request_id: &str,
        seen: &mut Seen,
    ) -> Result<Response<Body>, Fault> {
        let form = if parts.method == Method::GET { parts.uri.query().unwrap_or("").as_bytes() } else { body };
        if wire == Wire::Query && !self.slices.speak_query(&proof.service) {
            for_service("sts", &proof)?;
            let form = utf8(form)?;
            let context = self.context(parts, proof, ("sts", ""), request_id, &seen.trail);
            return Ok(sts::handle(&self.sts, &context, form).await);
        }
        let aimed = self.slices.aim(wire, &proof.service, &parts.headers, form, self.body_bytes)?;
        seen.aimed(aimed.service(), aimed.operation);
        let context = self.context(parts, proof, (aimed.service(), aimed.operation), request_id, &seen.trail);
        match tokio::time::timeout(self.deadline, Slices::run(aimed, &context)).await {
            Ok(response) => Ok(response),
            Err(_) => Err(Fault::new(Kind::ServiceUnavailable, "The operation took too long.")),
        }
    }

    /// One call of a door of another protocol.
    #[allow(clippy::too_many_arguments)]
    async fn open(
        &self,
        door: Door,
        id: &str,
        parts: &request::Parts,
        body: Bytes,
        proof: Proof,
        request_id: &str,
        trail: &Trail,
    ) -> Result<Response<Body>, Fault> {
        if door == Door::Metrics {
            return Err(observe::nobody_s());
        }
        for_service("bedrock", &proof)?;
        if door == Door::Budgets {
            let context = self.context(parts, proof, ("outcrop", "ListBudgets"), request_id, trail);
            return budgets::list(self, &context).await;
        }
        let doors = self.doors.as_ref().ok_or_else(|| Fault::new(Kind::NotImplemented, "This door is not built."))?;
        let context = self.context(parts, proof, (Service::BedrockRuntime.prefix(), door.name()), request_id, trail);
        let span = tracing::info_span!("call", operation = door.name(), request_id, account = context.caller.account);
        let seen = self.observe.call(&context, &parts.headers);
        let query = parts.uri.query().unwrap_or("");
        let method = &parts.method;
        let tap = tap_door(self.logs.as_deref(), &context, (door, method), &parts.headers, &body);
        let call = compat::Call { door, method, id, query, headers: &parts.headers, body, context };
        let run = async {
            match door {
                Door::Cost | Door::CostAdvice | Door::Outcomes => doors.cost.answer(&call).await,
                Door::ExplainGuardrail => explain::answer(&doors.guardrails, &call).await,
                _ => Ok(Box::pin(doors.answer(call)).await),
            }
        };
        let run = tracing::Instrument::instrument(trace::within(seen.clone(), run), span);
        let answer = match tokio::time::timeout(self.deadline, run).await {
            Ok(response) => response,
            Err(_) => Err(Fault::new(Kind::ModelTimeout, "The operation took too long.")),
        };
        observe::answered(seen.as_ref(), &answer);
        tapped(tap, answer)
    }

    #[allow(clippy::too_many_arguments)]
    async fn run(
        &self,
        handler: Handler,
        spec: &'static Spec,
        labels: Vec<(&'static str, &str)>,
        parts: &request::Parts,
        body: Bytes,
        proof: Proof,
        request_id: &str,
        trail: &Trail,
    ) -> Result<Response<Body>, Fault> {
        for_service("bedrock", &proof)?;
        let context = self.context(parts, proof, (spec.service.prefix(), spec.name), request_id, trail);
        let span = tracing::info_span!("call", operation = spec.name, request_id, account = context.caller.account);
        let seen = self.observe.call(&context, &parts.headers);
        let tap = tap_operation(self.logs.as_deref(), &context, spec, &labels, &parts.headers, &body);
        let call =
            Call { spec, labels, query: parts.uri.query().unwrap_or(""), headers: &parts.headers, body, context };
        let run = tracing::Instrument::instrument(trace::within(seen.clone(), handler(call)), span);
        let answer = match tokio::time::timeout(self.deadline, run).await {
            Ok(result) => result,
            Err(_) => Err(Fault::new(Kind::ModelTimeout, "The operation took too long.")),
        };
        observe::answered(seen.as_ref(), &answer);
        tapped(tap, answer)
    }
}

/// The operator has said that a call without a record must not be.
fn unrecorded() -> Fault {
    let text = "The audit trail cannot be written, and the operator has calls refused for as long. Try again later.";
    Fault::new(Kind::ServiceUnavailable, text)
}

/// A refusal in the words of the door that was asked; `service` is whose statuses an AWS error has.
pub fn refusal(speaks: Speaks, fault: Fault, service: Service, request_id: &str) -> Response<Body> {
    match speaks {
        Speaks::Aws => encode::fault(&fault, service, request_id),
        Speaks::OpenAi => compat::openai::refusal(&fault.into(), request_id),
        Speaks::Anthropic => compat::anthropic::refusal(&fault, request_id),
    }
}

/// A credential for another service opens nothing here.
fn for_service(service: &str, proof: &Proof) -> Result<(), Fault> {
    if proof.service == service {
        return Ok(());
    }
    let text = format!("Credential should be scoped to correct service: '{service}', not '{}'.", proof.service);
    Err(Fault::new(Kind::InvalidSignature, text))
}

fn door_goal<'a>(method: &Method, door: Door, id: &'a str) -> Goal<'a> {
    if door.methods().contains(&method.as_str()) {
        return Goal::Door(door, id);
    }
    let text = format!("{method} is not taken here; {} is.", door.methods().join(" and "));
    Goal::Nowhere(Fault::new(Kind::MethodNotAllowed, text))
}

fn health(method: &Method, request_id: &str) -> Response<Body> {
    if !matches!(*method, Method::GET | Method::HEAD) {
        let fault = Fault::new(Kind::MethodNotAllowed, "Health is asked with GET.");
        return encode::fault(&fault, Service::Bedrock, request_id);
    }
    let mut response = Response::new(Body::full(r#"{"status":"ok"}"#));
    response.headers_mut().insert("content-type", http::HeaderValue::from_static("application/json"));
    encode::identify(&mut response, request_id);
    response
}

fn utf8(bytes: &[u8]) -> Result<&str, Fault> {
    std::str::from_utf8(bytes).map_err(|_| Fault::validation("The form is not UTF-8."))
}

fn refused(error: outcrop_access::AccessError) -> Fault {
    tracing::info!(%error, "refused");
    Fault::of(&error)
}

fn unread(error: &BodyError) -> Fault {
    match error {
        BodyError::TooLarge { limit } => {
            let text = format!("The request body is larger than the {limit} bytes that this server admits.");
            Fault::new(Kind::RequestTooLarge, text)
        }
        BodyError::TooSlow => Fault::new(Kind::ModelTimeout, "The request body did not arrive in time."),
        BodyError::Busy => Fault::new(Kind::Throttling, "Too many requests, please wait before trying again."),
        _ => Fault::new(Kind::Serialization, "The request body could not be read."),
    }
}

fn not_built(spec: &Spec) -> Fault {
    let text = format!(
        "{} of {} is not built in this version of Outcrop. `outcrop doctor --operations` lists what is.",
        spec.name,
        spec.service.prefix()
    );
    Fault::new(Kind::NotImplemented, text)
}

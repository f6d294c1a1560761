//! The common beginning of every conversation: from a request to an answer that has begun.

use std::sync::Arc;
use std::time::Duration;

use outcrop_access::Context;
use outcrop_api::bedrock_runtime::ConverseRequest;
use outcrop_api::{Fault, Kind, Reply};
use outcrop_models::{Invocation, Resolved};
use outcrop_providers::{Answer, Call, Cause, Priority};
use tokio::time::Instant;

use crate::admit::Wanted;
use crate::cache::CACHE;
use crate::capacity::Estimate;
use crate::guard::{self, Beside, Guarded, Passed};
use crate::meter::Tally;
use crate::options::Options;
use crate::routing::{self, Ask, Lease, Plan, Target};
use crate::{Gateway, documents, fields, rules, traced};

/// Converse's own words for a model that holds no conversations.
const NOT_CONVERSATIONAL: &str =
    "This action doesn't support the model that you provided. Try again with a supported text or chat model.";

/// The header that names who really answered.
pub const SERVED_BY: &str = "x-outcrop-served-by";

/// A conversation that is being answered.
pub struct Begun {
    /// What the caller named.
    pub resolved: Resolved,
    /// Its answer.
    pub answer: Answer,
    /// Tier and latency as resolved.
    pub options: Options,
    /// Who answers, after how many attempts.
    pub by: By,
    /// What ends with the answer.
    pub running: Running,
    /// Its guardrails, which have judged what was asked.
    pub guard: Option<Arc<Passed>>,
}

/// Who answers.
#[derive(Clone)]
pub struct By {
    /// Who; nobody where the answer was kept from an earlier call, or is a guardrail's.
    pub target: Option<Arc<Target>>,
    /// It was kept from an earlier call.
    pub kept: bool,
    /// After how many attempts.
    pub attempts: u32,
    /// A second target was asked before the first had failed.
    pub hedged: bool,
}

/// What ends with an answer.
pub struct Running {
    /// The hold on the target, where there is one.
    pub lease: Option<Lease>,
    /// What it takes.
    pub tally: Tally,
    /// How long its events may be apart.
    pub between: Option<Duration>,
    /// When it is cut off.
    pub end: Instant,
}

impl Running {
    /// The answer did not come to its end.
    pub fn broke(&mut self, cause: Cause) {
        if let Some(lease) = &mut self.lease {
            lease.failed(cause, None);
        }
    }
}

/// What [`Begun`] is made of.
struct Answered {
    answer: Answer,
    by: By,
    options: Options,
    lease: Option<Lease>,
    between: Option<Duration>,
    end: Instant,
    guard: Option<Arc<Passed>>,
}

impl By {
    /// Who gave `served`.
    pub fn of<T>(served: &routing::Served<T>) -> Self {
        Self { target: Some(Arc::clone(&served.target)), kept: false, attempts: served.attempts, hedged: served.hedged }
    }

    /// Nobody.
    fn nobody(kept: bool) -> Self {
        Self { target: None, kept, attempts: 0, hedged: false }
    }

    /// `output`, with the headers that say who answered.
    pub fn reply<T>(&self, output: T) -> Reply<T> {
        let mut reply = Reply::from(output);
        if let Some(name) = self.target.as_ref().and_then(|target| target.served_by()) {
            reply = reply.with(SERVED_BY, name);
        }
        if self.kept {
            reply = reply.with(CACHE, "hit");
        }
        if self.attempts > 1 {
            reply = reply.with(routing::ATTEMPTS, self.attempts);
        }
        reply
    }
}

impl Gateway {
    /// The model that `id` names, if the caller may invoke it so.
    pub(crate) async fn resolve(&self, cx: &Context, call: Invocation<'_>, id: &str) -> Result<Resolved, Fault> {
        let resolved = self.models.resolve(cx, id).await.map_err(|e| Fault::of(&e))?;
        self.models.admit(cx, call, &resolved).await.map_err(|e| Fault::of(&e))?;
        Ok(resolved)
    }

    /// What a call of `resolved` takes; to be kept as long as the call lasts.
    pub(crate) fn tally(&self, cx: &Context, resolved: &Resolved) -> Tally {
        Tally::new(&self.meter, &self.prices, cx, resolved)
    }

    /// Who may answer a call of `resolved`, in order.
    pub(crate) fn plan(&self, cx: &Context, resolved: &Resolved, ask: &Ask<'_>) -> Result<Plan, Fault> {
        Plan::new(cx, self.routes.of(&resolved.model)?, resolved, ask)
    }

    /// Checks `request` and has it answered.
    pub(crate) async fn begin(
        &self,
        cx: &Context,
        resolved: Resolved,
        request: ConverseRequest,
        (streaming, guarded): (bool, Option<Guarded>),
        mut tally: Tally,
    ) -> Result<Begun, Fault> {
        tally.of(&resolved);
        if streaming {
            tally.streams();
        }
        let answered = self.answer(cx, &resolved, request, (streaming, guarded), &mut tally).await;
        let answered = answered.map_err(|fault| tally.failed(fault))?;
        let Answered { answer, by, options, lease, between, end, guard } = answered;
        tally.tier(options.tier.clone());
        tally.served(&by);
        Ok(Begun { resolved, answer, options, by, running: Running { lease, tally, between, end }, guard })
    }

    async fn answer(
        &self,
        cx: &Context,
        resolved: &Resolved,
        mut request: ConverseRequest,
        (streaming, guarded): (bool, Option<Guarded>),
        tally: &mut Tally,
    ) -> Result<Answered, Fault> {
        let tier = request.service_tier.as_ref().map(|tier| &tier.r#type);
        tally.asks(request.request_metadata.as_ref(), tier);
        traced::asked(&request);
        check(resolved, &request, streaming)?;
        fields::check(request.additional_model_request_fields.as_ref(), self.retention(cx))?;
        let mut options = Options::of(&request);
        documents::fetch(self.papers.as_ref(), cx, &mut request).await?;
        let plan = self.plan_conversation(cx, resolved, &request, &options, streaming)?;
        let shown = documents::read(self.papers.as_ref(), &plan, resolved, &mut request, guarded.is_some()).await?;
        let (mut guard, mut judging) = (None, None);
        match guarded {
            Some(guarded) if guarded.beside() => judging = Some(guarded.looks(&mut request)?),
            Some(guarded) => guard = Some(Arc::new(guarded.input(&mut request).await?)),
            None => {}
        }
        let instead = |guard: Option<Arc<Passed>>, response, options| {
            let (answer, by, end) = (Answer::Whole(Box::new(response)), By::nobody(false), plan.end());
            Ok(Answered { answer, by, options, lease: None, between: None, end, guard })
        };
        if let Some(response) = guard.as_ref().and_then(|guard| guard.instead()) {
            return instead(guard, response, options);
        }
        let kept = self.kept(cx, resolved, &request, &plan);
        if let Some(answer) = kept.as_ref().and_then(|kept| kept.answer()) {
            if let Some(judging) = &judging {
                let passed = judging.judge().await?;
                if let Some(response) = passed.instead() {
                    return instead(Some(Arc::new(passed)), response, options);
                }
                guard = Some(Arc::new(passed));
            }
            let (by, end) = (By::nobody(true), plan.end());
            return Ok(Answered { answer, by, options, lease: None, between: None, end, guard });
        }
        self.admit(cx, (resolved, &plan), Wanted::of(&request, resolved), tally).await?;
        let call = self.call(cx, resolved, Arc::new(request), &options, streaming);
        let served = plan.attempt(cx, |target| {
            let call = Call { model: target.model(resolved), ..call.clone() };
            let shown = &shown;
            async move { shown.converse(&target, resolved, call).await }
        });
        let served = match judging {
            Some(judging) => match guard::beside(&judging, served).await? {
                Beside::Instead(passed, response) => {
                    tally.thrown_away();
                    return instead(Some(Arc::new(passed)), *response, options);
                }
                Beside::Answered(passed, served) => {
                    guard = Some(Arc::new(passed));
                    served
                }
            },
            None => served.await?,
        };
        options.served_by(&served.target);
        let (by, between, end) = (By::of(&served), plan.between(&served.target), plan.end());
        let answer = match kept {
            Some(kept) => kept.keep(served.output),
            None => served.output,
        };
        Ok(Answered { answer, by, options, lease: Some(served.lease), between, end, guard })
    }

    /// Who may answer `request`.
    pub(crate) fn plan_conversation(
        &self,
        cx: &Context,
        resolved: &Resolved,
        request: &ConverseRequest,
        options: &Options,
        stream: bool,
    ) -> Result<Plan, Fault> {
        let metadata = request.request_metadata.as_ref();
        let metadata = |key: &str| metadata.and_then(|map| map.get(key)).map(String::as_str);
        let tokens = || Estimate::of(request, &resolved.model).tokens();
        let (priority, retention) = (options.priority(), self.retention(cx));
        let ask = Ask { tokens: &tokens, stream, priority, retention, metadata: &metadata };
        self.plan(cx, resolved, &ask)
    }

    /// The call of a provider, but for the provider's own name of the model.
    pub(crate) fn call(
        &self,
        cx: &Context,
        resolved: &Resolved,
        request: Arc<ConverseRequest>,
        options: &Options,
        stream: bool,
    ) -> Call {
        Call {
            model: "".into(),
            request,
            stream,
            scope: self.sharing.scope(&cx.caller).into(),
            // Who has reserved does not wait behind those who have not.
            priority: if resolved.provisioned.is_some() { Priority::High } else { options.priority() },
            cache_minimum: resolved.model.cache.as_ref().map_or(0, |cache| cache.minimum),
        }
    }
}

/// Refuses a model that Converse does not take: it writes no text, or answers in a format of its own only.
pub(crate) fn converses(resolved: &Resolved) -> Result<(), Fault> {
    if resolved.model.family.converse { Ok(()) } else { Err(Fault::validation(NOT_CONVERSATIONAL)) }
}

pub(crate) fn stopping() -> Fault {
    Fault::new(Kind::ServiceUnavailable, "The server is stopping.")
}

fn check(resolved: &Resolved, request: &ConverseRequest, streaming: bool) -> Result<(), Fault> {
    let model = &resolved.model;
    if !model.writes_text() {
        return Err(Fault::validation(NOT_CONVERSATIONAL));
    }
    if streaming && !model.streaming {
        return Err(Fault::validation("The model is unsupported for streaming."));
    }
    rules::check(request, &rules::family(model))
}

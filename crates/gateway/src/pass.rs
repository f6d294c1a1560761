//! InvokeModel where everybody who may answer takes the caller's format as it is: bytes in, bytes out, untouched.
//!
//! Not where something must look inside or between: a guardrail, the response cache, a service tier or latency, which
//! are options of this server and not of the format.

#[cfg(test)]
mod tests;
mod usage;

use bytes::Bytes;
use futures_util::StreamExt;
use outcrop_access::Context;
use outcrop_api::bedrock_runtime::{PayloadPart, ResponseStream, TokenUsage};
use outcrop_api::{Events, Fault, Kind};
use outcrop_dialects::ChatDialect;
use outcrop_models::Resolved;
use outcrop_models::catalogue::Geography;
use outcrop_providers::{Cause, Failure, Pass, PassBody, Passed};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::admit::Wanted;
use crate::begin::{By, Running, stopping};
use crate::capacity::Estimate;
use crate::meter::Tally;
use crate::routing::{Ask, Plan, Target};
use crate::{Gateway, fields};
use usage::Seen;

/// What a model writes at most where the catalogue does not say.
const WRITTEN: u64 = 4096;

/// An answer in the caller's format.
pub(crate) struct Through {
    /// Who gives it.
    pub by: By,
    body: PassBody,
    usage: Option<TokenUsage>,
    running: Running,
    /// The format's own events do not carry the metrics that Bedrock's do.
    bare: bool,
}

impl Gateway {
    /// Who may answer a body of `chat` as it is; none where it has to be read.
    pub(crate) fn passing(
        &self,
        cx: &Context,
        resolved: &Resolved,
        chat: &dyn ChatDialect,
        body: &Bytes,
        stream: bool,
    ) -> Option<Plan> {
        if resolved.router.is_some() || (stream && !resolved.model.streaming) {
            return None;
        }
        let tokens = || (body.len() / 4) as u64;
        let ask = Ask { tokens: &tokens, stream, ..Ask::whole(self.retention(cx)) };
        // Whoever has no plan gets its refusal on the usual way.
        let plan = self.plan(cx, resolved, &ask).ok()?;
        let passes = plan.policy().cache.is_none()
            && plan.policy().sticky.is_none()
            && plan.all(|target| self.takes(target, resolved, chat.name()))
            && !fields::suspicious(body, self.retention(cx));
        passes.then_some(plan)
    }

    /// Whether `target` takes bodies of `dialect` as they are.
    pub(crate) fn takes(&self, target: &Target, resolved: &Resolved, dialect: &str) -> bool {
        let provider = target.provider();
        // Whoever takes any format cannot tell whether the model at the other end has this one.
        let any = provider.passes("");
        provider.passes(dialect) && (!any || self.same_format(&target.model(resolved), resolved, dialect))
    }

    fn same_format(&self, model: &str, resolved: &Resolved, dialect: &str) -> bool {
        let base = Geography::split(model).map_or(model, |(_, base)| base);
        let found = self.models.catalogue().find(base);
        model == resolved.called_id || found.is_some_and(|(found, _)| found.family.dialect.name() == dialect)
    }

    /// Passes `body` on.
    pub(crate) async fn pass(
        &self,
        cx: &Context,
        resolved: &Resolved,
        plan: &Plan,
        (dialect, body, stream): (&'static str, Bytes, bool),
        mut tally: Tally,
    ) -> Result<Through, Fault> {
        if stream {
            tally.streams();
        }
        let written = resolved.model.max_output.map_or(WRITTEN, u64::from);
        let wanted = Wanted::reads(Estimate { input: (body.len() / 4) as u64, output: written });
        self.admit(cx, (resolved, plan), wanted, &mut tally).await.map_err(|fault| tally.failed(fault))?;
        let served = plan.attempt(cx, |target| {
            let (model, body) = (target.model(resolved), body.clone());
            async move { target.provider().pass(Pass { model, dialect, body, stream, headers: Vec::new() }).await }
        });
        let served = served.await.map_err(|fault| tally.failed(fault))?;
        let by = By::of(&served);
        tally.served(&by);
        let (between, end) = (plan.between(&served.target), plan.end());
        let Passed { body, usage } = served.output;
        let running = Running { lease: Some(served.lease), tally, between, end };
        Ok(Through { by, body, usage, running, bare: dialect == "anthropic-messages" })
    }
}

impl Through {
    /// The whole answer and what it took.
    pub async fn whole(mut self) -> Result<(Bytes, TokenUsage), Fault> {
        let body = match self.body {
            PassBody::Whole(body) => body,
            PassBody::Stream(_) => {
                let text = "The provider answered with a stream where none was asked for.";
                return Err(self.running.tally.failed(Fault::new(Kind::ModelError, text)));
            }
        };
        // Most providers have counted already: the answer need not be read again.
        let usage = self.usage.unwrap_or_else(|| usage::of_body(&body));
        self.running.tally.answered(&usage);
        Ok((body, usage))
    }

    /// The chunks as they come.
    pub fn chunks(self, cancel: CancellationToken) -> Events<ResponseStream> {
        let texts = match self.body {
            PassBody::Stream(texts) => texts,
            PassBody::Whole(body) => futures_util::stream::iter([Ok(body)]).boxed(),
        };
        let state = Teeing { texts, running: self.running, cancel, seen: Seen::new(self.bare) };
        futures_util::stream::unfold(Some(state), |state| async move {
            let mut state = state?;
            match state.next().await {
                Some(Ok(text)) => {
                    let part = ResponseStream::Chunk(PayloadPart { bytes: Some(text) });
                    Some((Ok(part), Some(state)))
                }
                Some(Err(fault)) => Some((Err(state.running.tally.failed(fault)), None)),
                None => None,
            }
        })
        .boxed()
    }
}

struct Teeing {
    texts: futures_util::stream::BoxStream<'static, Result<Bytes, Fault>>,
    running: Running,
    cancel: CancellationToken,
    seen: Seen,
}

impl Teeing {
    async fn next(&mut self) -> Option<Result<Bytes, Fault>> {
        let running = &mut self.running;
        let limit = running.between.map_or(running.end, |between| (Instant::now() + between).min(running.end));
        let next = tokio::select! {
            biased;
            next = timeout_at(limit, self.texts.next()) => next,
            () = self.cancel.cancelled() => return Some(Err(stopping())),
        };
        match next {
            Ok(Some(Ok(text))) => {
                running.tally.first_event();
                if let Err(fault) = running.tally.piece() {
                    return Some(Err(fault));
                }
                Some(Ok(self.seen.chunk(text, running.tally.began())))
            }
            Ok(Some(Err(fault))) => {
                running.broke(Failure::from(fault.clone()).cause);
                Some(Err(fault))
            }
            // The provider ends its stream with an error where it was cut off.
            Ok(None) => {
                running.tally.answered(&self.seen.usage);
                None
            }
            Err(_) => {
                running.broke(Cause::TimedOut);
                Some(Err(Fault::new(Kind::ModelStreamError, "The model stopped in the middle of its answer.")))
            }
        }
    }
}

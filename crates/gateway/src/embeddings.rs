//! Vectors for callers that bring typed requests, and whether anybody answers for a model.

use std::sync::Arc;

use outcrop_access::Context;
use outcrop_api::{Fault, Reply};
use outcrop_dialects::EmbeddingRequest;
use outcrop_models::{Invocation, Model};
use outcrop_providers::{Counter, Embedded};

use crate::Gateway;
use crate::begin::By;
use crate::begin::converses;
use crate::embed::read;
use crate::guard::native;

impl Gateway {
    /// One vector of unit length for each text, by the model that `id` names. `guardrail` is an identifier and a
    /// version.
    pub async fn embeddings(
        &self,
        cx: &Context,
        id: &str,
        guardrail: Option<(&str, Option<&str>)>,
        mut request: EmbeddingRequest,
    ) -> Result<Reply<Embedded>, Fault> {
        let call = Invocation { guardrail, ..Invocation::new("bedrock:InvokeModel") };
        let resolved = self.resolve(cx, call, id).await?;
        if guardrail.is_some() {
            return Err(native::unsupported());
        }
        let model = &resolved.model;
        if !model.embeds() {
            return Err(Fault::validation(format!("{} makes no embeddings.", model.id)));
        }
        if let (Some(asked), Some(known)) = (request.dimensions, &model.dimensions)
            && !known.allowed.is_empty()
            && !known.allowed.contains(&asked)
        {
            let allowed: Vec<String> = known.allowed.iter().map(u32::to_string).collect();
            let text = format!("{} makes no vectors of {asked} numbers. Use one of: {}.", model.id, allowed.join(", "));
            return Err(Fault::validation(text));
        }
        let mut tally = self.tally(cx, &resolved);
        let guarded = self.guard_texts(cx, &resolved, &mut request.texts, &tally.judged()).await;
        guarded.map_err(|fault| tally.failed(fault))?;
        let served = self.vectors(cx, &resolved, &Arc::new(request), &mut tally).await;
        let served = served.map_err(|fault| tally.failed(fault))?;
        let by = By::of(&served);
        tally.served(&by);
        tally.answered(&read(served.output.tokens));
        Ok(by.reply(served.output))
    }

    /// What counts tokens as the model does that embeds for what `id` names, where that is at hand.
    pub async fn counter(&self, cx: &Context, id: &str) -> Option<Arc<Counter>> {
        let resolved = self.resolve(cx, Invocation::new("bedrock:InvokeModel"), id).await.ok()?;
        let route = self.routes.of(&resolved.model).ok()?;
        let target = route.targets.first()?;
        target.provider().counter(&target.model(&resolved))
    }

    /// Whether a model of this process writes for what `id` names, if that writes and the caller may ask it: its own, or a
    /// stand-in.
    pub async fn answers_here(&self, cx: &Context, id: &str) -> Result<bool, Fault> {
        let resolved = self.resolve(cx, Invocation::new("bedrock:InvokeModel"), id).await?;
        converses(&resolved)?;
        let route = self.routes.of(&resolved.model)?;
        Ok(route.targets.first().is_none_or(|target| target.local()))
    }

    /// Whether a call of `model` would find somebody to answer it.
    pub fn serves(&self, model: &Arc<Model>) -> bool {
        self.routes.of(model).is_ok()
    }
}

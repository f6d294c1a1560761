//! Vectors for callers that bring typed requests, and whether anybody answers for a model.

use std::sync::Arc;
use std::time::Instant;

use outcrop_access::Context;
use outcrop_api::bedrock_runtime::TokenUsage;
use outcrop_api::{Fault, Kind, Reply};
use outcrop_dialects::EmbeddingRequest;
use outcrop_models::{Invocation, Model, Resolved};
use outcrop_providers::{Embed, Embedded};

use crate::converse::served;
use crate::{Gateway, answer};

impl Gateway {
    /// One vector of unit length for each text, by the model that `id` names. `guardrail` is an identifier and a
    /// version.
    pub async fn embeddings(
        &self,
        cx: &Context,
        id: &str,
        guardrail: Option<(&str, Option<&str>)>,
        request: EmbeddingRequest,
    ) -> Result<Reply<Embedded>, Fault> {
        let began = Instant::now();
        let call = Invocation { guardrail, ..Invocation::new("bedrock:InvokeModel") };
        let resolved = self.resolve(cx, call, id).await?;
        if guardrail.is_some() {
            // Ignoring it would let through what it was to stop.
            return Err(Fault::new(Kind::NotImplemented, "Guardrails are not built in this version of Outcrop."));
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
        let target = self.target(&resolved)?;
        let promised = model.dimensions.as_ref().map(|d| d.default);
        let dimensions = request.dimensions.or(promised).map_or(0, |d| d as usize);
        let call = Embed { model: target.model.as_str().into(), request: Arc::new(request), dimensions };
        let found = tokio::select! {
            found = self.local.embed(call) => found.map_err(|failure| failure.fault)?,
            () = cx.cancel.cancelled() => return Err(crate::begin::stopping()),
        };
        let tokens = i32::try_from(found.tokens).unwrap_or(i32::MAX);
        let usage = TokenUsage { input_tokens: tokens, total_tokens: tokens, ..Default::default() };
        answer::log(&resolved.metric_id, target.served_by.as_deref(), &usage, began);
        Ok(served(found, target.served_by))
    }

    /// Whether a call of `model` would find somebody to answer it.
    pub fn serves(&self, model: &Arc<Model>) -> bool {
        let resolved = Resolved {
            invoked_id: model.id.clone(),
            metric_id: model.id.clone(),
            context: model.context,
            profile_arn: None,
            destinations: Vec::new(),
            anywhere: false,
            provisioned: None,
            router: None,
            model: Arc::clone(model),
        };
        self.target(&resolved).is_ok()
    }
}

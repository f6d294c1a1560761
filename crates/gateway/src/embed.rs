//! InvokeModel for models that answer with vectors.

use std::sync::Arc;
use std::time::Instant;

use outcrop_access::Context;
use outcrop_api::bedrock_runtime::{InvokeModelResponse, TokenUsage};
use outcrop_api::{Fault, Reply};
use outcrop_dialects::EmbeddingDialect;
use outcrop_models::Resolved;
use outcrop_providers::Embed;

use crate::capacity::Estimate;
use crate::converse::served;
use crate::invoke::{counted, text};
use crate::{Gateway, answer};

impl Gateway {
    pub(crate) async fn embed(
        &self,
        cx: &Context,
        resolved: &Resolved,
        dialect: &dyn EmbeddingDialect,
        body: &[u8],
    ) -> Result<Reply<InvokeModelResponse>, Fault> {
        let began = Instant::now();
        let target = self.target(resolved)?;
        let request = Arc::new(dialect.decode(body).map_err(|e| Fault::of(&e))?);
        let promised = resolved.model.dimensions.as_ref().map(|d| d.default);
        // A local model named by the caller has the length that its weights give.
        let dimensions = request.dimensions.or(promised).map_or(0, |d| d as usize);
        let estimate = || Estimate::of_texts(&request.texts);
        let mut permit = self.capacity.admit(&self.models, resolved, estimate)?;
        let call = Embed { model: target.model.as_str().into(), request: Arc::clone(&request), dimensions };
        let found = tokio::select! {
            found = self.local.embed(call) => found.map_err(|failure| failure.fault)?,
            () = cx.cancel.cancelled() => return Err(crate::begin::stopping()),
        };
        let mut vectors = found.vectors;
        if !request.normalize {
            for (vector, length) in vectors.iter_mut().zip(&found.lengths) {
                vector.iter_mut().for_each(|x| *x *= length);
            }
        }
        let id = uuid::Uuid::new_v4().to_string();
        let output = InvokeModelResponse {
            body: text(&dialect.encode(&request, &vectors, found.tokens, &id)),
            content_type: "application/json".into(),
            ..Default::default()
        };
        let tokens = i32::try_from(found.tokens).unwrap_or(i32::MAX);
        let usage = TokenUsage { input_tokens: tokens, total_tokens: tokens, ..Default::default() };
        permit.settle(&usage);
        answer::log(&resolved.metric_id, target.served_by.as_deref(), &usage, began);
        Ok(counted(served(output, target.served_by), &usage, began))
    }
}

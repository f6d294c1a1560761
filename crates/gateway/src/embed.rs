//! InvokeModel for models that answer with vectors.

use std::sync::Arc;

use outcrop_access::Context;
use outcrop_api::bedrock_runtime::{InvokeModelResponse, TokenUsage};
use outcrop_api::{Fault, Reply};
use outcrop_dialects::{EmbeddingDialect, EmbeddingRequest};
use outcrop_models::Resolved;
use outcrop_providers::{Embed, Embedded};

use crate::Gateway;
use crate::admit::Wanted;
use crate::begin::By;
use crate::capacity::Estimate;
use crate::invoke::{counted, text};
use crate::meter::Tally;
use crate::routing::{Ask, Served};

impl Gateway {
    pub(crate) async fn embed(
        &self,
        cx: &Context,
        resolved: &Resolved,
        dialect: &dyn EmbeddingDialect,
        body: &[u8],
    ) -> Result<Reply<InvokeModelResponse>, Fault> {
        let mut tally = self.tally(cx, resolved);
        let began = tally.began();
        let mut request = dialect.decode(body).map_err(|e| tally.failed(Fault::of(&e)))?;
        let guarded = self.guard_texts(cx, resolved, &mut request.texts, &tally.judged()).await;
        guarded.map_err(|fault| tally.failed(fault))?;
        let request = Arc::new(request);
        let served = self.vectors(cx, resolved, &request, &mut tally).await.map_err(|fault| tally.failed(fault))?;
        let (by, found) = (By::of(&served), served.output);
        tally.served(&by);
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
        let usage = read(found.tokens);
        tally.answered(&usage);
        Ok(counted(by.reply(output), &usage, began))
    }

    /// A vector for each text, by whoever answers for `resolved`.
    pub(crate) async fn vectors(
        &self,
        cx: &Context,
        resolved: &Resolved,
        request: &Arc<EmbeddingRequest>,
        tally: &mut Tally,
    ) -> Result<Served<Embedded>, Fault> {
        let promised = resolved.model.dimensions.as_ref().map(|d| d.default);
        // A local model named by the caller has the length that its weights give.
        let dimensions = request.dimensions.or(promised).map_or(0, |d| d as usize);
        let estimate = Estimate::of_texts(&request.texts);
        let tokens = || estimate.tokens();
        let plan = self.plan(cx, resolved, &Ask { tokens: &tokens, ..Ask::whole(self.retention(cx)) })?;
        self.admit(cx, (resolved, &plan), Wanted::reads(estimate), tally).await?;
        let served = plan.attempt(cx, |target| {
            let call = Embed { model: target.model(resolved), request: Arc::clone(request), dimensions };
            async move { target.provider().embed(call).await }
        });
        served.await
    }
}

/// The usage of a call that only reads.
pub(crate) fn read(tokens: u32) -> TokenUsage {
    let tokens = i32::try_from(tokens).unwrap_or(i32::MAX);
    TokenUsage { input_tokens: tokens, total_tokens: tokens, ..Default::default() }
}

//! InvokeModel for models that answer with documents in the order of their relevance.

use std::slice::from_ref;

use outcrop_access::Context;
use outcrop_api::bedrock_runtime::InvokeModelResponse;
use outcrop_api::{Fault, Reply};
use outcrop_dialects::{RerankDialect, RerankRequest};
use outcrop_models::{Invocation, Resolved};
use outcrop_providers::{Ranked, Rerank};

use crate::Gateway;
use crate::admit::Wanted;
use crate::begin::By;
use crate::capacity::Estimate;
use crate::embed::read;
use crate::invoke::{JSON, counted, offered_by, text};
use crate::meter::{Judged, Tally};
use crate::routing::{Ask, Served};

/// The kinds of providers that rank.
const RANK: &str = "openai, cohere or bedrock";

impl Gateway {
    /// The documents in order by the model that `id` names, for callers that bring typed requests. None where nobody
    /// ranks for it here: the caller may have a way of its own.
    pub async fn ranks(
        &self,
        cx: &Context,
        id: &str,
        mut request: RerankRequest,
    ) -> Result<Option<Reply<Ranked>>, Fault> {
        let resolved = self.resolve(cx, Invocation::new("bedrock:InvokeModel"), id).await?;
        if !resolved.model.ranks() {
            return Err(Fault::validation(format!("{} ranks no documents.", resolved.model.id)));
        }
        let texts = std::iter::once(&mut request.query).chain(&mut request.documents);
        if !self.serves(&resolved.model) {
            // Who ranks here sends nothing anywhere, so nothing need be masked.
            self.guard_texts(cx, &resolved, texts, &Judged::default()).await?;
            return Ok(None);
        }
        let mut tally = self.tally(cx, &resolved);
        let guarded = self.guard_texts(cx, &resolved, texts, &tally.judged()).await;
        guarded.map_err(|fault| tally.failed(fault))?;
        let served = self.ranked(cx, &resolved, &request, &mut tally).await.map_err(|fault| tally.failed(fault))?;
        let by = By::of(&served);
        tally.served(&by);
        tally.answered(&read(tokens(&request, &served.output)));
        Ok(Some(by.reply(served.output)))
    }

    pub(crate) async fn rerank(
        &self,
        cx: &Context,
        resolved: &Resolved,
        dialect: &dyn RerankDialect,
        body: &[u8],
    ) -> Result<Reply<InvokeModelResponse>, Fault> {
        let mut tally = self.tally(cx, resolved);
        let began = tally.began();
        let mut request = dialect.decode(body).map_err(|e| tally.failed(Fault::of(&e)))?;
        let texts = std::iter::once(&mut request.query).chain(&mut request.documents);
        let guarded = self.guard_texts(cx, resolved, texts, &tally.judged()).await;
        guarded.map_err(|fault| tally.failed(fault))?;
        let served = self.ranked(cx, resolved, &request, &mut tally).await.map_err(|fault| tally.failed(fault))?;
        let (by, found) = (By::of(&served), served.output);
        tally.served(&by);
        let ranks: Vec<(usize, f32)> = found.ranks.iter().map(|rank| (rank.index, rank.score)).collect();
        let output = InvokeModelResponse {
            body: text(&dialect.encode(&request, &ranks)),
            content_type: JSON.into(),
            ..Default::default()
        };
        let usage = read(tokens(&request, &found));
        tally.answered(&usage);
        Ok(counted(by.reply(output), &usage, began))
    }

    /// The documents in order, by whoever answers for `resolved`.
    async fn ranked(
        &self,
        cx: &Context,
        resolved: &Resolved,
        request: &RerankRequest,
        tally: &mut Tally,
    ) -> Result<Served<Ranked>, Fault> {
        let estimate = estimate(request);
        let size = || estimate.tokens();
        let plan = self.plan(cx, resolved, &Ask { tokens: &size, ..Ask::whole(self.retention(cx)) })?;
        let queries = queries(request.documents.len());
        self.admit(cx, (resolved, &plan), Wanted { queries, ..Wanted::reads(estimate) }, tally).await?;
        let served = plan.attempt(cx, |target| {
            let call = Rerank {
                model: target.model(resolved),
                query: request.query.clone(),
                documents: request.documents.clone(),
                top_n: request.top_n,
            };
            async move { target.provider().rerank(call).await.map_err(|failure| offered_by(failure, RANK)) }
        });
        served.await
    }
}

/// A query is paid for with up to a hundred documents (Amazon Bedrock's price list, "Rerank models").
fn queries(documents: usize) -> u64 {
    documents.div_ceil(100).max(1) as u64
}

fn estimate(request: &RerankRequest) -> Estimate {
    let documents = Estimate::of_texts(&request.documents);
    Estimate { input: documents.input + Estimate::of_texts(from_ref(&request.query)).input, ..documents }
}

/// What the provider counted; most servers count nothing here.
fn tokens(request: &RerankRequest, found: &Ranked) -> u32 {
    found.tokens.unwrap_or_else(|| u32::try_from(estimate(request).input).unwrap_or(u32::MAX))
}

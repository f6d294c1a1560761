//! Retrieve: the chunks that fit a question best.
//!
//! The question becomes a vector by the knowledge base's own model under its own role, the index is searched within the
//! filter, and what is found is reranked where that is asked for. `filter` reads filters, `implicit` has a model write
//! one, `settings` is what a request asks for, `shown` what it is answered. RetrieveAndGenerate searches by the same
//! function (`search`).

mod filter;
mod implicit;
mod page;
mod settings;
mod shown;

use std::collections::HashMap;

use outcrop_access::Context;
use outcrop_api::bedrock_agent_runtime::{
    GuadrailAction, GuardrailConfiguration, KnowledgeBaseQuery, KnowledgeBaseQueryType,
    KnowledgeBaseRetrievalConfiguration, KnowledgeBaseRetrievalResult, RetrieveRequest, RetrieveResponse, UserContext,
};
use outcrop_dialects::{EmbeddingRequest, InputType, Truncate};
use outcrop_guard::{Acted, Side};
use outcrop_guardrails::OwnedPassage;
use outcrop_resources::Error;
use outcrop_vectors::{Filter, Mode, Query, Vector};

use crate::base::{Base, scope};
use crate::{Knowledge, KnowledgeError, rerank};
pub(crate) use settings::Settings;
use settings::{Fields, Reranking};
pub(crate) use shown::location;

/// Finds chunks.
pub async fn retrieve(
    cx: &Context,
    knowledge: &Knowledge,
    input: RetrieveRequest,
) -> Result<RetrieveResponse, KnowledgeError> {
    let base = knowledge.base(cx, "bedrock:Retrieve", &input.knowledge_base_id).await?;
    unfiltered(input.user_context.as_ref())?;
    let query = text(input.retrieval_query)?;
    let settings = Settings::of(knowledge, &base, input.retrieval_configuration.as_ref())?;
    let offset = page::offset(input.next_token.as_deref(), &base.id, &query, settings.number)?;
    let mut action = None;
    if let Some(guardrail) = &input.guardrail_configuration {
        if intervenes(cx, knowledge, guardrail, &query).await? {
            return Ok(RetrieveResponse { guardrail_action: Some(GuadrailAction::Intervened), ..Default::default() });
        }
        action = Some(GuadrailAction::None);
    }
    let results = match search(cx, knowledge, &base, &query, &settings).await {
        Err(KnowledgeError::Model(fault)) if outcrop_gateway::guard::blocked(&fault) => {
            return Ok(RetrieveResponse { guardrail_action: Some(GuadrailAction::Intervened), ..Default::default() });
        }
        results => results?,
    };
    let results = results.into_iter().map(|found| found.result).collect();
    let (retrieval_results, next_token) = page::cut(results, offset, &base.id, &query, settings.number);
    Ok(RetrieveResponse { guardrail_action: action, next_token, retrieval_results })
}

/// Until there are access control lists, a request that names a user cannot be answered by them, and answering it without
/// them would show what they hide.
pub(crate) fn unfiltered(user: Option<&UserContext>) -> Result<(), KnowledgeError> {
    match user {
        Some(_) => Err(KnowledgeError::Validation(
            "userContext is not supported: this server has no access control lists of documents, and answers no request \
             that asks to be filtered by them. Leave userContext out, or filter by metadata."
                .to_owned(),
        )),
        None => Ok(()),
    }
}

fn text(query: KnowledgeBaseQuery) -> Result<String, KnowledgeError> {
    let refused = |text: &str| Err(KnowledgeError::Validation(text.to_owned()));
    let image = query.image.is_some() || matches!(query.r#type, Some(KnowledgeBaseQueryType::Image));
    match query.text {
        _ if image => {
            refused("Image queries need a knowledge base with a multimodal embedding model; this one has none.")
        }
        Some(text) if !text.trim().is_empty() => Ok(text),
        _ => refused("The retrievalQuery needs a text that is not empty."),
    }
}

/// Whether a guardrail stops `text`, which a caller wrote.
pub(crate) async fn intervenes(
    cx: &Context,
    knowledge: &Knowledge,
    guardrail: &GuardrailConfiguration,
    text: &str,
) -> Result<bool, KnowledgeError> {
    let applied = knowledge.0.gateway.guardrail(cx, &guardrail.guardrail_id, &guardrail.guardrail_version).await;
    let applied = applied.map_err(KnowledgeError::Model)?;
    let judged = applied.inline(Side::Input, vec![OwnedPassage::content(text)]).await;
    let judged = judged.map_err(|error| KnowledgeError::Model(outcrop_api::Fault::of(&error)))?;
    Ok(judged.acted() == Acted::Blocked)
}

/// A result, and the headings above its text, outermost first, which no client is told.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub result: KnowledgeBaseRetrievalResult,
    pub headings: Vec<String>,
}

/// What fits `query` best in `base`, best first.
pub(crate) async fn search(
    cx: &Context,
    knowledge: &Knowledge,
    base: &Base,
    query: &str,
    settings: &Settings<'_>,
) -> Result<Vec<Found>, KnowledgeError> {
    let acting = acting(cx, knowledge, base)?;
    let mut filter = settings.filter.clone();
    if let Some(configuration) = settings.implicit
        && let Some(written) = implicit::write(&acting, knowledge, configuration, query).await?
    {
        filter = Some(match filter {
            Some(given) => Filter::All(vec![given, written]),
            None => written,
        });
    }
    let limit = settings.number;
    let words = async {
        match settings.mode {
            Mode::Hybrid => Ok(base.index.words(query, filter.as_ref(), limit).await?),
            Mode::Semantic => Ok(None),
        }
    };
    let (vector, said) = tokio::try_join!(vector(&acting, knowledge, base, query), words)?;
    let asked = Query { vector, text: query.to_owned(), mode: settings.mode, filter, limit, said };
    let hits = base.index.search(asked).await?;
    let mut kinds: HashMap<String, Option<String>> = HashMap::new();
    let mut results = Vec::with_capacity(hits.len());
    for hit in hits {
        if !kinds.contains_key(&hit.source) {
            let kind = match knowledge.0.sources.get(scope(cx), &hit.source).await {
                Ok(source) => Some(source.value.kind().as_str().to_owned()),
                Err(Error::NotFound { .. }) => None,
                Err(error) => return Err(error.into()),
            };
            kinds.insert(hit.source.clone(), kind);
        }
        let kind = kinds.get(&hit.source).and_then(Option::as_deref);
        let headings = shown::headings(&hit);
        results.push(Found { result: shown::result(hit, kind), headings });
    }
    match &settings.reranking {
        Some(reranking) => reranked(&acting, knowledge, query, results, reranking).await,
        None => Ok(results),
    }
}

/// The knowledge base's role, for as long as the call lasts.
pub(crate) fn acting(cx: &Context, knowledge: &Knowledge, base: &Base) -> Result<Context, KnowledgeError> {
    let acting = knowledge.acting(scope(cx), &base.role, Some(&base.arn))?;
    Ok(Context {
        cancel: cx.cancel.clone(),
        deadline: cx.deadline,
        request_id: cx.request_id.clone(),
        trail: cx.trail.clone(),
        operation: cx.operation,
        ..acting
    })
}

async fn vector(cx: &Context, knowledge: &Knowledge, base: &Base, query: &str) -> Result<Vector, KnowledgeError> {
    let request = EmbeddingRequest {
        texts: vec![query.to_owned()],
        dimensions: base.embedding.dimensions,
        normalize: true,
        input_type: Some(InputType::Query),
        truncate: Truncate::None,
        ..EmbeddingRequest::default()
    };
    let answered = knowledge.0.gateway.embeddings(cx, &base.embedding.model, None, request).await;
    let made = answered.map_err(KnowledgeError::Model)?.output.vectors.into_iter().next().unwrap_or_default();
    Ok(Vector::of(made, base.embedding.binary))
}

/// The results in the order of another model, with its scores.
async fn reranked(
    acting: &Context,
    knowledge: &Knowledge,
    query: &str,
    results: Vec<Found>,
    reranking: &Reranking<'_>,
) -> Result<Vec<Found>, KnowledgeError> {
    let documents: Vec<String> = results.iter().map(|found| read(&found.result, &reranking.fields)).collect();
    if documents.is_empty() {
        return Ok(results);
    }
    let order = match reranking.model {
        Some(model) => rerank::ranks(acting, knowledge, model, query, documents).await?.output,
        None => rerank::here(knowledge, query, documents).await?,
    };
    let mut results: Vec<Option<Found>> = results.into_iter().map(Some).collect();
    let ranked = order.into_iter().filter_map(|(index, score)| {
        let mut found = results.get_mut(index)?.take()?;
        found.result.score = Some(f64::from(score).clamp(0.0, 1.0));
        Some(found)
    });
    Ok(ranked.take(reranking.keep).collect())
}

/// What a reranker reads of a result: the attributes that it may see, then the text.
fn read(result: &KnowledgeBaseRetrievalResult, fields: &Fields<'_>) -> String {
    let mut text = String::new();
    for (key, value) in result.metadata.iter().flatten().filter(|(key, _)| fields.has(key)) {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        text.push_str(&format!("{key}: {value}\n"));
    }
    text + result.content.text.as_deref().unwrap_or_default()
}

/// What a retrieval configuration asks for; both operations read it by this name.
pub(crate) type Configuration = KnowledgeBaseRetrievalConfiguration;

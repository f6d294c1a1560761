//! What is known before an answer begins: everything that can be refused is refused here, before a stream has begun.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use outcrop_access::Context;
use outcrop_api::Fault;
use outcrop_api::bedrock_agent_runtime::{RetrievalResultContent, RetrieveAndGenerateRequest, RetrievedReference};
use outcrop_extract::Chunk;
use outcrop_guard::{Acted, Side};
use outcrop_guardrails::{Applied, OwnedPassage};

use super::prompt::Template;
use super::request::{From, Wanted, inference};
use super::session::Turn;
use super::{Answers, external, generate, session, standalone};
use crate::retrieve::{self, Settings};
use crate::{Knowledge, KnowledgeError, keys};

/// A question with what was retrieved for it.
pub(super) struct Prepared {
    pub cx: Context,
    pub knowledge: Knowledge,
    pub input: RetrieveAndGenerateRequest,
    /// The session's id.
    pub session: String,
    /// What was said before.
    pub turns: Vec<Turn>,
    /// What is asked, each so that it can be understood alone.
    pub questions: Vec<String>,
    /// What was retrieved, best first.
    pub passages: Vec<Passage>,
    /// The guardrails that hold for question and answer.
    pub guards: Vec<Arc<Applied>>,
    /// What is said instead of an answer, because a guardrail blocked the question.
    pub blocked: Option<String>,
    /// A model words the answer.
    pub generative: bool,
    /// Whether that model is a provider's.
    pub able: bool,
}

/// A retrieved text.
pub(super) struct Passage {
    pub text: String,
    /// What stands above it: its document's name, then headings, outermost first.
    pub above: Vec<String>,
    pub reference: RetrievedReference,
}

impl Prepared {
    /// Checks the request, opens its session, judges its question and retrieves.
    pub async fn new(
        cx: &Context,
        knowledge: &Knowledge,
        input: RetrieveAndGenerateRequest,
    ) -> Result<Self, KnowledgeError> {
        cx.allow("bedrock:RetrieveAndGenerate", "*")?;
        retrieve::unfiltered(input.user_context.as_ref())?;
        let question = input.input.text.clone();
        if question.trim().is_empty() {
            return Err(KnowledgeError::Validation("The input needs a text that is not empty.".to_owned()));
        }
        let wanted = Wanted::of(input.retrieve_and_generate_configuration.as_ref())?;
        Template::generation(wanted.template)?;
        if let From::Base { orchestration: Some(orchestration), .. } = &wanted.from {
            Template::orchestration(orchestration.prompt_template.as_ref())?;
        }
        inference(wanted.inference, wanted.additional)?;
        let here = knowledge.0.gateway.answers_here(cx, wanted.model).await.map_err(KnowledgeError::Model)?;
        let generative = match knowledge.0.settings.answers {
            Answers::Auto => !here,
            Answers::Extractive => false,
            Answers::Generative => true,
        };
        let base = match &wanted.from {
            From::Base { id, .. } => Some(knowledge.base(cx, "bedrock:Retrieve", id).await?),
            From::External(_) => None,
        };
        if base.as_ref().is_some_and(|base| base.managed) {
            let text = "RetrieveAndGenerate is not supported for MANAGED knowledge bases. Use Retrieve.";
            return Err(KnowledgeError::Validation(text.to_owned()));
        }
        let key = input.session_configuration.as_ref().map(|session| session.kms_key_arn.as_str());
        let session = session::open(cx, knowledge, input.session_id.as_deref(), key).await?;
        let named = wanted.guardrail.map(|one| (one.guardrail_id.as_str(), one.guardrail_version.as_str()));
        let guards = knowledge.0.gateway.guardrails_of(cx, named, wanted.model).await.map_err(KnowledgeError::Model)?;
        let blocked = blocks(&guards, &question).await?;
        let turns = session.value.turns;
        let (mut questions, mut passages) = (vec![question.clone()], Vec::new());
        if blocked.is_none() {
            match (&wanted.from, &base) {
                (From::Base { retrieval, orchestration, .. }, Some(base)) => {
                    let decomposes =
                        orchestration.is_some_and(|given| given.query_transformation_configuration.is_some());
                    let templated = orchestration.is_some_and(|given| given.prompt_template.is_some());
                    questions = vec![standalone::alone(&question, &turns)];
                    if generative && (decomposes || templated || !turns.is_empty()) {
                        let found =
                            generate::queries(cx, knowledge, wanted.model, *orchestration, &question, &turns).await?;
                        if !found.is_empty() {
                            questions = found;
                        }
                    } else if decomposes {
                        questions = standalone::asked(&questions[0]);
                    }
                    if !decomposes {
                        questions.truncate(1);
                    }
                    let settings = Settings::of(knowledge, base, *retrieval)?;
                    passages = searched(cx, knowledge, base, &questions, &settings).await?;
                }
                (From::External(source), _) => {
                    questions = vec![standalone::alone(&question, &turns)];
                    let (chunks, location) = external::read(cx, knowledge, source, &questions[0]).await?;
                    passages.extend(chunks.into_iter().map(|Chunk { text, headings, .. }| Passage {
                        above: headings,
                        reference: RetrievedReference {
                            content: Some(RetrievalResultContent { text: Some(text.clone()), ..Default::default() }),
                            location: Some(location.clone()),
                            metadata: None,
                        },
                        text,
                    }));
                }
                (From::Base { .. }, None) => {}
            }
        }
        let (cx, knowledge, session) = (cx.clone(), knowledge.clone(), session.id);
        Ok(Self { cx, knowledge, session, turns, questions, passages, guards, blocked, generative, able: !here, input })
    }

    /// What parts refer to, by place.
    pub fn references(&self) -> Vec<RetrievedReference> {
        self.passages.iter().map(|passage| passage.reference.clone()).collect()
    }
}

/// What the first guardrail that blocks the question says.
async fn blocks(guards: &[Arc<Applied>], question: &str) -> Result<Option<String>, KnowledgeError> {
    for guard in guards {
        let judged = guard.inline(Side::Input, vec![OwnedPassage::content(question)]).await;
        let judged = judged.map_err(|error| KnowledgeError::Model(Fault::of(&error)))?;
        if judged.acted() == Acted::Blocked {
            return Ok(Some(guard.blocked(Side::Input).to_owned()));
        }
    }
    Ok(None)
}

/// What fits the questions best: for several, each chunk once with its best score.
async fn searched(
    cx: &Context,
    knowledge: &Knowledge,
    base: &crate::Base,
    questions: &[String],
    settings: &Settings<'_>,
) -> Result<Vec<Passage>, KnowledgeError> {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut found: Vec<retrieve::Found> = Vec::new();
    for question in questions {
        for one in retrieve::search(cx, knowledge, base, question, settings).await? {
            let text = one.result.content.text.clone().unwrap_or_default();
            match places.get(&text).and_then(|at| found.get_mut(*at)) {
                Some(known) if known.result.score < one.result.score => known.result.score = one.result.score,
                Some(_) => {}
                None => {
                    places.insert(text, found.len());
                    found.push(one);
                }
            }
        }
    }
    if questions.len() > 1 {
        let score = |found: &retrieve::Found| found.result.score.unwrap_or_default();
        found.sort_by(|a, b| score(b).total_cmp(&score(a)));
    }
    let passages = found.into_iter().map(|retrieve::Found { result, headings }| Passage {
        above: result.metadata.as_ref().and_then(name).into_iter().chain(headings).collect(),
        text: result.content.text.clone().unwrap_or_default(),
        reference: RetrievedReference {
            content: Some(result.content),
            location: result.location,
            metadata: result.metadata,
        },
    });
    Ok(passages.collect())
}

/// The name of a document in words: the last part of its address, without its ending.
fn name(metadata: &BTreeMap<String, serde_json::Value>) -> Option<String> {
    let uri = metadata.get(keys::SOURCE_URI).or_else(|| metadata.get(keys::MANAGED_URI))?.as_str()?;
    let name = uri.trim_end_matches('/').rsplit('/').next()?;
    let name = name.rsplit_once('.').map_or(name, |(name, _)| name).replace(['-', '_', '+'], " ");
    Some(name).filter(|name| !name.trim().is_empty())
}

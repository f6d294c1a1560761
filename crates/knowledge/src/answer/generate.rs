//! Answers and queries that a model writes.

use futures_util::StreamExt;
use outcrop_api::bedrock_agent_runtime::OrchestrationConfiguration;
use outcrop_api::bedrock_runtime::{
    ContentBlock, ContentBlockDelta, ConversationRole, ConverseOutput, ConverseRequest, ConverseStreamOutput,
    ConverseStreamRequest, InferenceConfiguration, Message, SystemContentBlock,
};

use super::prompt::Template;
use super::request::{Wanted, inference, performance};
use super::session::Turn;
use super::standalone::MOST;
use super::written::{Reader, Written};
use crate::{Knowledge, KnowledgeError};
use outcrop_access::Context;

/// Tokens of an answer where the caller does not say (Bedrock's default for knowledge bases).
const TOKENS: i32 = 2_048;

/// A request of a model, whole.
pub(super) struct Request(ConverseStreamRequest);

impl Request {
    /// Asks for an answer to `question` from `passages`.
    pub fn new(
        wanted: &Wanted<'_>,
        question: &str,
        turns: &[Turn],
        passages: &[&str],
    ) -> Result<(Self, bool), KnowledgeError> {
        let template = Template::generation(wanted.template)?;
        let asked = inference(wanted.inference, wanted.additional)?.unwrap_or_default();
        let inference_config = InferenceConfiguration {
            max_tokens: asked.max_tokens.or(Some(TOKENS)),
            // Answers are copied from what was found; nothing is gained by chance.
            temperature: asked.temperature.or(Some(0.0)),
            ..asked
        };
        let mut messages: Vec<Message> = Vec::new();
        for turn in turns {
            messages.push(said(ConversationRole::User, &turn.question));
            messages.push(said(ConversationRole::Assistant, &turn.answer));
        }
        messages.push(said(ConversationRole::User, question));
        let request = ConverseStreamRequest {
            model_id: wanted.model.to_owned(),
            system: Some(vec![SystemContentBlock::Text(template.answer(question, passages))]),
            messages: Some(messages),
            inference_config: Some(inference_config),
            performance_config: performance(wanted.performance),
            additional_model_request_fields: wanted.additional.map(|fields| fields.clone().into_iter().collect()),
            ..Default::default()
        };
        Ok((Self(request), template.cites()))
    }
}

fn said(role: ConversationRole, text: &str) -> Message {
    Message { role, content: vec![ContentBlock::Text(text.to_owned())] }
}

/// Has the model answer, and gives each part to `told` when it is whole; `told` ends the answer by answering false.
pub(super) async fn answer<F>(
    cx: &Context,
    knowledge: &Knowledge,
    request: Request,
    passages: usize,
    mut told: impl FnMut(Written) -> F,
) -> Result<(), KnowledgeError>
where
    F: Future<Output = bool>,
{
    let (_, mut events) = knowledge.0.gateway.converse_stream(cx, request.0).await.map_err(KnowledgeError::Model)?;
    let mut reader = Reader::new(passages);
    while let Some(event) = events.next().await {
        let ConverseStreamOutput::ContentBlockDelta(delta) = event.map_err(KnowledgeError::Model)? else { continue };
        let ContentBlockDelta::Text(text) = delta.delta else { continue };
        for part in reader.push(&text) {
            if !told(part).await {
                return Ok(());
            }
        }
    }
    for part in reader.finish() {
        if !told(part).await {
            return Ok(());
        }
    }
    Ok(())
}

/// Has the model write the queries to search by; none where it wrote none.
pub(super) async fn queries(
    cx: &Context,
    knowledge: &Knowledge,
    model: &str,
    orchestration: Option<&OrchestrationConfiguration>,
    question: &str,
    turns: &[Turn],
) -> Result<Vec<String>, KnowledgeError> {
    let template = Template::orchestration(orchestration.and_then(|given| given.prompt_template.as_ref()))?;
    let additional = orchestration.and_then(|given| given.additional_model_request_fields.as_ref());
    let asked = inference(orchestration.and_then(|given| given.inference_config.as_ref()), additional)?;
    let asked = asked.unwrap_or(InferenceConfiguration { temperature: Some(0.0), ..Default::default() });
    let request = ConverseRequest {
        model_id: model.to_owned(),
        system: Some(vec![SystemContentBlock::Text(template.queries(question, turns))]),
        messages: Some(vec![said(ConversationRole::User, question)]),
        inference_config: Some(InferenceConfiguration { max_tokens: asked.max_tokens.or(Some(300)), ..asked }),
        performance_config: performance(orchestration.and_then(|given| given.performance_config.as_ref())),
        additional_model_request_fields: additional.map(|fields| fields.clone().into_iter().collect()),
        ..Default::default()
    };
    let reply = knowledge.0.gateway.converse(cx, request).await.map_err(KnowledgeError::Model)?;
    let ConverseOutput::Message(message) = reply.output.output else { return Ok(Vec::new()) };
    let mut text = String::new();
    for block in message.content {
        if let ContentBlock::Text(own) = block {
            text.push_str(&own);
        }
    }
    let found = text.split("<query>").skip(1).filter_map(|part| part.split("</query>").next());
    let found = found.map(str::trim).filter(|query| !query.is_empty()).take(MOST);
    Ok(found.map(str::to_owned).collect())
}

//! A model as a guardrail's further judge: how it is asked, and how its answer is read.
//!
//! Any model is asked for JSON by a schema. Models that were made to judge are asked in their own formats, told by their
//! ids: Llama Guard answers `safe` or `unsafe` and codes of hazards, ShieldGemma `Yes` or `No` to one principle at a
//! time.

mod formats;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::try_join_all;
use outcrop_access::{Context, Permissions, ResourcePolicies};
use outcrop_api::bedrock_runtime::{
    ContentBlock, ConversationRole, ConverseOutput, ConverseRequest, InferenceConfiguration, JsonSchemaDefinition,
    Message, OutputConfig, OutputFormat, OutputFormatStructure, OutputFormatType, SystemContentBlock,
};
use outcrop_guard::Verdict;
use outcrop_guardrails::judge::{Judge, Question};

use crate::Gateway;
use formats::Format;

/// The most tokens of a verdict.
const TOKENS: i32 = 500;

/// Asks models through a gateway that has no guardrails, so that no judge is judged.
pub struct Models(Arc<Gateway>);

impl Models {
    /// Asks the models of `gateway`.
    pub fn new(gateway: Gateway) -> Self {
        Self(Arc::new(Gateway { guardrails: None, ..gateway }))
    }

    /// What the model answers to one prompt.
    async fn says(&self, cx: &Context, model: &str, prompt: formats::Prompt) -> Result<String, String> {
        let text = |text: String| ContentBlock::Text(text);
        let messages = prompt.turns.into_iter().enumerate().map(|(at, said)| Message {
            role: if at % 2 == 0 { ConversationRole::User } else { ConversationRole::Assistant },
            content: vec![text(said)],
        });
        let schema = prompt.schema.map(|schema| OutputConfig {
            text_format: Some(OutputFormat {
                r#type: OutputFormatType::JsonSchema,
                structure: OutputFormatStructure::JsonSchema(JsonSchemaDefinition {
                    schema: schema.to_string(),
                    name: Some("verdict".to_owned()),
                    description: None,
                }),
            }),
            effort: None,
        });
        let request = ConverseRequest {
            model_id: model.to_owned(),
            messages: Some(messages.collect()),
            system: prompt.system.map(|system| vec![SystemContentBlock::Text(system)]),
            inference_config: Some(InferenceConfiguration {
                max_tokens: Some(TOKENS),
                temperature: Some(0.0),
                ..InferenceConfiguration::default()
            }),
            output_config: schema,
            ..ConverseRequest::default()
        };
        let answer = self.0.converse(cx, request).await.map_err(|fault| fault.message)?;
        let ConverseOutput::Message(message) = answer.output.output else { return Ok(String::new()) };
        let said = message.content.into_iter().filter_map(|block| match block {
            ContentBlock::Text(text) => Some(text),
            _ => None,
        });
        Ok(said.collect())
    }
}

#[async_trait]
impl Judge for Models {
    async fn judge(&self, question: Question<'_>) -> Result<Verdict, String> {
        // The server's configuration names the judge, so its call needs no permission of the caller's; it is the
        // caller's in all that is counted.
        let tags = question.cx.permissions.tags.clone();
        let cx = Context {
            permissions: Arc::new(Permissions { tags, ..Permissions::default() }),
            resource_policies: ResourcePolicies::default(),
            operation: "GuardrailJudge",
            ..question.cx.clone()
        };
        let format = Format::of(question.model);
        let asked = format.prompts(&question).into_iter().map(|(about, prompt)| {
            let cx = &cx;
            async move { Ok::<_, String>((about, self.says(cx, question.model, prompt).await?)) }
        });
        let mut verdict = Verdict::default();
        for (about, answer) in try_join_all(asked).await? {
            format.read(&question, about, &answer, &mut verdict)?;
        }
        Ok(verdict)
    }
}

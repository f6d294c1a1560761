//! What the port answers besides the operations of the four services. The pipeline asks here, so that a new door is in
//! the list by which `outcrop doctor --routes` and the walk over every route know it.

#[cfg(test)]
mod tests;

use crate::pipeline::HEALTH;

/// A path that belongs to no operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// Liveness.
    Health,
    /// STS and the parts of other AWS services, in the protocols that all share one path.
    Aws,
    /// The same services, in the protocol that has a path for each operation.
    AwsCbor,
    /// What is counted, for Prometheus.
    Metrics,
    /// How budgets stand.
    Budgets,
    /// OpenAI's chat completions.
    ChatCompletions,
    /// OpenAI's embeddings.
    Embeddings,
    /// OpenAI's list of models.
    Models,
    /// One of them.
    Model,
    /// OpenAI's responses.
    Responses,
    /// A stored one.
    Response,
    /// Its end, before it is made.
    CancelResponse,
    /// What it answered.
    ResponseInput,
    /// Anthropic's messages.
    Messages,
    /// Their tokens, counted.
    MessageTokens,
    /// Anthropic's list of models.
    AnthropicModels,
    /// One of them.
    AnthropicModel,
    /// What was spent.
    Cost,
    /// What could be saved.
    CostAdvice,
    /// What became of tasks.
    Outcomes,
    /// Why a guardrail judges a text as it does.
    ExplainGuardrail,
}

/// Whose words a door speaks, errors included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaks {
    /// Its own, or those of the AWS protocols.
    Aws,
    /// OpenAI's.
    OpenAi,
    /// Anthropic's.
    Anthropic,
}

impl Speaks {
    /// What the answer to any request for `path` must speak, a path without a door included.
    pub fn at(path: &str) -> Self {
        if path.starts_with("/v1/") || path.starts_with("/openai/v1/") {
            Self::OpenAi
        } else if path.starts_with("/anthropic/") {
            Self::Anthropic
        } else {
            Self::Aws
        }
    }
}

impl Door {
    /// All of them.
    pub const ALL: [Self; 21] = [
        Self::Health,
        Self::Aws,
        Self::AwsCbor,
        Self::Metrics,
        Self::Budgets,
        Self::ChatCompletions,
        Self::Embeddings,
        Self::Models,
        Self::Model,
        Self::Responses,
        Self::Response,
        Self::CancelResponse,
        Self::ResponseInput,
        Self::Messages,
        Self::MessageTokens,
        Self::AnthropicModels,
        Self::AnthropicModel,
        Self::Cost,
        Self::CostAdvice,
        Self::Outcomes,
        Self::ExplainGuardrail,
    ];

    /// The door at `path`, and the id in it, raw.
    pub fn at(path: &str) -> Option<(Self, &str)> {
        Self::ALL.into_iter().find_map(|door| door.paths().iter().find_map(|one| Some((door, door.id(one, path)?))))
    }

    /// Its paths. `{id}` stands for one segment, or for the rest where it is a model's (ARNs have slashes) or names a
    /// service and its operation.
    pub const fn paths(self) -> &'static [&'static str] {
        match self {
            Self::Health => &[HEALTH],
            Self::Aws => &["/"],
            Self::AwsCbor => &["/service/{id}"],
            Self::Metrics => &["/metrics"],
            Self::Budgets => &["/outcrop/budgets"],
            Self::ChatCompletions => &["/v1/chat/completions", "/openai/v1/chat/completions"],
            Self::Embeddings => &["/v1/embeddings", "/openai/v1/embeddings"],
            Self::Models => &["/v1/models", "/openai/v1/models"],
            Self::Model => &["/v1/models/{id}", "/openai/v1/models/{id}"],
            Self::Responses => &["/v1/responses", "/openai/v1/responses"],
            Self::Response => &["/v1/responses/{id}", "/openai/v1/responses/{id}"],
            Self::CancelResponse => &["/v1/responses/{id}/cancel", "/openai/v1/responses/{id}/cancel"],
            Self::ResponseInput => &["/v1/responses/{id}/input_items", "/openai/v1/responses/{id}/input_items"],
            Self::Messages => &["/anthropic/v1/messages"],
            Self::MessageTokens => &["/anthropic/v1/messages/count_tokens"],
            Self::AnthropicModels => &["/anthropic/v1/models"],
            Self::AnthropicModel => &["/anthropic/v1/models/{id}"],
            Self::Cost => &["/outcrop/cost"],
            Self::CostAdvice => &["/outcrop/cost/advise"],
            Self::Outcomes => &["/outcrop/outcomes"],
            Self::ExplainGuardrail => &["/outcrop/guardrails/explain"],
        }
    }

    /// The methods it takes, but for HEAD, which is a GET without its body.
    pub const fn methods(self) -> &'static [&'static str] {
        match self {
            Self::Aws => &["GET", "POST"],
            Self::Response => &["GET", "DELETE"],
            Self::AwsCbor
            | Self::ChatCompletions
            | Self::Embeddings
            | Self::Responses
            | Self::CancelResponse
            | Self::Messages
            | Self::MessageTokens
            | Self::Outcomes
            | Self::ExplainGuardrail => &["POST"],
            Self::Health
            | Self::Metrics
            | Self::Budgets
            | Self::Models
            | Self::Model
            | Self::ResponseInput
            | Self::AnthropicModels
            | Self::AnthropicModel
            | Self::Cost
            | Self::CostAdvice => &["GET"],
        }
    }

    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Health => "health",
            Self::Aws => "aws",
            Self::AwsCbor => "aws-cbor",
            Self::Metrics => "metrics",
            Self::Budgets => "budgets",
            Self::ChatCompletions => "openai-chat-completions",
            Self::Embeddings => "openai-embeddings",
            Self::Models => "openai-models",
            Self::Model => "openai-model",
            Self::Responses => "openai-responses",
            Self::Response => "openai-response",
            Self::CancelResponse => "openai-cancel-response",
            Self::ResponseInput => "openai-response-input",
            Self::Messages => "anthropic-messages",
            Self::MessageTokens => "anthropic-count-tokens",
            Self::AnthropicModels => "anthropic-models",
            Self::AnthropicModel => "anthropic-model",
            Self::Cost => "cost",
            Self::CostAdvice => "cost-advice",
            Self::Outcomes => "outcomes",
            Self::ExplainGuardrail => "explain-guardrail",
        }
    }

    fn id<'p>(self, template: &str, path: &'p str) -> Option<&'p str> {
        let Some((before, after)) = template.split_once("{id}") else { return (template == path).then_some("") };
        let id = path.strip_prefix(before)?.strip_suffix(after)?;
        let slashes = matches!(self, Self::Model | Self::AnthropicModel | Self::AwsCbor);
        (!id.is_empty() && (slashes || !id.contains('/'))).then_some(id)
    }
}

//! A guardrail as one call has it.

use std::sync::Arc;

use outcrop_guard::{Guard, Role, Side};

use crate::{GuardrailsError, Judgement};

/// Who wants a guardrail on a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// The call itself.
    Request,
    /// The account, for all of its calls.
    Account,
    /// The operator, for all accounts.
    Operator,
}

/// How much of a call an enforced guardrail looks at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Guarding {
    /// Everything, whatever the call marks.
    #[default]
    Comprehensive,
    /// What the call marks, as with a guardrail of its own.
    Selective,
}

/// The same for both parts of a prompt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Selective {
    /// System prompts.
    pub system: Guarding,
    /// Messages.
    pub messages: Guarding,
}

/// One text of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedPassage {
    /// The text.
    pub text: String,
    /// What it is.
    pub role: Role,
}

impl OwnedPassage {
    /// A text to be judged.
    pub fn content(text: impl Into<String>) -> Self {
        Self { text: text.into(), role: Role::Content }
    }
}

/// A guardrail that a call has.
#[derive(Clone)]
pub struct Applied {
    /// Its id, under which traces list what it said.
    pub id: String,
    /// Its version: a number or `DRAFT`.
    pub version: String,
    /// Its ARN.
    pub arn: String,
    /// Who wants it.
    pub origin: Origin,
    /// How much of the call it looks at; by the call's own marks where the call wants it.
    pub selective: Option<Selective>,
    /// Its compiled policy.
    pub guard: Arc<Guard>,
    /// What is said instead of what the caller sent.
    pub blocked_input: Arc<str>,
    /// What is said instead of what the model answered.
    pub blocked_output: Arc<str>,
    /// Of another account, which shares it.
    pub foreign: bool,
}

impl Applied {
    /// The version `version` of the guardrail `arn`, for a call that names it itself.
    pub fn new(arn: &str, version: &str, guard: Arc<Guard>, blocked_input: &str, blocked_output: &str) -> Self {
        let id = arn.rsplit('/').next().unwrap_or_default();
        Self {
            id: id.to_owned(),
            version: version.to_owned(),
            arn: arn.to_owned(),
            origin: Origin::Request,
            selective: None,
            guard,
            blocked_input: blocked_input.into(),
            blocked_output: blocked_output.into(),
            foreign: false,
        }
    }

    /// What is said instead of a blocked text.
    pub fn blocked(&self, side: Side) -> &str {
        match side {
            Side::Input => &self.blocked_input,
            Side::Output => &self.blocked_output,
        }
    }

    /// What it says of `passages` on their way to `side`. Judging is work for a processor and has threads of its own;
    /// whoever awaits it holds up nobody.
    pub async fn assess(&self, side: Side, passages: Vec<OwnedPassage>) -> Result<Judgement, GuardrailsError> {
        let _ = (side, passages);
        Err(GuardrailsError::Failed { arn: self.arn.clone(), reason: "not wired yet".to_owned() })
    }
}

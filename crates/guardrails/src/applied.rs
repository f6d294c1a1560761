//! A guardrail as one call has it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use outcrop_access::Context;
use outcrop_guard::content::Category;
use outcrop_guard::{Assessment, Depth, Guard, How, Passage, Role, Side};

use crate::GuardrailsError;
use crate::judge::Rule;
use crate::judgement::Judgement;
use crate::service::Around;
use crate::turns::{Judges, Work};

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

    pub(crate) fn borrowed(&self) -> Passage<'_> {
        Passage { text: &self.text, role: self.role }
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
    /// A filter of it asks for images that go to the model to be judged, which is not built.
    pub images: bool,
    /// Of another account, which shares it.
    pub foreign: bool,
    /// Where it judges.
    pub judges: Judges,
    /// How it judges, beside its policy.
    pub how: How,
    pub(crate) whose: Arc<Whose>,
}

/// The call that has it, and what stands around that.
pub(crate) struct Whose {
    pub(crate) account: String,
    pub(crate) region: String,
    /// The call itself, where models are asked for it.
    pub(crate) cx: Option<Context>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) around: Around,
}

impl Applied {
    /// What is said instead of a blocked text.
    pub fn blocked(&self, side: Side) -> &str {
        match side {
            Side::Input => &self.blocked_input,
            Side::Output => &self.blocked_output,
        }
    }

    /// The same without a filter.
    #[must_use]
    pub fn without(&self, category: Category) -> Self {
        Self { guard: Arc::new(self.guard.without(category)), ..self.clone() }
    }

    /// The same, with so much explained.
    #[must_use]
    pub fn explaining(&self, explain: Depth) -> Self {
        Self { how: How { explain, ..self.how }, ..self.clone() }
    }

    /// What it says of a call's `passages`: within the quotas of text units, and counted in the metrics. What a model
    /// answered is judged whatever the quotas say, and counts against those who come next.
    pub async fn inline(&self, side: Side, passages: Vec<OwnedPassage>) -> Result<Judgement, GuardrailsError> {
        let began = Instant::now();
        let admitted = if side == Side::Input { self.admit(side, &passages) } else { Ok(()) };
        let answer = match admitted {
            Ok(()) => self.assess(side, passages).await,
            Err(error) => Err(error),
        };
        self.count(side, began.elapsed(), answer.as_ref());
        if let (Side::Output, Ok(judged)) = (side, &answer) {
            self.owes(judged);
        }
        answer
    }

    /// The same of a window of an answer that is still arriving, of which it has `found` so much itself.
    pub async fn window(&self, text: &str, found: Assessment, took: Duration) -> Judgement {
        let mut judged = Judgement { found, side: Side::Output, took };
        if self.asks(Side::Output) {
            let began = Instant::now();
            let passages = [OwnedPassage::content(text)];
            let heard = self.hear(Side::Output, &passages).await;
            self.merge(&mut judged, &passages, &heard);
            judged.took = took.max(began.elapsed());
        }
        self.count(Side::Output, judged.took, Ok(&judged));
        self.owes(&judged);
        judged
    }

    /// What it says of `passages` on their way to `side`, and what the models say that it asks beside itself.
    pub async fn assess(&self, side: Side, passages: Vec<OwnedPassage>) -> Result<Judgement, GuardrailsError> {
        if !self.asks(side) {
            return self.built_in(side, passages).await;
        }
        let began = Instant::now();
        let (judged, heard) = tokio::join!(self.built_in(side, passages.clone()), self.hear(side, &passages));
        let mut judged = judged?;
        self.merge(&mut judged, &passages, &heard);
        judged.took = began.elapsed();
        Ok(judged)
    }

    /// Judging is work for a processor and has threads of its own; whoever awaits it holds up nobody.
    async fn built_in(&self, side: Side, passages: Vec<OwnedPassage>) -> Result<Judgement, GuardrailsError> {
        let (judges, arn, guard, how) = (self.judges.clone(), self.arn.clone(), Arc::clone(&self.guard), self.how);
        let judged = self.judges.run(Work::of(&guard, side, &passages), move |asked| {
            let began = Instant::now();
            let passages: Vec<_> = passages.iter().map(OwnedPassage::borrowed).collect();
            let found = judges.judge(&arn, &guard, how, side, &passages, asked)?;
            Ok::<_, GuardrailsError>((found, began.elapsed()))
        });
        let (found, took) = judged.await??;
        Ok(Judgement { found, side, took })
    }
}

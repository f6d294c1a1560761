//! A guardrail as one call has it.

use std::sync::Arc;
use std::time::Instant;

use outcrop_guard::content::Classifier;
use outcrop_guard::explain::{Explained, explain};
use outcrop_guard::{Assessment, Encoder, Failed, Guard, Passage, Role, Side};
use tokio::sync::Semaphore;

use crate::GuardrailsError;
use crate::judgement::Judgement;
use crate::service::{OnFailure, without_encoder};

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

    fn borrowed(&self) -> Passage<'_> {
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
}

impl Applied {
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
        let (judges, arn, guard) = (self.judges.clone(), self.arn.clone(), Arc::clone(&self.guard));
        let judged = self.judges.run(move || {
            let began = Instant::now();
            let passages: Vec<_> = passages.iter().map(OwnedPassage::borrowed).collect();
            let found = judges.judge(&arn, &guard, side, &passages)?;
            Ok::<_, GuardrailsError>((found, began.elapsed()))
        });
        let (found, took) = judged.await??;
        Ok(Judgement { found, side, took })
    }

    /// The same, and why.
    pub async fn explain(
        &self,
        side: Side,
        passages: Vec<OwnedPassage>,
    ) -> Result<(Judgement, Vec<Explained>), GuardrailsError> {
        let judgement = self.assess(side, passages.clone()).await?;
        let (arn, guard, found) = (self.arn.clone(), Arc::clone(&self.guard), judgement.found.clone());
        let explained = self.judges.run(move || {
            let passages: Vec<_> = passages.iter().map(OwnedPassage::borrowed).collect();
            explain(&guard, &passages, &found)
        });
        let explained = explained.await?.map_err(|error| GuardrailsError::Failed { arn, reason: error.to_string() })?;
        Ok((judgement, explained))
    }
}

/// Where texts are judged. Judging keeps a processor busy for milliseconds, so it runs on threads that may block, and as
/// many at a time as there are processors: more would only make each slower, and those who wait are served in turn.
#[derive(Clone)]
pub struct Judges {
    places: Arc<Semaphore>,
    on_failure: OnFailure,
    encoder: Arc<dyn Encoder>,
    classifier: Arc<Classifier>,
}

impl Judges {
    pub(crate) fn new(on_failure: OnFailure, encoder: Arc<dyn Encoder>, classifier: Arc<Classifier>) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self { places: Arc::new(Semaphore::new(processors)), on_failure, encoder, classifier }
    }

    /// Whether a text that could not be judged may go on.
    pub fn lets_through(&self) -> bool {
        self.on_failure == OnFailure::Allow
    }

    /// The encoder.
    pub(crate) fn encoder(&self) -> &Arc<dyn Encoder> {
        &self.encoder
    }

    /// The filters.
    pub(crate) fn classifier(&self) -> &Arc<Classifier> {
        &self.classifier
    }

    /// Runs `work` when its turn comes. Work that nobody waits for any more still keeps its place until it is done.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> outcrop_resources::Result<T> {
        let ended = |error: &dyn std::fmt::Display| outcrop_resources::Error::Internal(error.to_string());
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|error| ended(&error))?;
        let done = tokio::task::spawn_blocking(move || {
            let _place = place;
            work()
        });
        done.await.map_err(|error| ended(&error))
    }

    /// What `guard` says, or what it says without its policies that need an encoder, where that is allowed.
    fn judge(
        &self,
        arn: &str,
        guard: &Guard,
        side: Side,
        passages: &[Passage<'_>],
    ) -> Result<Assessment, GuardrailsError> {
        let failed = |reason: String| GuardrailsError::Failed { arn: arn.to_owned(), reason };
        match guard.assess(side, passages) {
            Ok(found) => Ok(found),
            Err(Failed::NoGroundingSource) => Err(GuardrailsError::NoGroundingSource),
            Err(error) if self.on_failure == OnFailure::Allow => {
                tracing::error!(guardrail = arn, %error, "only words, PII and expressions were judged");
                let rest = without_encoder(guard.policy());
                let rest = Guard::new(rest, Arc::clone(&self.encoder), Arc::clone(&self.classifier));
                let rest = rest.map_err(|error| failed(error.to_string()))?;
                rest.assess(side, passages).map_err(|error| failed(error.to_string()))
            }
            Err(error) => {
                tracing::error!(guardrail = arn, %error, "a text could not be judged: its call is refused");
                Err(failed(error.to_string()))
            }
        }
    }
}

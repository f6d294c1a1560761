//! Whose turn it is to be judged, and for how long.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use outcrop_guard::content::Classifier;
use outcrop_guard::{Assessment, EncodeError, Encoded, Encoder, Failed, Guard, How, Passage, Side};
use tokio::sync::Semaphore;

use crate::GuardrailsError;
use crate::applied::OwnedPassage;
use crate::service::OnFailure;

/// Where texts are judged. Judging keeps a processor busy, so it runs on threads that may block, of each kind of work as
/// many at a time as there are processors: more would only make each slower. Those who wait are served in turn, the quick
/// not behind the long.
#[derive(Clone)]
pub struct Judges {
    quick: Arc<Semaphore>,
    short: Arc<Semaphore>,
    long: Arc<Semaphore>,
    on_failure: OnFailure,
    encoder: Arc<dyn Encoder>,
    classifier: Arc<Classifier>,
}

/// The most characters of a text that is short.
const SHORT: usize = 10_000;

/// How long a processor is busy with something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Words, PII and expressions are looked up.
    Quick,
    /// A text is judged of at most 10,000 characters.
    Short,
    /// A longer one is judged. This has half of the processors at most.
    Long,
}

impl Work {
    pub(crate) fn of(guard: &Guard, side: Side, passages: &[OwnedPassage]) -> Self {
        if guard.judges(side) {
            Self::judging(passages.iter().map(|passage| passage.text.as_str()))
        } else {
            Self::Quick
        }
    }

    /// Judging `texts` by their meaning.
    pub fn judging<'a>(texts: impl Iterator<Item = &'a str>) -> Self {
        if texts.map(|text| text.chars().count()).sum::<usize>() > SHORT { Self::Long } else { Self::Short }
    }
}

/// Somebody waits for work, until this is dropped.
struct Waits(Arc<AtomicBool>);

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

/// The encoder, for as long as somebody waits for what it is asked for: a long text whose caller has left is not read to
/// its end.
pub struct Asked {
    encoder: Arc<dyn Encoder>,
    left: Arc<AtomicBool>,
}

impl Asked {
    /// Whether nobody waits any more.
    fn in_vain(&self) -> bool {
        self.left.load(Relaxed)
    }
}

impl Encoder for Asked {
    fn encode(&self, texts: &[&str]) -> Result<Vec<Encoded>, EncodeError> {
        if self.in_vain() {
            return Err(EncodeError("nobody waits for the answer any more".to_owned()));
        }
        self.encoder.encode(texts)
    }
}

impl Judges {
    pub(crate) fn new(on_failure: OnFailure, encoder: Arc<dyn Encoder>, classifier: Arc<Classifier>) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let places = |count: usize| Arc::new(Semaphore::new(count.max(1)));
        let (quick, short, long) = (places(processors), places(processors), places(processors / 2));
        Self { quick, short, long, on_failure, encoder, classifier }
    }

    /// Whether a text that could not be judged may go on.
    pub fn lets_through(&self) -> bool {
        self.on_failure == OnFailure::Allow
    }

    /// The filters.
    pub(crate) fn classifier(&self) -> &Arc<Classifier> {
        &self.classifier
    }

    /// Does `what` when the turn of such `work` comes, with an encoder that stops when nobody waits any more.
    pub async fn run<T: Send + 'static>(
        &self,
        work: Work,
        what: impl FnOnce(Arc<Asked>) -> T + Send + 'static,
    ) -> outcrop_resources::Result<T> {
        let ended = |error: &dyn std::fmt::Display| outcrop_resources::Error::Internal(error.to_string());
        let places = match work {
            Work::Quick => &self.quick,
            Work::Short => &self.short,
            Work::Long => &self.long,
        };
        let place = Arc::clone(places).acquire_owned().await.map_err(|error| ended(&error))?;
        let waits = Waits(Arc::default());
        let asked = Asked { encoder: Arc::clone(&self.encoder), left: Arc::clone(&waits.0) };
        let done = tokio::task::spawn_blocking(move || {
            let _place = place;
            what(Arc::new(asked))
        });
        done.await.map_err(|error| ended(&error))
    }

    /// What `guard` says, or what it says without its policies that need an encoder, where that is allowed.
    pub(crate) fn judge(
        &self,
        arn: &str,
        guard: &Guard,
        how: How,
        side: Side,
        passages: &[Passage<'_>],
        asked: Arc<Asked>,
    ) -> Result<Assessment, GuardrailsError> {
        let failed = |reason: String| GuardrailsError::Failed { arn: arn.to_owned(), reason };
        match guard.asking(Arc::clone(&asked) as Arc<dyn Encoder>).assess_as(how, side, passages) {
            Ok(found) => Ok(found),
            Err(error) if asked.in_vain() => Err(failed(error.to_string())),
            Err(Failed::NoGroundingSource) => Err(GuardrailsError::NoGroundingSource),
            Err(error) if self.on_failure == OnFailure::Allow => {
                tracing::error!(guardrail = arn, %error, "only words, PII and expressions were judged");
                let rest = guard.without_encoder().assess_as(how, side, passages);
                rest.map_err(|error| failed(error.to_string()))
            }
            Err(error) => {
                tracing::error!(guardrail = arn, %error, "a text could not be judged: its call is refused");
                Err(failed(error.to_string()))
            }
        }
    }
}

#[cfg(test)]
mod tests;

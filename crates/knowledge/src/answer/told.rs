//! From what is known to what is told: whether there is an answer, in whose words, and what guardrails leave of it.

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};

use outcrop_api::Fault;
use outcrop_guard::{Acted, EncodeError, Role, Side};
use outcrop_guardrails::OwnedPassage;
use tokio::sync::mpsc::Sender;

use super::evidence::Source;
use super::extractive::{self, Said};
use super::generate::{self, Request};
use super::prepare::Prepared;
use super::prompt::Template;
use super::request::Wanted;
use super::session::Turn;
use super::{Part, REFUSAL, cited, session, standalone};
use crate::KnowledgeError;

/// An answer is not asked of a model of this process where the passages are less likely to hold one than this. Models put
/// together what stands in several sentences, so that less is needed than for an answer in one of them. A provider's model
/// is always asked: it finds what other words say, or another language, and what it writes is checked.
const HOPELESS: f64 = 0.10;
/// Characters of passages that contextual grounding compares (AWS's quota).
const SOURCE: usize = 100_000;

/// What is told of an answer, in order.
#[derive(Debug)]
pub(super) enum Told {
    /// The next part.
    Part(Part),
    /// All that is said: a refusal, or a guardrail's words.
    Instead(String),
    /// A guardrail changed or stopped it.
    Intervened,
}

/// Tells the answer, and keeps it in the session; not what a guardrail stopped, for the next question would ask it again.
pub(super) async fn tell(prepared: Prepared, to: Sender<Told>) -> Result<(), KnowledgeError> {
    let (answer, end) = told(&prepared, &to).await?;
    if prepared.blocked.is_none() {
        let turn = Turn { question: prepared.input.input.text.clone(), answer };
        session::keep(&prepared.cx, &prepared.knowledge, &prepared.session, turn).await?;
    }
    for one in end {
        // Nobody listens any more: the answer is kept all the same.
        let _ = to.send(one).await;
    }
    Ok(())
}

/// The whole answer, and what of it is still to be told.
async fn told(prepared: &Prepared, to: &Sender<Told>) -> Result<(String, Vec<Told>), KnowledgeError> {
    if let Some(words) = &prepared.blocked {
        return Ok((words.clone(), vec![Told::Intervened, Told::Instead(words.clone())]));
    }
    let refusal = || (REFUSAL.to_owned(), vec![Told::Instead(REFUSAL.to_owned())]);
    if prepared.passages.is_empty() {
        return Ok(refusal());
    }
    let said = weighed(prepared).await?;
    let likely = said.iter().map(|said| said.confidence).fold(0.0, f64::max);
    tracing::debug!(likely, generative = prepared.generative, "evidence was weighed");
    let mut parts = Vec::new();
    if prepared.generative && (prepared.able || likely >= HOPELESS) {
        let open = prepared.guards.is_empty().then_some(to);
        parts = written(prepared, open).await?;
        if open.is_some() && !parts.is_empty() {
            return Ok((joined(&parts), Vec::new()));
        }
    }
    if parts.is_empty() {
        let wanted = Wanted::of(prepared.input.retrieve_and_generate_configuration.as_ref())?;
        parts = extracts(said, Template::generation(wanted.template)?.cites());
    }
    if parts.is_empty() {
        return Ok(refusal());
    }
    guarded(prepared, parts).await
}

/// The sentences that answer, each once. Without the instructions for its form, an answer has no sources.
fn extracts(said: Vec<Said>, cites: bool) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for mut part in said.into_iter().filter(|said| said.answers).flat_map(|said| said.parts) {
        if !cites {
            part.sources.clear();
        }
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
    parts
}

fn joined(parts: &[Part]) -> String {
    parts.iter().map(|part| part.text.as_str()).collect::<Vec<_>>().join(" ")
}

/// What the passages say to each question. One that points back was searched for with the question before it, and is
/// weighed by itself first, on the passages that speak of what it points to: the one before it was answered already.
async fn weighed(prepared: &Prepared) -> Result<Vec<Said>, KnowledgeError> {
    let passages: Vec<(String, Vec<String>)> =
        prepared.passages.iter().map(|passage| (passage.text.clone(), passage.above.clone())).collect();
    let (questions, encoder) = (prepared.questions.clone(), Arc::clone(&prepared.knowledge.0.encoder));
    let own = prepared.input.input.text.clone();
    let before = prepared.turns.last().map(|turn| turn.question.clone()).unwrap_or_default();
    let weighed = tokio::task::spawn_blocking(move || {
        let passages: Vec<Source<'_>> = passages.iter().map(|(text, above)| Source { text, above }).collect();
        let weigh = |question: &str| extractive::weigh(question, &passages, &*encoder);
        if questions.len() == 1 && questions[0] != own {
            let said = extractive::weigh(&own, &standalone::about(&before, &passages), &*encoder)?;
            if said.answers {
                return Ok(vec![said]);
            }
        }
        questions.iter().map(|question| weigh(question)).collect::<Result<Vec<_>, EncodeError>>()
    });
    Ok(weighed.await.map_err(|error| EncodeError(error.to_string()))??)
}

/// The parts that a model wrote and a passage supports; told as they come where `open` is given.
async fn written(prepared: &Prepared, open: Option<&Sender<Told>>) -> Result<Vec<Part>, KnowledgeError> {
    let wanted = Wanted::of(prepared.input.retrieve_and_generate_configuration.as_ref())?;
    let passages: Vec<&str> = prepared.passages.iter().map(|passage| passage.text.as_str()).collect();
    let (request, cites) = Request::new(&wanted, &prepared.input.input.text, &prepared.turns, &passages)?;
    let parts = Mutex::new(Vec::new());
    let count = passages.len();
    let told = |written| {
        // Without the instructions for its form, an answer has no sources.
        let part = match cited::checked(written, &prepared.input.input.text, &passages) {
            Some(part) if cites => Some(part),
            Some(part) => Some(Part { sources: Vec::new(), ..part }),
            None => None,
        };
        if let Some(part) = &part {
            parts.lock().unwrap_or_else(PoisonError::into_inner).push(part.clone());
        }
        async move {
            match (part, open) {
                (Some(part), Some(open)) => open.send(Told::Part(part)).await.is_ok(),
                _ => true,
            }
        }
    };
    generate::answer(&prepared.cx, &prepared.knowledge, request, count, told).await?;
    Ok(parts.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// What the guardrails leave of an answer.
async fn guarded(prepared: &Prepared, mut parts: Vec<Part>) -> Result<(String, Vec<Told>), KnowledgeError> {
    let mut intervened = false;
    for guard in &prepared.guards {
        let mut passages: Vec<OwnedPassage> =
            parts.iter().map(|part| OwnedPassage::content(part.text.as_str())).collect();
        let source: String =
            prepared.passages.iter().map(|passage| passage.text.as_str()).collect::<Vec<_>>().join("\n\n");
        let source = source.chars().take(SOURCE).collect();
        passages.push(OwnedPassage { text: source, role: Role::Source });
        passages.push(OwnedPassage { text: prepared.input.input.text.clone(), role: Role::Query });
        let judged = guard.inline(Side::Output, passages).await;
        let judged = judged.map_err(|error| KnowledgeError::Model(Fault::of(&error)))?;
        match judged.acted() {
            Acted::None => {}
            Acted::Blocked => {
                let words = guard.blocked(Side::Output).to_owned();
                return Ok((words.clone(), vec![Told::Intervened, Told::Instead(words)]));
            }
            Acted::Masked => {
                intervened = true;
                for (place, part) in parts.iter_mut().enumerate() {
                    if let Some(masked) = judged.masked(place) {
                        masked.clone_into(&mut part.text);
                    }
                }
            }
        }
    }
    let answer = joined(&parts);
    let told = intervened.then_some(Told::Intervened).into_iter().chain(parts.into_iter().map(Told::Part));
    Ok((answer, told.collect()))
}

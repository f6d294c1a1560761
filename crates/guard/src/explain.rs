//! Why an assessment is as it is, for people: one entry for each thing that was looked for.

use std::ops::Range;

use crate::content::Confidence;
use crate::error::Failed;
use crate::examples::nearest;
use crate::grounding::Measure;
use crate::how::Depth;
use crate::policy::{Strength, Topic};
use crate::{Acted, Assessment, Guard, Passage};

/// One thing that was looked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Explained {
    /// The policy, by the name of its member in assessments.
    pub policy: &'static str,
    /// What of it: a topic, a category, a word, a kind of PII, an expression or a measure.
    pub name: String,
    /// How sure it is, 0 to 1, where that is a matter of degree.
    pub score: Option<f64>,
    /// From where on a score counts; below it, for grounding and relevance.
    pub threshold: Option<f64>,
    /// A filter's steps.
    pub confidence: Option<(Confidence, Strength)>,
    /// What was done.
    pub acted: Acted,
    /// Whether it was found.
    pub detected: bool,
    /// The part of the text that decided.
    pub at: Option<Place>,
    /// What speaks for it, the strongest first.
    pub because: Vec<String>,
}

/// A part of a text, for people: in characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The passage.
    pub passage: usize,
    /// Its first character.
    pub start: usize,
    /// The one behind its last.
    pub end: usize,
    /// The part itself.
    pub text: String,
}

/// How many examples are told.
const EXAMPLES: usize = 3;

/// Why `found` is what `guard` says of `passages`.
pub fn explain(
    guard: &Guard,
    passages: &[Passage<'_>],
    found: &Assessment,
    depth: Depth,
) -> Result<Vec<Explained>, Failed> {
    let text = |at: &Option<(usize, Range<usize>)>| {
        at.as_ref().and_then(|(passage, range)| passages.get(*passage)?.text.get(range.clone()))
    };
    let told = |detected: bool| detected || depth == Depth::Everything;
    let mut all = Vec::new();
    for marked in &found.unmeasured {
        let because =
            format!("the text is in a language ({}) that the policy was not measured in", marked.language.code());
        let entry = plain(marked.policy, "LANGUAGE", marked.acted, true);
        all.push(Explained { because: vec![because], ..entry });
    }
    for topic in found.topics.iter().filter(|topic| told(topic.detected)) {
        let because = match (text(&topic.at), guard.policy().topics.get(topic.topic)) {
            (Some(window), Some(definition)) => closest(guard, window, definition)?,
            _ => Vec::new(),
        };
        all.push(Explained {
            score: Some(f64::from(topic.score)),
            threshold: Some(f64::from(topic.threshold)),
            at: place(passages, topic.at.as_ref()),
            because,
            ..plain("topicPolicy", &topic.name, topic.acted, topic.detected)
        });
    }
    let mut near: Option<(&str, Vec<String>)> = None;
    for filter in found.filters.iter().filter(|filter| told(filter.detected)) {
        let because = text(&filter.at).map(|window| {
            let told = guard.classifier().explain(window, filter.category);
            let words = told.words.iter().map(|(word, weight)| format!("\"{word}\" {weight:+.2}"));
            words.chain(told.settled.then(|| "settled by its words alone".to_owned())).collect::<Vec<String>>()
        });
        let mut because = because.unwrap_or_default();
        if let Some(window) = text(&filter.at) {
            // One window often decides for several filters.
            if near.as_ref().is_none_or(|(of, _)| *of != window) {
                near = Some((window, resembles(guard, window)?));
            }
            because.extend(near.iter().flat_map(|(_, examples)| examples.clone()));
        }
        all.push(Explained {
            score: Some(f64::from(filter.score)),
            confidence: Some((filter.confidence, filter.strength)),
            at: place(passages, filter.at.as_ref()),
            because,
            ..plain("contentPolicy", filter.category.name(), filter.acted, filter.detected)
        });
    }
    for word in &found.words {
        let custom = word.custom.and_then(|place| guard.policy().words.get(place));
        let list = custom.map_or("on the managed list PROFANITY".to_owned(), |word| {
            format!("the guardrail's own word \"{}\"", word.text)
        });
        let because = vec![list];
        all.push(Explained {
            at: place(passages, Some(&word.at)),
            because,
            ..plain("wordPolicy", &word.matched, word.acted, true)
        });
    }
    for pii in &found.pii {
        let entry = plain("sensitiveInformationPolicy", pii.kind.name(), pii.acted, true);
        all.push(Explained { at: place(passages, Some(&pii.at)), ..entry });
    }
    for regex in &found.regexes {
        all.push(Explained {
            at: place(passages, Some(&regex.at)),
            because: vec![format!("matches {}", regex.pattern)],
            ..plain("sensitiveInformationPolicy", &regex.name, regex.acted, true)
        });
    }
    for measured in found.grounding.iter().filter(|measured| told(measured.detected)) {
        let name = match measured.measure {
            Measure::Grounding => "GROUNDING",
            Measure::Relevance => "RELEVANCE",
        };
        let support =
            measured.support.as_ref().map(|sentence| format!("the source's closest sentence: \"{sentence}\""));
        all.push(Explained {
            score: Some(measured.score),
            threshold: Some(measured.threshold),
            at: place(passages, measured.at.as_ref()),
            because: vec![support.unwrap_or_else(|| "no sentence of the source resembles it".to_owned())],
            ..plain("contextualGroundingPolicy", name, measured.acted, measured.detected)
        });
    }
    Ok(all)
}

fn place(passages: &[Passage<'_>], at: Option<&(usize, Range<usize>)>) -> Option<Place> {
    let (passage, range) = at?;
    let whole = passages.get(*passage)?.text;
    let (before, part) = (whole.get(..range.start)?, whole.get(range.clone())?);
    let start = before.chars().count();
    Some(Place { passage: *passage, start, end: start + part.chars().count(), text: part.to_owned() })
}

pub(crate) fn plain(policy: &'static str, name: &str, acted: Acted, detected: bool) -> Explained {
    let name = name.to_owned();
    let (score, threshold, confidence, at) = (None, None, None, None);
    Explained { policy, name, score, threshold, confidence, acted, detected, at, because: Vec::new() }
}

/// The examples of the filters' training that `window` resembles most, with their labels.
fn resembles(guard: &Guard, window: &str) -> Result<Vec<String>, Failed> {
    let encoded = guard.encoder().encode(&[window])?;
    let Some(encoded) = encoded.first() else { return Ok(Vec::new()) };
    let told = nearest(&encoded.vector, EXAMPLES).into_iter().map(|(example, cosine)| {
        let labels = if example.labels.is_empty() { "harmless" } else { &example.labels };
        format!("resembles the training example \"{}\", which is {labels} ({cosine:.2})", example.text)
    });
    Ok(told.collect())
}

/// The definition and the examples of a topic, by how close `window` is to them.
fn closest(guard: &Guard, window: &str, topic: &Topic) -> Result<Vec<String>, Failed> {
    let mut texts = vec![window, topic.definition.as_str()];
    texts.extend(topic.examples.iter().map(String::as_str));
    let encoded = guard.encoder().encode(&texts)?;
    let Some((first, rest)) = encoded.split_first() else { return Ok(Vec::new()) };
    let cosine = |other: &[f32]| first.vector.iter().zip(other).map(|(a, b)| a * b).sum::<f32>();
    let mut near: Vec<(f32, usize)> = rest.iter().map(|other| cosine(&other.vector)).zip(0..).collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0));
    let told = |(cosine, at): &(f32, usize)| match at.checked_sub(1).and_then(|at| topic.examples.get(at)) {
        Some(example) => format!("close to its example \"{example}\" ({cosine:.2})"),
        None => format!("close to its definition ({cosine:.2})"),
    };
    Ok(near.iter().take(EXAMPLES).map(told).collect())
}

#[cfg(test)]
mod tests;

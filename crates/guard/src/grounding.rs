//! Contextual grounding: whether an answer says what its source says, and whether it answers the query.
//!
//! The answer is taken sentence by sentence. Each is compared with the sentences of the source that share most words
//! with it (`index`, `align`): which of its words, names and numbers the source has, in which order, and where one puts
//! a number, a name or a negation and the other a different one (`claim`). One pass of the encoder tells how close they
//! are in meaning. A small trained model makes a score of that (`model`); the answer's score leans on its worst sentence.
//! Start at [`measure`].

mod align;
mod claim;
mod frame;
mod index;
mod lexicon;
mod model;
mod relevance;
mod sentences;
pub mod support;
mod text;
mod unit;

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

pub use claim::{Claim, FEATURES as GROUNDING_FEATURES};
pub use model::Model;
pub use relevance::{FEATURES as RELEVANCE_FEATURES, Part};

use crate::encoder::{EncodeError, Encoder};
use index::Index;
use text::Token;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Measure {
    /// Whether the source supports the answer.
    Grounding,
    /// Whether the answer is about the query.
    Relevance,
}

/// How well an answer does.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// 0 to 1.
    pub score: f64,
    /// The sentence of the answer that decided, in bytes.
    pub sentence: Range<usize>,
    /// The sentence of the source that supports it best.
    pub support: Option<String>,
}

/// Both measures of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// How well the source supports it.
    pub grounding: Scored,
    /// How relevant it is to the query.
    pub relevance: Scored,
}

/// How well `response` is grounded in `source`.
pub fn grounding(source: &str, query: &str, response: &str, encoder: &dyn Encoder) -> Result<Scored, EncodeError> {
    measure(source, query, response, encoder).map(|measured| measured.grounding)
}

/// How relevant `response` is to `query`.
pub fn relevance(source: &str, query: &str, response: &str, encoder: &dyn Encoder) -> Result<Scored, EncodeError> {
    measure(source, query, response, encoder).map(|measured| measured.relevance)
}

/// Both measures, with one pass of the encoder.
pub fn measure(source: &str, query: &str, response: &str, encoder: &dyn Encoder) -> Result<Measured, EncodeError> {
    let model = Model::trained().map_err(EncodeError)?;
    let evidence = Evidence::gather(source, query, response, model, encoder)?;
    Ok(Measured { grounding: evidence.grounding(model), relevance: evidence.relevance(model) })
}

/// The stems of `text` that say something, each once: what the weights of words are counted over.
pub fn stems(text: &str) -> BTreeSet<String> {
    text::tokens(text, 0).into_iter().filter(|token| !token.empty).map(|token| token.stem).collect()
}

/// The sentences of `text`, as they may be quoted: none ends inside a command, a name or a number.
pub fn sentences(text: &str) -> Vec<&str> {
    sentences::sentences(text).into_iter().map(|range| &text[range]).collect()
}

/// All that is known about an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// Its sentences as claims.
    pub claims: Vec<Claim>,
    /// Its sentences, and all of it, as answers to the query.
    pub parts: Vec<Part>,
    source: Vec<String>,
    whole: Range<usize>,
}

/// Sentences that are encoded for one answer at most: what an answer of one page needs.
const ENCODED: usize = 96;
/// What the worst claim weighs against all of them.
const WORST: f32 = 0.7;

impl Evidence {
    /// Compares `response` with `source` and `query`.
    pub fn gather(
        source: &str,
        query: &str,
        response: &str,
        model: &Model,
        encoder: &dyn Encoder,
    ) -> Result<Self, EncodeError> {
        let index = Index::new(source);
        let mut said: Vec<(Range<usize>, Vec<Token>)> = Vec::new();
        let mut idle: Vec<(Range<usize>, Vec<Token>)> = Vec::new();
        for range in sentences::claims(response) {
            let sentence = &response[range.clone()];
            let all = text::tokens(sentence, range.start);
            match frame::claimed(sentence, range.start, &all) {
                [] => idle.push((range, all)),
                claimed if claimed.len() == all.len() => said.push((range, all)),
                claimed @ [first, ..] => {
                    let end = claimed.last().map_or(first.range.end, |last| last.range.end);
                    said.push((first.range.start..end, claimed.to_vec()));
                }
            }
        }
        // An answer that speaks of the conversation only is about that, and claims nothing.
        let silent = said.is_empty();
        let (ranges, tokens): (Vec<_>, Vec<_>) = if silent { idle } else { said }.into_iter().unzip();
        let claimed = |tokens: &'_ Vec<Token>| if silent { Vec::new() } else { tokens.clone() };
        let mut claims: Vec<Claim> = ranges
            .iter()
            .zip(&tokens)
            .map(|(range, tokens)| claim::compare(range.clone(), &claimed(tokens), &index, model))
            .collect();
        let query_tokens = text::tokens(query, 0);
        let asked = claim::compare(0..query.len(), &query_tokens, &index, model);
        let reader = relevance::Query::new(query, query_tokens, model);
        let mut parts: Vec<Part> = Vec::new();
        for (claim, tokens) in claims.iter().zip(&tokens) {
            let support = claim.candidates.first().copied();
            let held = support.map(|at| &index.sentences[at].tokens[..]).unwrap_or_default();
            let mut part = reader.compare(claim.range.clone(), tokens, claim.features[0], held, model);
            part.support = support;
            parts.push(part);
        }

        // One pass over everything whose meaning is needed; each sentence once.
        let mut texts = vec![query];
        let mut places: HashMap<usize, usize> = HashMap::new();
        let first_claim = texts.len();
        let judged = claims.len().min(ENCODED);
        texts.extend(claims[..judged].iter().map(|claim| &response[claim.range.clone()]));
        let each = (ENCODED / claims.len().max(1)).clamp(1, claim::CANDIDATES);
        let wanted = claims[..judged].iter().flat_map(|claim| claim.candidates.iter().take(each));
        for &at in wanted.chain(asked.candidates.iter().take(each)) {
            places.entry(at).or_insert_with(|| {
                texts.push(&source[index.sentences[at].range.clone()]);
                texts.len() - 1
            });
        }
        let encoded = encoder.encode(&texts)?;
        let cosine = |a: usize, b: usize| match (encoded.get(a), encoded.get(b)) {
            (Some(a), Some(b)) => a.vector.iter().zip(&b.vector).map(|(a, b)| a * b).sum::<f32>().clamp(0.0, 1.0),
            _ => 0.0,
        };
        let fit = |at: &usize| places.get(at).map_or(0.0, |&place| cosine(0, place));
        let best_fit = asked.candidates.iter().map(fit).fold(0.0, f32::max);
        for (at, (claim, part)) in claims.iter_mut().zip(&mut parts).enumerate() {
            let place = if at < judged { first_claim + at } else { usize::MAX };
            let near = |candidate: &usize| places.get(candidate).map_or(0.0, |&other| cosine(place, other));
            let closest = claim.candidates.iter().map(near).fold(0.0, f32::max);
            claim.features[16] = closest;
            claim.features[17] = closest * claim.features[2];
            part.features[0] = cosine(0, place);
            // The sentences that hold the answer: the one that fits the query best speaks for it.
            let own = claim.candidates.iter().map(fit).fold(0.0, f32::max);
            part.features[1] = own;
            part.features[8] = if best_fit > 0.0 { (own / best_fit).min(1.0) } else { 0.0 };
        }
        let source = index.sentences.iter().map(|sentence| source[sentence.range.clone()].to_owned()).collect();
        Ok(Self { claims, parts, source, whole: 0..response.len() })
    }

    /// The score of the answer: mostly that of its worst claim. An answer that claims nothing contradicts nothing.
    pub fn grounding(&self, model: &Model) -> Scored {
        let mut worst: Option<(f32, &Claim)> = None;
        let (mut sum, mut weights) = (0.0, 0.0);
        for claim in self.claims.iter().filter(|claim| claim.weight > 0.0) {
            let score = model::squeezed(model.grounding_bias, &model.grounding, &claim.features);
            sum += score * claim.weight;
            weights += claim.weight;
            if worst.is_none_or(|(least, _)| score < least) {
                worst = Some((score, claim));
            }
        }
        let Some((least, claim)) = worst else {
            return Scored { score: 1.0, sentence: self.whole.clone(), support: None };
        };
        let score = WORST * least + (1.0 - WORST) * sum / weights;
        Scored {
            score: f64::from(score),
            sentence: claim.range.clone(),
            support: self.sentence(claim.candidates.first()),
        }
    }

    /// The score of the answer: that of its most relevant part.
    pub fn relevance(&self, model: &Model) -> Scored {
        let scores = self
            .parts
            .iter()
            .map(|part| (model::squeezed(model.relevance_bias, &model.relevance, &part.features), part));
        match scores.max_by(|(a, _), (b, _)| a.total_cmp(b)) {
            Some((score, part)) => Scored {
                score: f64::from(score),
                sentence: part.range.clone(),
                support: self.sentence(part.support.as_ref()),
            },
            None => Scored { score: 0.0, sentence: self.whole.clone(), support: None },
        }
    }

    fn sentence(&self, at: Option<&usize>) -> Option<String> {
        at.and_then(|&at| self.source.get(at)).cloned()
    }
}

#[cfg(test)]
mod tests;

//! Answering a query from what an engine elsewhere finds: both of its lists joined, hits of one parent as one.

use std::collections::HashSet;

use async_trait::async_trait;

use crate::fusion::{self, CANDIDATES, Parts};
use crate::{Hit, Metadata, Mode, Parent, Query, Result, Shape};

/// The most that is asked of an engine at once (OpenSearch's `max_result_window`).
const MOST: usize = 10_000;

/// A chunk that an engine found.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    pub id: String,
    pub source: String,
    pub document: String,
    pub text: String,
    pub parent: Option<Parent>,
    pub metadata: Metadata,
    /// Cosine of the vectors; for bits, 1 where all agree and -1 where none does.
    pub likeness: f64,
    /// The words' score; 0 where none is shared.
    pub words: f64,
}

/// What an engine elsewhere finds.
#[async_trait]
pub(crate) trait Finds: Sync {
    /// What its vectors are.
    fn shape(&self) -> Shape;
    /// The nearest, within the query's filter; `words` are theirs too where the query is hybrid.
    async fn near(&self, query: &Query, limit: usize) -> Result<Vec<Candidate>>;
    /// What shares words with it, within its filter, with its likeness.
    async fn said(&self, query: &Query, limit: usize) -> Result<Vec<Candidate>>;
}

/// What fits a query best, best first.
pub(crate) async fn search(engine: &dyn Finds, query: &Query) -> Result<Vec<Hit>> {
    query.vector.check(engine.shape())?;
    if query.limit == 0 {
        return Ok(Vec::new());
    }
    let mut wanted = query.limit.min(MOST);
    loop {
        let mut found = match query.mode {
            Mode::Semantic => semantic(engine.near(query, wanted).await?),
            Mode::Hybrid => hybrid(engine, query, wanted).await?,
        };
        found.truncate(wanted);
        let exhausted = found.len() < wanted || wanted == MOST;
        let mut seen = HashSet::new();
        found.retain(|(_, one)| one.parent.as_ref().is_none_or(|parent| seen.insert(parent.id.clone())));
        found.truncate(query.limit);
        if found.len() == query.limit || exhausted {
            let binary = engine.shape().binary;
            return Ok(found.into_iter().map(|(score, one)| hit(score, one, query.mode, binary)).collect());
        }
        // Many were of one parent: look further.
        wanted = wanted.saturating_mul(4).min(MOST);
    }
}

fn semantic(near: Vec<Candidate>) -> Vec<(f64, Candidate)> {
    sorted(near.into_iter().map(|one| (one.likeness, one)).collect())
}

async fn hybrid(engine: &dyn Finds, query: &Query, wanted: usize) -> Result<Vec<(f64, Candidate)>> {
    let pool = wanted.max(CANDIDATES);
    let mut candidates = engine.near(query, pool).await?;
    let mut seen: HashSet<String> = candidates.iter().map(|one| one.id.clone()).collect();
    candidates.extend(engine.said(query, pool).await?.into_iter().filter(|one| seen.insert(one.id.clone())));
    let parts: Vec<Parts> = candidates.iter().map(|one| Parts { cosine: one.likeness, words: one.words }).collect();
    // What these engines say of words has no scale: how long texts are is known of those that were found.
    let words: usize = candidates.iter().map(|one| words(&one.text)).sum();
    let length = words as f64 / candidates.len().max(1) as f64;
    Ok(sorted(fusion::join_unscaled(&parts, length).into_iter().zip(candidates).collect()))
}

fn words(text: &str) -> usize {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).count()
}

fn sorted(mut found: Vec<(f64, Candidate)>) -> Vec<(f64, Candidate)> {
    found.sort_by(|(a, one), (b, other)| b.total_cmp(a).then_with(|| one.id.cmp(&other.id)));
    found
}

fn hit(score: f64, one: Candidate, mode: Mode, binary: bool) -> Hit {
    let (id, text) = match one.parent {
        Some(parent) => (parent.id, parent.text),
        None => (one.id, one.text),
    };
    Hit {
        id,
        source: one.source,
        document: one.document,
        text,
        score: match mode {
            Mode::Semantic => score.clamp(0.0, 1.0),
            Mode::Hybrid => fusion::bounded(score),
        },
        cosine: (!binary).then_some(one.likeness),
        metadata: one.metadata,
    }
}

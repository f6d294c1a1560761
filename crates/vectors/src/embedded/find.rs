//! Answering a query.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, PoisonError};

use roaring::RoaringBitmap;

use super::asked::Asked;
use super::base::Inner;
use super::nearest::{LIKELY, Probe, SURE, nearest};
use super::state::State;
use super::top::Scored;
use super::truth;
use crate::fusion::{self, CANDIDATES, Joined, Parts};
use crate::{Filter, Hit, Mode, Query, Result};

/// A place that fits.
struct Found {
    key: i64,
    slot: u32,
    cosine: f32,
    /// On the scale of cosines.
    score: f64,
}

/// An index of more chunks is searched where waiting is allowed: its vectors may have to come from the disk.
const SMALL: u32 = 200_000;

/// The answer where it is had sooner than a change of threads, and without waiting for anyone: by vectors alone, in an
/// index that memory holds.
pub(super) fn at_once(inner: &Inner, query: &Query) -> Result<Option<Vec<Hit>>> {
    query.vector.check(inner.shape)?;
    if query.limit == 0 || query.mode == Mode::Hybrid || query.filter.is_some() {
        return Ok(None);
    }
    inner.open()?;
    let found = match inner.state.try_read() {
        Ok(state) if state.places() <= SMALL => find(&state, query)?,
        _ => return Ok(None),
    };
    show(inner, query, &found)
}

pub(super) fn search(inner: &Inner, query: &Query) -> Result<Vec<Hit>> {
    query.vector.check(inner.shape)?;
    if query.limit == 0 {
        return Ok(Vec::new());
    }
    loop {
        inner.open()?;
        let found = {
            let state = inner.state.read().unwrap_or_else(PoisonError::into_inner);
            find(&state, query)?
        };
        if let Some(hits) = show(inner, query, &found)? {
            return Ok(hits);
        }
        // The truth has gone on meanwhile, and what is in memory is about to: wait for the one who writes.
        drop(inner.writer()?);
    }
}

/// What a question's words found, as the index was then.
#[derive(Clone)]
pub struct Said(Arc<Words>);

struct Words {
    asked: Asked,
    best: Vec<Scored>,
    /// How many were asked for.
    pool: usize,
}

impl fmt::Debug for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Said({} chunks)", self.0.best.len())
    }
}

impl Said {
    /// Nothing where the question has no words.
    fn by(state: &State, text: &str, allowed: Option<&RoaringBitmap>, pool: usize) -> Result<Option<Self>> {
        let Some(asked) = state.words.ask(text)? else { return Ok(None) };
        let best = asked.best(pool, |key, slot| fits(state, allowed, key, slot))?;
        Ok(Some(Self(Arc::new(Words { asked, best, pool }))))
    }
}

impl Words {
    /// What those who are not among the best score at most: nothing where all are.
    fn least(&self) -> f32 {
        // Sums of the same numbers in another order.
        const ROUNDED: f32 = 1.0001;
        let full = self.best.len() >= self.pool;
        self.best.last().filter(|_| full).map_or(0.0, |last| last.score * ROUNDED)
    }
}

/// Whether a document of the words' index counts: only where memory knows it too.
fn fits(state: &State, allowed: Option<&RoaringBitmap>, key: i64, slot: u32) -> bool {
    state.key(slot) == key && allowed.is_none_or(|allowed| allowed.contains(slot))
}

/// What a question's words find.
pub(super) fn words(inner: &Inner, text: &str, filter: Option<&Filter>, limit: usize) -> Result<Option<Said>> {
    inner.open()?;
    let state = inner.state.read().unwrap_or_else(PoisonError::into_inner);
    let allowed = filter.map(|filter| state.columns.allowed(filter)).transpose()?;
    Said::by(&state, text, allowed.as_ref(), limit.max(CANDIDATES))
}

/// What fits best, hits of one parent as one.
fn find(state: &State, query: &Query) -> Result<Vec<Found>> {
    let probe = Probe::new(&query.vector);
    let allowed = query.filter.as_ref().map(|filter| state.columns.allowed(filter)).transpose()?;
    let mut wanted = query.limit;
    loop {
        let found = match query.mode {
            Mode::Semantic => semantic(state, &probe, allowed.as_ref(), wanted),
            Mode::Hybrid => hybrid(state, &probe, allowed.as_ref(), query, wanted)?,
        };
        let exhausted = found.len() < wanted;
        let mut found = if state.parents() { collapse(state, found) } else { found };
        found.truncate(query.limit);
        if found.len() == query.limit || exhausted {
            return Ok(found);
        }
        // Many were of one parent: look further.
        wanted = wanted.saturating_mul(4);
    }
}

fn semantic(state: &State, probe: &Probe, allowed: Option<&RoaringBitmap>, limit: usize) -> Vec<Found> {
    let found = nearest(state, probe, allowed, limit, SURE).into_iter();
    found.map(|s| Found { key: s.key, slot: s.slot, cosine: s.score, score: f64::from(s.score) }).collect()
}

fn hybrid(
    state: &State,
    probe: &Probe,
    allowed: Option<&RoaringBitmap>,
    query: &Query,
    limit: usize,
) -> Result<Vec<Found>> {
    let pool = limit.max(CANDIDATES);
    let said = match &query.said {
        Some(said) if said.0.pool >= pool => Some(said.clone()),
        _ => Said::by(state, &query.text, allowed, pool)?,
    };
    let Some(Said(said)) = said else {
        return Ok(semantic(state, probe, allowed, limit));
    };
    // Something may have been written since.
    let found = said.best.iter().filter(|scored| fits(state, allowed, scored.key, scored.slot));
    let mut words: HashMap<i64, f32> = found.clone().map(|scored| (scored.key, scored.score)).collect();
    let mut candidates = nearest(state, probe, allowed, pool, LIKELY);
    let near: HashSet<i64> = candidates.iter().map(|scored| scored.key).collect();
    let likeness = |scored: &Scored| Scored { score: probe.likeness(&state.vectors, scored.slot), ..*scored };
    candidates.extend(found.filter(|scored| !near.contains(&scored.key)).map(likeness));
    let best = candidates.iter().map(|scored| scored.score).fold(0.0, f32::max);
    let joined = Joined::new(f64::from(best), said.asked.scale());

    let open = undecided(&candidates, &words, &joined, said.least(), limit);
    words.extend(open.iter().copied().zip(said.asked.score(&open)?));
    let score = |scored: Scored| Found {
        key: scored.key,
        slot: scored.slot,
        cosine: scored.score,
        score: joined.score(parts(&scored, words.get(&scored.key).copied())),
    };
    let mut found: Vec<Found> = candidates.into_iter().map(score).collect();
    found.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.key.cmp(&b.key)));
    found.truncate(limit);
    Ok(found)
}

/// The candidates of which it is not known what their words score, and which it might bring among the best `limit`: at
/// most `most`, as all who score more are known.
fn undecided(candidates: &[Scored], words: &HashMap<i64, f32>, joined: &Joined, most: f32, limit: usize) -> Vec<i64> {
    let mut sure: Vec<f64> =
        candidates.iter().map(|scored| joined.score(parts(scored, words.get(&scored.key).copied()))).collect();
    let least = match sure.len().checked_sub(limit) {
        Some(worse) if worse > 0 => *sure.select_nth_unstable_by(worse, f64::total_cmp).1,
        _ => f64::NEG_INFINITY,
    };
    let silent = candidates.iter().filter(|scored| !words.contains_key(&scored.key));
    let open = silent.filter(|scored| most > 0.0 && joined.score(parts(scored, Some(most))) >= least);
    open.map(|scored| scored.key).collect()
}

fn parts(scored: &Scored, words: Option<f32>) -> Parts {
    Parts { cosine: f64::from(scored.score), words: f64::from(words.unwrap_or_default()) }
}

/// The best of each parent's.
fn collapse(state: &State, found: Vec<Found>) -> Vec<Found> {
    let mut seen = HashSet::new();
    let mut found = found;
    found.retain(|found| {
        let parent = state.parent(found.slot);
        parent == 0 || seen.insert(parent)
    });
    found
}

/// What was found as it is returned; nothing where some of it is gone.
fn show(inner: &Inner, query: &Query, found: &[Found]) -> Result<Option<Vec<Hit>>> {
    inner.read(|connection| {
        let keys: Vec<i64> = found.iter().map(|found| found.key).collect();
        let shown = truth::show(connection, &keys)?;
        if shown.len() < keys.len() {
            return Ok(None);
        }
        let hit = |(found, shown): (&Found, truth::Shown)| Hit {
            id: shown.id,
            source: shown.source,
            document: shown.document,
            text: shown.text,
            score: match query.mode {
                Mode::Semantic => found.score.clamp(0.0, 1.0),
                Mode::Hybrid => fusion::bounded(found.score),
            },
            cosine: (!inner.shape.binary).then_some(f64::from(found.cosine)),
            metadata: shown.metadata,
        };
        Ok(Some(found.iter().zip(shown).map(hit).collect()))
    })
}

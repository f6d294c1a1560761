//! Joining what vectors say with what words say.
//!
//! Both scores of every candidate are standardised over all candidates and added, words weighing [`WORDS`]. Joining
//! by rank (reciprocal rank fusion) was measured to fall below its better part. This does too where one part is far
//! better than the other; `docs/benchmarks.md` has the collections, and what else was tried.

/// How much words weigh against vectors.
pub(crate) const WORDS: f64 = 0.4;

/// How many of each list are candidates, at least.
pub(crate) const CANDIDATES: usize = 100;

/// The least spread of cosines that is believed: below it, words alone would be blown up.
const LEAST_SPREAD: f64 = 0.02;

/// A candidate: what each part says of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Parts {
    /// Likeness, as a cosine.
    pub cosine: f64,
    /// BM25; 0 where no word is shared.
    pub words: f64,
}

/// One joined score for each candidate, on the scale of cosines: the candidate's own cosine, moved by how far its
/// words stand out. So a score means about the same for every question, and without words it is the cosine itself.
pub(crate) fn join(candidates: &[Parts]) -> Vec<f64> {
    let (_, spread_cosine) = moments(candidates.iter().map(|c| c.cosine));
    let (mean_words, spread_words) = moments(candidates.iter().map(|c| c.words));
    // From standard scores back to cosines: the order is that of `WORDS * z(words) + (1 - WORDS) * z(cosine)`.
    let unit = spread_cosine.max(LEAST_SPREAD) * WORDS / (1.0 - WORDS);
    let joined = |c: &Parts| {
        let words = if spread_words > 0.0 { (c.words - mean_words) / spread_words } else { 0.0 };
        c.cosine + unit * words
    };
    candidates.iter().map(joined).collect()
}

/// Mean and standard deviation; 0 and 0 of nothing.
fn moments(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let count = values.clone().count().max(1) as f64;
    let mean = values.clone().sum::<f64>() / count;
    let variance = values.map(|v| (v - mean).powi(2)).sum::<f64>() / count;
    (mean, variance.sqrt())
}

/// A score on the scale of cosines as one of 0 to 1. Below 0.8 it stays what it is, below 0 it is 0; above, what is
/// left up to 1 is approached and not reached, so that the order stays.
pub(crate) fn bounded(score: f64) -> f64 {
    const BEND: f64 = 0.8;
    if score <= BEND {
        return score.max(0.0);
    }
    1.0 - (1.0 - BEND) * (-(score - BEND) / (1.0 - BEND)).exp()
}

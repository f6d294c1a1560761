//! Joining what vectors say with what words say.
//!
//! A candidate's score is its cosine, and added to it what its words score, by how much words are to be trusted here:
//!
//! - BM25 is set against the most that this question could score, its words' weights. The share counts for more than in
//!   proportion: a text with half of what is asked is worth more than two with a quarter. Many words say more than few.
//! - Where vectors find something alike already, words have less to add.
//! - A vector is one point for all that a text says. It is exact of a sentence and blurred of a page; words are not.
//!
//! So the score of one text does not depend on which others were found. Joining by rank (reciprocal rank fusion) and
//! adding standard scores with a constant weight fell below their better part where one part is far better than the
//! other; `docs/benchmarks.md` has the collections, and what else was tried.

/// How many of each list are candidates, at least.
pub(crate) const CANDIDATES: usize = 100;

/// How much words weigh.
const WORDS: f64 = 0.37;

/// The length of a text, in words, for which [`WORDS`] is meant.
const LENGTH: f64 = 100.0;

/// However alike the best is, words still decide between others that are as alike.
const LEAST_GAP: f64 = 0.05;

/// A candidate: what each part says of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parts {
    /// Likeness, as a cosine.
    pub cosine: f64,
    /// BM25; 0 where no word is shared.
    pub words: f64,
}

/// What a candidate's words are compared with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// The most that a text could score by this question's words, those that no text has too.
    pub possible: f64,
    /// How many words a text has in the mean.
    pub length: f64,
}

/// How candidates' parts become one score.
pub(crate) struct Joined {
    unit: f64,
}

impl Joined {
    /// Where `best` is the likeness of the one that is the most alike.
    pub(crate) fn new(best: f64, scale: Scale) -> Self {
        Self { unit: WORDS * trust(best, scale.length) / scale.possible.max(f64::MIN_POSITIVE) }
    }

    /// On the scale of cosines. Without words it is the cosine itself.
    pub(crate) fn score(&self, c: Parts) -> f64 {
        c.cosine + self.unit * c.words * c.words.max(0.0).sqrt()
    }
}

/// One joined score for each candidate.
pub fn join(candidates: &[Parts], scale: Scale) -> Vec<f64> {
    let joined = Joined::new(most_alike(candidates), scale);
    candidates.iter().map(|c| joined.score(*c)).collect()
}

/// The same where the words' scores are on a scale of their own (`ts_rank`, or an engine that does not say what is
/// possible): they are standardised over the candidates. Measured to be worse than [`join`].
pub(crate) fn join_unscaled(candidates: &[Parts], length: f64) -> Vec<f64> {
    /// The least spread of cosines that is believed: below it, words alone would be blown up.
    const LEAST_SPREAD: f64 = 0.02;
    let (_, spread_cosine) = moments(candidates.iter().map(|c| c.cosine));
    let (mean_words, spread_words) = moments(candidates.iter().map(|c| c.words));
    let unit = spread_cosine.max(LEAST_SPREAD) * trust(most_alike(candidates), length);
    let joined = |c: &Parts| {
        let words = if spread_words > 0.0 { (c.words - mean_words) / spread_words } else { 0.0 };
        c.cosine + unit * words
    };
    candidates.iter().map(joined).collect()
}

/// How far words are trusted, beside vectors: by what the best likeness leaves open, and by how long texts are.
fn trust(best: f64, length: f64) -> f64 {
    ((1.0 - best).max(LEAST_GAP) * length / LENGTH).sqrt()
}

fn most_alike(candidates: &[Parts]) -> f64 {
    candidates.iter().map(|c| c.cosine).fold(0.0, f64::max)
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scale() -> impl Strategy<Value = Scale> {
        (1.0..2000.0, 1.0..2000.0).prop_map(|(possible, length)| Scale { possible, length })
    }

    /// Candidates of a question that could score `possible`.
    fn candidates(possible: f64) -> impl Strategy<Value = Vec<Parts>> {
        let one = (-1.0..=1.0, 0.0..=possible).prop_map(|(cosine, words)| Parts { cosine, words });
        proptest::collection::vec(one, 1..40)
    }

    fn asked() -> impl Strategy<Value = (Vec<Parts>, Scale)> {
        scale().prop_flat_map(|scale| (candidates(scale.possible), Just(scale)))
    }

    proptest! {
        /// What is at least as good by both parts is at least as good joined, however scores are scaled.
        #[test]
        fn better_by_both_is_better((candidates, scale) in asked()) {
            for joined in [join(&candidates, scale), join_unscaled(&candidates, scale.length)] {
                for (a, score) in candidates.iter().zip(&joined) {
                    for (b, other) in candidates.iter().zip(&joined) {
                        if a.cosine >= b.cosine && a.words >= b.words {
                            prop_assert!(score >= other, "{a:?} {score} {b:?} {other}");
                        }
                    }
                }
            }
        }

        /// Each part alone decides where the other says nothing.
        #[test]
        fn one_part_alone_orders((candidates, scale) in asked()) {
            let near: Vec<Parts> = candidates.iter().map(|c| Parts { words: 0.0, ..*c }).collect();
            prop_assert_eq!(join(&near, scale), near.iter().map(|c| c.cosine).collect::<Vec<_>>());
            let said: Vec<Parts> = candidates.iter().map(|c| Parts { cosine: 0.0, ..*c }).collect();
            let joined = join(&said, scale);
            for (a, score) in said.iter().zip(&joined) {
                for (b, other) in said.iter().zip(&joined) {
                    prop_assert!(a.words <= b.words + 1e-6 || score > other);
                }
            }
        }

        /// A score does not depend on others that were found, while none of them is more alike.
        #[test]
        fn others_change_nothing((candidates, scale) in asked(), kept in 1usize..40) {
            let mut sorted = candidates;
            sorted.sort_by(|a, b| b.cosine.total_cmp(&a.cosine));
            let all = join(&sorted, scale);
            let kept = kept.min(sorted.len());
            prop_assert_eq!(&join(&sorted[..kept], scale)[..], &all[..kept]);
        }

        /// What is reported is of 0 to 1, in the same order.
        #[test]
        fn reported_scores_are_bounded((candidates, scale) in asked()) {
            let mut joined = join(&candidates, scale);
            joined.sort_by(f64::total_cmp);
            let reported: Vec<f64> = joined.into_iter().map(bounded).collect();
            prop_assert!(reported.iter().all(|score| (0.0..=1.0).contains(score)));
            prop_assert!(reported.is_sorted());
        }
    }

    #[test]
    fn words_weigh_less_where_something_is_alike_and_more_in_long_texts() {
        let gain = |best: f64, length: f64| {
            let candidates = [Parts { cosine: best, words: 0.0 }, Parts { cosine: 0.0, words: 20.0 }];
            join(&candidates, Scale { possible: 60.0, length })[1]
        };
        assert!(gain(0.9, 100.0) < gain(0.5, 100.0));
        assert!(gain(0.5, 20.0) < gain(0.5, 200.0));
        assert!(gain(1.0, 100.0) > 0.0);
    }

    #[test]
    fn nothing_is_joined_of_nothing_and_a_question_without_weight() {
        let scale = Scale { possible: 0.0, length: 0.0 };
        assert!(join(&[], scale).is_empty() && join_unscaled(&[], 0.0).is_empty());
        assert_eq!(join(&[Parts { cosine: 0.5, words: 0.0 }], scale), [0.5]);
    }
}

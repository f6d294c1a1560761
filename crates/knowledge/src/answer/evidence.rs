//! Whether retrieved passages answer a question, and which of their sentences do.
//!
//! No model that writes is asked: what counts is how close a sentence is to the question in meaning (the cosine of
//! their vectors, given by the caller), which of the question's words it and its neighbours hold (rare words, names and
//! numbers count most), and whether it adds something of the kind that is asked for (who, when, how many). A small
//! linear model orders the sentences, a second one says how likely the best of them is an answer at all.
//!
//! Pure: [`Draft::new`] cuts and reads, [`Draft::texts`] are what needs vectors, [`Draft::weigh`] decides.

mod code;
mod layout;
mod pieces;
mod question;
mod reading;
#[cfg(test)]
mod tests;
mod weights;

use std::collections::HashSet;
use std::ops::Range;

use outcrop_guard::grounding::support::{self, Word, coverage, held};

use layout::Above;
use pieces::{Piece, Role};
use question::Question;
use reading::{said, words};
use weights::SECTION;
pub use weights::{CHOICE, JUDGEMENT, NEAR, THRESHOLD};

/// What is known about a sentence, in the order of the weights of [`CHOICE`].
pub const PIECE: [&str; 14] = [
    "cosine with the question",
    "words of the question in it",
    "words of the question in it, the sentence before or its heading",
    "words of the question in its passage",
    "names and numbers of the question in its passage",
    "neighbouring words of the question that are neighbours in it",
    "of the kind that is asked for",
    "not of the kind that is asked for",
    "place of its passage among the retrieved",
    "length",
    "says more than the question",
    "best cosine in its passage",
    "cosine of the sentence before",
    "cosine times words",
];

/// What is known about a question and its best sentence, in the order of the weights of [`JUDGEMENT`].
pub const WHOLE: [&str; 12] = [
    "cosine of the best sentence",
    "words of the question in it, the sentence before or its heading",
    "words of the question in its passage",
    "names and numbers of the question in its passage",
    "neighbouring words of the question in it",
    "of the kind that is asked for",
    "not of the kind that is asked for",
    "weight of the heaviest word of the question that its passage lacks",
    "best cosine of all",
    "how far it is ahead of the next passage's best",
    "cosine times words of its passage",
    "its own score",
];

/// Sentences that are looked at, at most: beyond them those are left out that, with what stands above them, share fewest
/// words with the question.
const LOOKED: usize = 64;

/// Sentences of an answer to one question, at most.
const SENTENCES: usize = 2;

/// What words weigh at most that say nothing alone ("of").
const LIGHT: f32 = 0.2;

/// A sentence's features.
pub type Features = [f32; PIECE.len()];

/// What features are worth: those of a sentence, and bias and weights of those of a question and its best sentence.
pub type Weights<'a> = (&'a [f32; PIECE.len()], (f32, [f32; WHOLE.len()]));

/// A text that was retrieved.
#[derive(Debug, Clone, Copy, Default)]
pub struct Source<'a> {
    /// What it says.
    pub text: &'a str,
    /// What stands above its beginning: its document's name, then headings, outermost first.
    pub above: &'a [String],
}

impl<'a> From<&'a str> for Source<'a> {
    fn from(text: &'a str) -> Self {
        Self { text, above: &[] }
    }
}

/// A question beside what was retrieved for it.
#[derive(Debug)]
pub struct Draft<'a> {
    question: Question,
    passages: &'a [Source<'a>],
    /// The words of each passage, and with those of what stands above it.
    read: Vec<(Vec<Word>, Vec<Word>)>,
    pieces: Vec<(Piece, Vec<Word>)>,
    /// What stands above each sentence.
    above: Vec<Above>,
}

/// A sentence that may answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Its passage, by place among the given ones.
    pub passage: usize,
    /// Its bytes there.
    pub range: Range<usize>,
    /// How well it fits: comparable within one question only.
    pub score: f32,
}

/// What was decided.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// How likely the best sentence is an answer, 0 to 1.
    pub confidence: f64,
    /// The sentences, best first.
    pub found: Vec<Found>,
}

impl Verdict {
    /// Whether there is an answer.
    pub fn answers(&self) -> bool {
        self.confidence >= THRESHOLD && !self.found.is_empty()
    }

    /// The sentences to answer with: the best, and the next where it is likely to answer, too; within `near` of the best
    /// score, and not said twice, not even in part.
    pub fn chosen(&self, passages: &[Source<'_>], near: f32) -> Vec<&Found> {
        let mut chosen: Vec<&Found> = Vec::new();
        for found in &self.found {
            let text = |one: &Found| passages[one.passage].text[one.range.clone()].trim();
            let apart = |one: &&Found| {
                one.passage != found.passage || one.range.end <= found.range.start || found.range.end <= one.range.start
            };
            let close = chosen.first().is_none_or(|best| best.score - found.score <= near);
            if chosen.len() < SENTENCES
                && close
                && chosen.iter().all(|one| apart(one) && !repeats(text(one), text(found)))
            {
                chosen.push(found);
            }
        }
        chosen
    }
}

impl<'a> Draft<'a> {
    /// Reads `question` and `passages`, the best retrieved first.
    pub fn new(question: &str, passages: &'a [Source<'a>]) -> Self {
        let question = Question::new(question);
        let read = |source: &Source<'_>| {
            let own = said(source.text);
            let whole = own.iter().cloned().chain(source.above.iter().flat_map(|above| words(above))).collect();
            (own, whole)
        };
        let read = passages.iter().map(read).collect();
        let mut all: Vec<(Piece, Vec<Word>)> = Vec::new();
        for (at, Source { text, .. }) in passages.iter().enumerate() {
            all.extend(pieces::pieces(at, text).into_iter().map(|piece| {
                let own = said(&text[piece.range.clone()]);
                (piece, own)
            }));
        }
        if all.len() > LOOKED {
            let kept = kept(&question.words, passages, &all);
            let mut at = 0..;
            all.retain(|_| at.next().is_some_and(|at| kept.contains(&at)));
        }
        let above = layout::above(passages, &all);
        Self { question, passages, read, pieces: all, above }
    }

    /// What needs vectors: the question, the sentences, then the headings nearest above the passages.
    pub fn texts(&self) -> Vec<&str> {
        let own = (0..self.pieces.len()).map(|at| self.text(at));
        let above = self.passages.iter().filter_map(|source| source.above.last()).map(String::as_str);
        std::iter::once(self.question.text.as_str()).chain(own).chain(above).collect()
    }

    /// Where the sentences are: passage, bytes, and whether it can be an answer.
    pub fn places(&self) -> impl Iterator<Item = (usize, Range<usize>, bool)> {
        self.pieces.iter().map(|(piece, _)| (piece.passage, piece.range.clone(), piece.role == Role::Says))
    }

    /// A sentence's text.
    fn text(&self, at: usize) -> &'a str {
        let piece = &self.pieces[at].0;
        &self.passages[piece.passage].text[piece.range.clone()]
    }

    /// How close a sentence is to the question: by itself, and by itself or as one of its section. A question that it
    /// quotes brings it no closer.
    fn cosines(&self, at: usize, vectors: &[Vec<f32>]) -> (f32, f32) {
        let (Some(asked), Some(own)) = (vectors.first(), vectors.get(at + 1)) else { return (0.0, 0.0) };
        let alone = dot(asked, own) * reading::share(self.text(at));
        let above = match self.above[at].nearest {
            Some(layout::Nearest::Piece(above)) => vectors.get(above + 1),
            Some(layout::Nearest::Passage(passage)) => {
                let before = self.passages[..passage].iter().filter(|source| !source.above.is_empty()).count();
                vectors.get(self.pieces.len() + 1 + before)
            }
            None => None,
        };
        let within = above.map_or(0.0, |above| {
            let length = (1.0 + SECTION * SECTION + 2.0 * SECTION * dot(own, above)).max(0.0).sqrt();
            if length > 0.0 { (alone + SECTION * dot(asked, above)) / length } else { 0.0 }
        });
        (alone.clamp(0.0, 1.0), alone.max(within).clamp(0.0, 1.0))
    }

    /// What is known about every sentence. `vectors` are those of [`Draft::texts`], of unit length; where one is
    /// missing, nothing is close.
    pub fn features(&self, vectors: &[Vec<f32>]) -> Vec<Features> {
        let asked = &self.question.words;
        let facts: Vec<Word> = asked.iter().filter(|word| word.name || word.number).cloned().collect();
        let whole: Vec<(f32, f32)> =
            self.read.iter().map(|(_, read)| (coverage(asked, read), coverage(&facts, read))).collect();
        let (alone, cosines): (Vec<f32>, Vec<f32>) = (0..self.pieces.len()).map(|at| self.cosines(at, vectors)).unzip();
        let mut closest = vec![0.0_f32; self.passages.len()];
        for ((piece, _), cosine) in self.pieces.iter().zip(&cosines) {
            closest[piece.passage] = closest[piece.passage].max(*cosine);
        }
        let mut found = Vec::with_capacity(self.pieces.len());
        for (at, (piece, own)) in self.pieces.iter().enumerate() {
            let text = self.text(at);
            let before = at.checked_sub(1).filter(|&before| self.pieces[before].0.passage == piece.passage);
            // What a sentence is about, its headings say as often as the sentence before.
            let mut near = own.clone();
            near.extend(before.into_iter().flat_map(|before| self.pieces[before].1.iter().cloned()));
            near.extend(self.above[at].words.iter().cloned());
            let said: f32 = own.iter().map(|word| word.weight).sum();
            let new: f32 = own.iter().map(|word| word.weight * (1.0 - held(word, asked))).sum();
            let fits = self.question.fits(text, own);
            let inside = coverage(asked, own);
            found.push([
                cosines[at],
                inside,
                coverage(asked, &near),
                whole[piece.passage].0,
                whole[piece.passage].1,
                pairs(asked, own),
                f32::from(u8::from(fits == Some(true))),
                f32::from(u8::from(fits == Some(false))),
                1.0 / (1.0 + piece.passage as f32),
                (own.len() as f32 / 30.0).min(1.0),
                if said > 0.0 { (new / 3.0).min(1.0) } else { 0.0 },
                closest[piece.passage],
                before.map_or(0.0, |before| cosines[before]),
                alone[at] * inside,
            ]);
        }
        found
    }

    /// How well every sentence fits, by `weights` over its features and by where it stands.
    pub fn scores(&self, features: &[Features], weights: &[f32; PIECE.len()]) -> Vec<f32> {
        let score = |(at, own): (usize, &Features)| {
            let sum: f32 = own.iter().zip(weights).map(|(x, w)| x * w).sum();
            sum + self.layout(at, features)
        };
        features.iter().enumerate().map(score).collect()
    }

    /// What is known about the question and its best sentence, which is `best`.
    pub fn whole(&self, features: &[Features], scores: &[f32], best: usize) -> [f32; WHOLE.len()] {
        let (piece, f) = (&self.pieces[best].0, &features[best]);
        let lacks = |word: &Word| word.weight * (1.0 - held(word, &self.read[piece.passage].1));
        let missing = self.question.words.iter().map(lacks).fold(0.0, f32::max);
        let elsewhere = self.pieces.iter().zip(scores).filter(|((other, _), _)| other.passage != piece.passage);
        let next = elsewhere.map(|(_, score)| *score).fold(f32::NEG_INFINITY, f32::max);
        let ahead = if next.is_finite() { (scores[best] - next).clamp(0.0, 3.0) } else { 0.0 };
        let closest = features.iter().map(|f| f[0]).fold(0.0, f32::max);
        [f[0], f[2], f[3], f[4], f[5], f[6], f[7], missing, closest, ahead, closest * f[3], scores[best]]
    }

    /// Whether a sentence is only what its passage's end, or its beginning, left of one: another passage has it
    /// whole, or it begins with a small letter and a word that begins none.
    fn is_rest(&self, at: usize) -> bool {
        let (passage, range) = (self.pieces[at].0.passage, &self.pieces[at].0.range);
        let text = self.passages[passage].text;
        let own = &text[range.clone()];
        let first = own.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        if text[..range.start].trim().is_empty() && first.starts_with(char::is_lowercase) && light(first) {
            return true;
        }
        (text[..range.start].trim().is_empty() || text[range.end..].trim().is_empty())
            && self.pieces.iter().any(|(other, _)| {
                let whole = &self.passages[other.passage].text[other.range.clone()];
                other.passage != passage && whole.len() > own.len() && whole.contains(own)
            })
    }

    /// Which sentences answer, and how likely they do. There are none where no passage holds what is asked for: then a
    /// model may still see more in them than stands there.
    pub fn weigh(&self, vectors: &[Vec<f32>]) -> Verdict {
        self.weigh_by(vectors, (&CHOICE, JUDGEMENT))
    }

    /// The same by other weights, for those who learn and measure them.
    pub fn weigh_by(&self, vectors: &[Vec<f32>], (choice, judgement): Weights<'_>) -> Verdict {
        let features = self.features(vectors);
        let scores = self.scores(&features, choice);
        let mut order: Vec<usize> =
            (0..self.pieces.len()).filter(|&at| self.may_answer(at) && !self.is_rest(at)).collect();
        order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]).then(a.cmp(b)));
        let closest = order.first().copied();
        let able: Vec<bool> = self
            .passages
            .iter()
            .zip(&self.read)
            .map(|(source, (read, _))| self.question.may_stand_in(source.text, read))
            .collect();
        order.retain(|&at| able[self.pieces[at].0.passage]);
        let Some(best) = order.first().copied().or(closest) else {
            return Verdict { confidence: 0.0, found: Vec::new() };
        };
        let whole = self.whole(&features, &scores, best);
        let (bias, weights) = judgement;
        let sum: f32 = bias + whole.iter().zip(weights).map(|(x, w)| x * w).sum::<f32>();
        let found = order.into_iter().map(|at| {
            let passage = self.pieces[at].0.passage;
            Found { passage, range: self.told(at), score: scores[at] }
        });
        Verdict { confidence: 1.0 / (1.0 + f64::from(-sum).exp()), found: found.collect() }
    }
}

/// The sentences that are looked at, with their headings, by place.
fn kept(asked: &[Word], passages: &[Source<'_>], all: &[(Piece, Vec<Word>)]) -> HashSet<usize> {
    let above = layout::above(passages, all);
    let share = |at: usize| {
        let near: Vec<Word> = all[at].1.iter().chain(&above[at].words).cloned().collect();
        coverage(asked, &all[at].1) + coverage(asked, &near)
    };
    let said = (0..all.len()).filter(|&at| all[at].0.role == Role::Says);
    let mut shares: Vec<(f32, usize)> = said.map(|at| (share(at), at)).collect();
    shares.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    shares.truncate(LOOKED);
    let heading = |(_, at): &(f32, usize)| match above[*at].nearest {
        Some(layout::Nearest::Piece(heading)) => Some(heading),
        _ => None,
    };
    shares.iter().filter_map(heading).chain(shares.iter().map(|(_, at)| *at)).collect()
}

fn dot(one: &[f32], other: &[f32]) -> f32 {
    one.iter().zip(other).map(|(a, b)| a * b).sum()
}

/// Whether a word says nothing alone.
fn light(word: &str) -> bool {
    words(word).iter().all(|word| word.weight < LIGHT)
}

/// Whether one of two texts is within the other.
fn repeats(one: &str, other: &str) -> bool {
    one.contains(other) || other.contains(one)
}

/// Which share of the words of `query` the text has, and which share of its neighbouring words are neighbours there.
pub(crate) fn likeness(query: &str, text: &str) -> (f32, f32) {
    let (query, text) = (support::words(query), support::words(text));
    (coverage(&query, &text), pairs(&query, &text))
}

/// How much of what `said` says a passage says too: of its words, and of its names and numbers alone.
pub(crate) fn support(said: &str, passage: &str) -> (f32, f32) {
    support::support(&support::words(said), &support::words(passage))
}

/// The share of the question's neighbouring words that are neighbours in a sentence too, in either order.
fn pairs(asked: &[Word], own: &[Word]) -> f32 {
    let all = asked.len().saturating_sub(1);
    if all == 0 {
        return 0.0;
    }
    let near = |pair: &&[Word]| {
        own.windows(2).any(|other| {
            let [a, b] = [&pair[0].stem, &pair[1].stem];
            let [c, d] = [&other[0].stem, &other[1].stem];
            a == c && b == d || a == d && b == c
        })
    };
    asked.windows(2).filter(near).count() as f32 / all as f32
}

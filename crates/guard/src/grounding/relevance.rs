//! Whether a part of an answer is about the query. An answer may be a bare name: then the sentence of the source that
//! holds it must fit the query, and the name must be of the kind that the query asks for.

use std::ops::Range;

use super::index::related;
use super::model::Model;
use super::text::Token;

/// What is known about a part of an answer, each value 0 to 1.
pub const FEATURES: [&str; 10] = [
    "cosine with the query",
    "cosine of its sentence in the source with the query",
    "words of the query in it",
    "words of the query in it or its sentence",
    "its words in the source or the query",
    "of the kind that is asked for",
    "not of the kind that is asked for",
    "says more than the query",
    "its sentence fits the query best",
    "says other things beside",
];

/// A part of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Its bytes.
    pub range: Range<usize>,
    /// What is known about it, in the order of [`FEATURES`].
    pub features: [f32; FEATURES.len()],
    /// The sentence of the source that it is from.
    pub support: Option<usize>,
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// Yes or no.
    Whether,
    /// A number.
    Count,
    /// A date.
    Time,
    /// A person, a place, anything that has a name.
    Name,
    /// Anything.
    Open,
}

/// What a query looks like, made once.
pub(super) struct Query {
    tokens: Vec<Token>,
    weights: Vec<f32>,
    asked: Asked,
    choice: bool,
}

impl Query {
    pub fn new(text: &str, tokens: Vec<Token>, model: &Model) -> Self {
        let weights = tokens.iter().map(|token| model.weight(token)).collect();
        let lower = text.to_lowercase();
        let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        Self { tokens, weights, asked: asked(&words), choice: words.contains(&"or") }
    }

    /// Compares a part of an answer with the query, without the cosines. `support` is its sentence of the source.
    pub fn compare(
        &self,
        range: Range<usize>,
        answer: &[Token],
        supported: f32,
        support: &[Token],
        model: &Model,
    ) -> Part {
        let mut f = [0.0; FEATURES.len()];
        let has = |tokens: &[Token], token: &Token| {
            tokens.iter().any(|other| other.stem == token.stem || related(&other.stem, &token.stem))
        };
        let total: f32 = self.weights.iter().sum::<f32>().max(f32::MIN_POSITIVE);
        let covered = |by: &dyn Fn(&Token) -> bool| {
            self.tokens.iter().zip(&self.weights).filter(|(token, _)| by(token)).map(|(_, weight)| weight).sum::<f32>()
                / total
        };
        f[2] = covered(&|token| has(answer, token));
        f[3] = covered(&|token| has(answer, token) || has(support, token));
        let fresh: Vec<&Token> = answer.iter().filter(|token| !token.empty && !has(&self.tokens, token)).collect();
        let said: f32 = answer.iter().map(|token| model.weight(token)).sum();
        let new: f32 = fresh.iter().map(|token| model.weight(token)).sum();
        let echoed = if said > 0.0 { 1.0 - new / said } else { 0.0 };
        f[4] = supported.max(echoed);
        f[7] = if said > 0.0 && !self.choice { new / said } else { 0.5 };
        let (mut run, mut longest) = (0.0_f32, 0.0_f32);
        for token in answer.iter().filter(|token| !token.empty) {
            run = if has(&self.tokens, token) { 0.0 } else { run + model.weight(token) };
            longest = longest.max(run);
        }
        f[9] = 1.0 - 1.0 / (1.0 + (new - longest));
        match self.fits(answer, &fresh) {
            Some(true) => f[5] = 1.0,
            Some(false) => f[6] = 1.0,
            None => {}
        }
        Part { range, features: f, support: None }
    }

    /// Whether what the answer adds is of the kind that is asked for; none where any kind is.
    fn fits(&self, answer: &[Token], fresh: &[&Token]) -> Option<bool> {
        let number = |token: &&Token| token.value.is_some();
        match self.asked {
            Asked::Open => None,
            Asked::Whether => Some(
                answer.first().is_some_and(|token| matches!(token.stem.as_str(), "yes" | "no")) || answer.len() > 3,
            ),
            Asked::Count => Some(
                fresh.iter().any(number) || answer.iter().any(|token| token.value.is_some() && token.unit.is_some()),
            ),
            Asked::Time => Some(fresh.iter().any(|token| number(token) || time(&token.stem))),
            Asked::Name if self.choice => Some(answer.iter().any(|token| token.capital)),
            Asked::Name => Some(fresh.iter().any(|token| token.capital)),
        }
    }
}

fn time(stem: &str) -> bool {
    const WORDS: [&str; 22] = [
        "januari",
        "februari",
        "march",
        "april",
        "may",
        "jun",
        "juli",
        "august",
        "september",
        "october",
        "november",
        "december",
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
        "today",
        "yesterday",
        "centuri",
    ];
    WORDS.contains(&stem)
}

fn asked(words: &[&str]) -> Asked {
    let first = words.first().copied().unwrap_or_default();
    if matches!(
        first,
        "is" | "are" | "was" | "were" | "do" | "does" | "did" | "has" | "have" | "can" | "could" | "will" | "should"
    ) {
        return Asked::Whether;
    }
    for pair in words.windows(2) {
        match (pair[0], pair[1]) {
            ("how", "many" | "much" | "old" | "long" | "tall" | "far" | "high")
            | ("what" | "the", "population" | "percentage" | "number") => {
                return Asked::Count;
            }
            ("what" | "which", "year" | "date" | "day" | "month" | "century" | "decade") => return Asked::Time,
            (
                "what" | "which",
                "city" | "country" | "state" | "town" | "person" | "actor" | "actress" | "director" | "author" | "band"
                | "company",
            ) => {
                return Asked::Name;
            }
            _ => {}
        }
    }
    if words.contains(&"when") && (first == "when" || words.last() == Some(&"when")) {
        return Asked::Time;
    }
    if words.iter().any(|word| matches!(*word, "who" | "whom" | "whose")) && matches!(first, "who" | "whom" | "whose")
        || first == "where"
        || matches!(words.last(), Some(&("who" | "whom" | "where")))
    {
        return Asked::Name;
    }
    Asked::Open
}

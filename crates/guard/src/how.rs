//! How texts are judged, beside the policy: what is done with foreign languages, and how much is explained.

use crate::assessment::{Acted, UnmeasuredFinding};
use crate::content::{Language, language};
use crate::policy::{Does, Side};
use crate::{Guard, Passage};

/// Characters of a passage that show its language.
const SHOWN: usize = 600;

/// How texts are judged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct How {
    /// What is done with a text in a language that a policy was not measured in.
    pub unmeasured: Unmeasured,
    /// What of the assessment is explained.
    pub explain: Depth,
}

/// What is done with a text in a language that a policy was not measured in. It is marked in any case.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Unmeasured {
    /// The policy judges it as well as it can.
    #[default]
    Judge,
    /// It is blocked by a policy that blocks.
    Block,
    /// The policy does not judge it.
    Allow,
}

/// What of an assessment is explained.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// Nothing.
    #[default]
    Nothing,
    /// What was detected.
    Detected,
    /// Everything that was looked for.
    Everything,
}

/// The policies that were measured language by language, by the names of their members in assessments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Judges {
    Content,
    Topics,
    Grounding,
}

impl Judges {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Content => "contentPolicy",
            Self::Topics => "topicPolicy",
            Self::Grounding => "contextualGroundingPolicy",
        }
    }

    /// The languages that figures are published for.
    fn measured(self) -> &'static [Language] {
        match self {
            Self::Content => &[Language::English, Language::French, Language::Spanish],
            Self::Topics | Self::Grounding => &[Language::English],
        }
    }
}

impl How {
    /// Whether a policy passes over a passage.
    pub(crate) fn passes_over(self, marked: &[UnmeasuredFinding], policy: Judges, passage: usize) -> bool {
        let here = |finding: &UnmeasuredFinding| finding.policy == policy.name() && finding.passage == passage;
        self.unmeasured == Unmeasured::Allow && marked.iter().any(here)
    }
}

impl Guard {
    /// The passages in languages that a policy was not measured in.
    pub(crate) fn unmeasured(&self, side: Side, passages: &[Passage<'_>], how: How) -> Vec<UnmeasuredFinding> {
        let policy = self.policy();
        let strictest = |all: &mut dyn Iterator<Item = Does>| all.max().unwrap_or_default();
        let topics = strictest(&mut policy.topics.iter().map(|topic| topic.sides.on(side)));
        let filters = strictest(&mut self.filters(side).map(|filter| filter.sides.on(side)));
        let grounding = match self.grounds(side) {
            true => strictest(&mut policy.grounding.iter().map(|rule| rule.does)),
            false => Does::Off,
        };
        let on = [(Judges::Content, filters), (Judges::Topics, topics), (Judges::Grounding, grounding)];
        let mut marked = Vec::new();
        if on.iter().all(|(_, does)| *does == Does::Off) {
            return marked;
        }
        for (at, passage) in crate::assess::contents(passages).filter(|(_, passage)| !passage.text.trim().is_empty()) {
            let end = passage.text.char_indices().nth(SHOWN).map_or(passage.text.len(), |(end, _)| end);
            let language = language(passage.text.get(..end).unwrap_or_default());
            for (policy, does) in on {
                if does == Does::Off || policy.measured().contains(&language) {
                    continue;
                }
                let blocks = how.unmeasured == Unmeasured::Block && does == Does::Block;
                let acted = if blocks { Acted::Blocked } else { Acted::None };
                marked.push(UnmeasuredFinding { policy: policy.name(), language, acted, passage: at });
            }
        }
        marked
    }
}

#[cfg(test)]
mod tests;

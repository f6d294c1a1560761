//! What a judge beside the built-in one says, merged into an assessment: the stricter of both holds.

use crate::assess::{acts, enough};
use crate::assessment::{Acted, Assessment, JudgeFinding};
use crate::content::{Category, Confidence};
use crate::explain::{Explained, plain};
use crate::how::Depth;
use crate::policy::Side;
use crate::{Guard, Passage};

/// What a judge says of texts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// How sure it is of each category.
    pub filters: Vec<(Category, Confidence)>,
    /// The topics that the texts are about, by their places in the policy.
    pub topics: Vec<usize>,
}

impl Guard {
    /// Merges what `model` said of `passages` into what was `found` of them.
    pub fn merge(
        &self,
        side: Side,
        passages: &[Passage<'_>],
        found: &mut Assessment,
        (model, verdict): (&str, &Verdict),
        depth: Depth,
    ) {
        let because = vec![format!("the judge {model} says so")];
        for (category, confidence) in &verdict.filters {
            let (Some(finding), Some(filter)) = (
                found.filters.iter_mut().find(|finding| finding.category == *category),
                self.filters(side).find(|filter| filter.category == *category),
            ) else {
                continue;
            };
            let detected = enough(finding.strength, *confidence);
            if depth > Depth::Nothing && (detected || depth == Depth::Everything) {
                found.explained.push(Explained {
                    confidence: Some((*confidence, finding.strength)),
                    because: because.clone(),
                    ..plain("contentPolicy", category.name(), acted(detected, filter.sides.on(side)), detected)
                });
            }
            if *confidence > finding.confidence {
                finding.confidence = *confidence;
            }
            if detected {
                finding.detected = true;
                finding.acted = acts(filter.sides.on(side));
            }
        }
        for place in &verdict.topics {
            let (Some(finding), Some(topic)) =
                (found.topics.iter_mut().find(|finding| finding.topic == *place), self.policy().topics.get(*place))
            else {
                continue;
            };
            finding.detected = true;
            finding.acted = acts(topic.sides.on(side));
            if depth > Depth::Nothing {
                let entry = plain("topicPolicy", &topic.name, finding.acted, true);
                found.explained.push(Explained { because: because.clone(), ..entry });
            }
        }
        found.judges.push(JudgeFinding { model: model.to_owned(), failed: None, acted: Acted::None });
        self.settle(passages, found);
    }

    /// Says that the judge `model` could not judge `passages`, which blocks them where `blocks` says so.
    pub fn unheard(
        &self,
        passages: &[Passage<'_>],
        found: &mut Assessment,
        (model, why): (&str, &str),
        blocks: bool,
        depth: Depth,
    ) {
        let acted = if blocks { Acted::Blocked } else { Acted::None };
        if depth > Depth::Nothing {
            let because = vec![format!("the judge could not judge: {why}")];
            found.explained.push(Explained { because, ..plain("judge", model, acted, blocks) });
        }
        found.judges.push(JudgeFinding { model: model.to_owned(), failed: Some(why.to_owned()), acted });
        self.settle(passages, found);
    }
}

fn acted(detected: bool, does: crate::Does) -> Acted {
    if detected { acts(does) } else { Acted::None }
}

#[cfg(test)]
mod tests;

//! From what is kept to what is judged by.

use outcrop_guard::content::Category;
use outcrop_guard::grounding::Measure;
use outcrop_guard::sensitive::Pii;
use outcrop_guard::{Does, Filter, GroundingRule, PiiRule, Policy, RegexRule, Sides, Strength, Topic, Word};

use super::{Action, Definition};

impl Definition {
    /// Whether a filter asks for images on their way to the model to be judged.
    pub fn looks_at_images(&self) -> bool {
        let mut filters = self.filters.iter().flat_map(|policy| &policy.rules);
        filters.any(|filter| {
            let images = filter.input_modalities.iter().any(|modality| modality == "IMAGE");
            images && filter.sides.does().input != Does::Off && strength(&filter.input) != Strength::None
        })
    }

    /// The same in the words of the engine.
    pub fn policy(&self) -> Policy {
        let topics = self.topics.iter().flat_map(|policy| &policy.rules).map(|topic| Topic {
            name: topic.name.clone(),
            definition: topic.definition.clone(),
            examples: topic.examples.clone().unwrap_or_default(),
            sides: topic.sides.does(),
        });
        let filters = self.filters.iter().flat_map(|policy| &policy.rules).filter_map(|filter| {
            let sides = filter.sides.does();
            Some(Filter {
                category: Category::ALL.into_iter().find(|category| category.name() == filter.category)?,
                input: strength(&filter.input),
                output: strength(&filter.output),
                // A filter that is for images alone has nothing to say of text.
                sides: Sides {
                    input: if text(&filter.input_modalities) { sides.input } else { Does::Off },
                    output: if text(&filter.output_modalities) { sides.output } else { Does::Off },
                },
            })
        });
        let words = self.words.iter().flatten().map(|word| Word { text: word.what.clone(), sides: word.sides.does() });
        let pii = self
            .pii
            .iter()
            .flatten()
            .filter_map(|pii| Some(PiiRule { kind: Pii::named(&pii.what)?, sides: pii.sides.does() }));
        let regexes = self.regexes.iter().flatten().map(|regex| RegexRule {
            name: regex.name.clone(),
            pattern: regex.pattern.clone(),
            sides: regex.sides.does(),
        });
        let grounding = self.grounding.iter().flat_map(|policy| &policy.rules).map(|rule| GroundingRule {
            measure: if rule.measure == "RELEVANCE" { Measure::Relevance } else { Measure::Grounding },
            threshold: rule.threshold,
            does: if rule.enabled { does(rule.action) } else { Does::Off },
        });
        Policy {
            topics: topics.collect(),
            filters: filters.collect(),
            words: words.collect(),
            // There is one managed list.
            profanity: self.word_lists.iter().flatten().next().map(|list| list.sides.does()),
            pii: pii.collect(),
            regexes: regexes.collect(),
            grounding: grounding.collect(),
        }
    }
}

impl super::Sides {
    fn does(self) -> Sides {
        let side = |action: Option<Action>, enabled: Option<bool>| match (action, enabled) {
            (None, _) | (_, Some(false)) => Does::Off,
            (Some(action), _) => does(action),
        };
        Sides { input: side(self.input, self.input_enabled), output: side(self.output, self.output_enabled) }
    }
}

fn does(action: Action) -> Does {
    match action {
        Action::Block => Does::Block,
        Action::Anonymize => Does::Mask,
        Action::None => Does::Detect,
    }
}

fn strength(name: &str) -> Strength {
    match name {
        "LOW" => Strength::Low,
        "MEDIUM" => Strength::Medium,
        "HIGH" => Strength::High,
        _ => Strength::None,
    }
}

fn text(modalities: &[String]) -> bool {
    modalities.iter().any(|modality| modality == "TEXT")
}

//! Words, PII and expressions of a guardrail in text that is still arriving.

use super::prefix::Growing;
use super::settled;
use crate::assess::Mask;
use crate::sensitive::{Pii, What};
use crate::words::List;
use crate::{Does, Guard, Side};

/// So many bytes before what is looked at are looked at with it.
const BEFORE: usize = 600;
/// Words in the longest phrase of the managed list.
const MANAGED: usize = 4;
/// Kinds that are told by their form alone.
const FORMS: [Pii; 8] = [
    Pii::AwsAccessKey,
    Pii::AwsSecretKey,
    Pii::Email,
    Pii::InternationalBankAccountNumber,
    Pii::IpAddress,
    Pii::MacAddress,
    Pii::Url,
    Pii::VehicleIdentificationNumber,
];

/// What of a guardrail matters before a text is whole: rules that change it.
#[derive(Debug)]
pub(crate) struct Growth {
    /// The most words of a phrase; none where no word blocks.
    phrase: Option<usize>,
    /// The managed list is looked for, however its words are disguised.
    managed: bool,
    pii: bool,
    context: bool,
    regexes: Vec<(usize, Growing)>,
}

/// What was found, and how far that is final.
pub(super) struct Found<'g> {
    pub(super) settled: usize,
    pub(super) masks: Vec<Mask<'g>>,
    pub(super) blocked: bool,
}

impl Growth {
    pub(crate) fn new(guard: &Guard) -> Self {
        let (policy, active) = (guard.policy(), &guard.lists(Side::Output).active);
        let changes = |sides: crate::Sides| sides.output >= Does::Mask;
        let words = active.words.iter().filter_map(|&at| policy.words.get(at)).filter(|word| changes(word.sides));
        let phrases = words.map(|word| word.text.split_whitespace().count());
        let managed = policy.profanity.is_some_and(changes).then_some(MANAGED);
        let rules: Vec<Pii> = policy.pii.iter().filter(|rule| changes(rule.sides)).map(|rule| rule.kind).collect();
        let regexes = policy.regexes.iter().enumerate().filter(|(_, rule)| changes(rule.sides));
        Self {
            phrase: phrases.chain(managed).max(),
            managed: managed.is_some(),
            pii: !rules.is_empty(),
            context: rules.iter().any(|kind| !FORMS.contains(kind)),
            regexes: regexes.filter_map(|(at, rule)| Some((at, Growing::new(&rule.pattern)?))).collect(),
        }
    }

    /// Looks at what of `text` lies behind `from`. Where it is `done`, all of it is final.
    pub(super) fn look<'g>(&'g self, guard: &'g Guard, text: &str, from: usize, done: bool) -> Found<'g> {
        let (policy, lists) = (guard.policy(), guard.lists(Side::Output));
        let mut found = Found { settled: text.len(), masks: Vec::new(), blocked: false };
        let mut blocks = Vec::new();
        let start = before(text, from);
        let tail = text.get(start..).unwrap_or_default();
        if let Some(phrase) = self.phrase {
            let mut settled = if done { text.len() } else { settled::words(text, from, phrase, self.managed) };
            for hit in lists.words.find(tail) {
                let range = hit.range.start + start..hit.range.end + start;
                let sides = match hit.list {
                    List::Custom(at) => {
                        lists.active.words.get(at).and_then(|&at| policy.words.get(at)).map(|word| word.sides)
                    }
                    List::Profanity => policy.profanity,
                };
                if range.start < from || sides.unwrap_or_default().output < Does::Block {
                    continue;
                }
                if range.end > settled {
                    settled = settled.min(range.start);
                } else {
                    blocks.push(range);
                }
            }
            found.settled = found.settled.min(settled);
        }
        if self.pii {
            let mut settled = if done { text.len() } else { settled::pii(text, from, self.context) };
            for hit in lists.sensitive.find(tail) {
                let What::Pii(kind) = hit.what else { continue };
                let range = hit.range.start + start..hit.range.end + start;
                if range.start < from {
                    continue;
                }
                if range.end > settled {
                    settled = settled.min(range.start);
                    continue;
                }
                let does = policy.pii.iter().find(|rule| rule.kind == kind).map_or(Does::Off, |rule| rule.sides.output);
                match does {
                    Does::Block => blocks.push(range),
                    Does::Mask => found.masks.push(Mask { range, name: kind.name() }),
                    Does::Detect | Does::Off => {}
                }
            }
            found.settled = found.settled.min(settled);
        }
        for (at, growing) in &self.regexes {
            let Some(rule) = policy.regexes.get(*at) else { continue };
            let (hits, settled) = growing.found(text, from, done);
            for hit in hits {
                if rule.sides.output == Does::Block {
                    blocks.push(hit);
                } else {
                    found.masks.push(Mask { range: hit, name: &rule.name });
                }
            }
            found.settled = found.settled.min(settled);
        }
        let settled = found.settled;
        found.masks.retain(|mask| mask.range.start < settled);
        found.blocked = blocks.iter().any(|range| range.end <= settled);
        found
    }
}

/// Where to begin to look at what lies behind `from`: between two words.
fn before(text: &str, from: usize) -> usize {
    let mut start = from.saturating_sub(BEFORE);
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    match text.get(start..from).and_then(|text| text.find(char::is_whitespace)) {
        Some(gap) if start > 0 => start + gap,
        _ => start,
    }
}

//! Every policy over every passage, and the strictest of them.

mod mask;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use crate::assessment::{
    Acted, Assessment, Coverage, FilterFinding, GroundingFinding, Passage, PiiFinding, RegexFinding, Role,
    TopicFinding, UNIT, Units, WordFinding,
};
use crate::content::{self, Category, Classifier, Confidence};
use crate::encoder::Encoder;
use crate::error::{Failed, Refused};
use crate::explain::explain;
use crate::grounding::{self, Measure};
use crate::how::{Depth, How, Judges};
use crate::policy::{Does, Filter, Policy, Side, Strength};
use crate::scan::Scan;
use crate::sensitive::{Pii, Sensitive, What};
use crate::stream::Growth;
use crate::topics::{self, Topics};
use crate::words::{List, Words};

pub use mask::{Mask, mask};
pub(crate) use mask::{merged, put};

/// A compiled policy.
pub struct Guard {
    policy: Arc<Policy>,
    encoder: Arc<dyn Encoder>,
    classifier: Arc<Classifier>,
    topics: Arc<Topics>,
    input: Arc<Lists>,
    output: Arc<Lists>,
    /// The same for text that is still arriving, made when the first such text comes.
    growing: OnceLock<Growth>,
    /// The same without what needs the encoder, made when that fails for the first time and may.
    rest: OnceLock<Box<Guard>>,
}

/// What is looked up in a text, rather than judged. A rule that is off on a side must not hide another one's match, so
/// each side has lists of its own, unless they are the same.
#[derive(Debug)]
pub(crate) struct Lists {
    pub(crate) active: Active,
    pub(crate) words: Words,
    pub(crate) sensitive: Sensitive,
}

/// The rules of a side that are on, by their places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Active {
    pub(crate) words: Vec<usize>,
    pub(crate) profanity: bool,
    pub(crate) pii: Vec<Pii>,
    pub(crate) regexes: Vec<usize>,
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guard").field("policy", &self.policy).finish_non_exhaustive()
    }
}

impl Guard {
    /// Compiles `policy`.
    pub fn new(policy: Policy, encoder: Arc<dyn Encoder>, classifier: Arc<Classifier>) -> Result<Self, Refused> {
        let topics = Arc::new(Topics::new(&policy.topics, &*encoder)?);
        let input = Arc::new(Lists::new(&policy, active(&policy, Side::Input))?);
        let theirs = active(&policy, Side::Output);
        let output = if theirs == input.active { Arc::clone(&input) } else { Arc::new(Lists::new(&policy, theirs)?) };
        let (growing, rest) = (OnceLock::new(), OnceLock::new());
        Ok(Self { policy: Arc::new(policy), encoder, classifier, topics, input, output, growing, rest })
    }

    /// The same policy, as far as it needs no encoder.
    pub fn without_encoder(&self) -> &Self {
        self.rest.get_or_init(|| {
            let policy = self.policy.without_encoder();
            Box::new(Self { topics: Arc::default(), ..self.with(Arc::new(policy)) })
        })
    }

    /// The same without a filter.
    #[must_use]
    pub fn without(&self, category: Category) -> Self {
        let mut policy = Policy::clone(&self.policy);
        policy.filters.retain(|filter| filter.category != category);
        self.with(Arc::new(policy))
    }

    /// The same, asking `encoder`.
    #[must_use]
    pub fn asking(&self, encoder: Arc<dyn Encoder>) -> Self {
        Self { encoder, ..self.with(Arc::clone(&self.policy)) }
    }

    /// Another policy with the same topics, words, PII and expressions.
    fn with(&self, policy: Arc<Policy>) -> Self {
        Self {
            policy,
            encoder: Arc::clone(&self.encoder),
            classifier: Arc::clone(&self.classifier),
            topics: Arc::clone(&self.topics),
            input: Arc::clone(&self.input),
            output: Arc::clone(&self.output),
            growing: OnceLock::new(),
            rest: OnceLock::new(),
        }
    }

    /// What turns text into vectors.
    pub(crate) fn encoder(&self) -> &dyn Encoder {
        &*self.encoder
    }

    /// The trained filters.
    pub(crate) fn classifier(&self) -> &Classifier {
        &self.classifier
    }

    /// The denied topics.
    pub(crate) fn topics(&self) -> &Topics {
        &self.topics
    }

    /// The policy.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// What is looked up on a side.
    pub(crate) fn lists(&self, side: Side) -> &Lists {
        match side {
            Side::Input => &self.input,
            Side::Output => &self.output,
        }
    }

    /// How answers are watched while they arrive.
    pub(crate) fn growth(&self) -> &Growth {
        self.growing.get_or_init(|| Growth::new(self))
    }

    /// Whether the meaning of a text is judged on a side, which takes more of it than a word.
    pub fn judges(&self, side: Side) -> bool {
        let denies = self.policy.topics.iter().any(|topic| topic.sides.on(side) != Does::Off);
        denies || self.filters(side).next().is_some() || self.grounds(side)
    }

    /// Whether anything is looked at on a side.
    pub fn looks(&self, side: Side) -> bool {
        let lists = &self.lists(side).active;
        !lists.words.is_empty()
            || lists.profanity
            || !lists.pii.is_empty()
            || !lists.regexes.is_empty()
            || self.judges(side)
    }

    /// Whether answers are compared with a source.
    pub fn grounds(&self, side: Side) -> bool {
        side == Side::Output && self.policy.grounding.iter().any(|rule| rule.does != Does::Off)
    }

    /// The filters that are on, in the order in which Bedrock lists them.
    pub(crate) fn filters(&self, side: Side) -> impl Iterator<Item = &Filter> {
        let on = move |filter: &&Filter| filter.sides.on(side) != Does::Off && filter.strength(side) != Strength::None;
        Category::ALL
            .iter()
            .filter_map(|category| self.policy.filters.iter().find(|f| f.category == *category))
            .filter(on)
    }

    /// What the policies say of `passages` on their way to `side`. All of them are asked, whatever the first one found:
    /// those who read the assessment want to know everything.
    pub fn assess(&self, side: Side, passages: &[Passage<'_>]) -> Result<Assessment, Failed> {
        self.assess_as(How::default(), side, passages)
    }

    /// The same in another way.
    pub fn assess_as(&self, how: How, side: Side, passages: &[Passage<'_>]) -> Result<Assessment, Failed> {
        let mut found = Assessment { coverage: coverage(passages), ..Assessment::default() };
        found.units = self.units(side, passages);
        found.unmeasured = self.unmeasured(side, passages, how);
        self.look_up(side, passages, &mut found);
        self.judge(how, side, passages, &mut found)?;
        let passed_over = contents(passages).any(|(at, _)| how.passes_over(&found.unmeasured, Judges::Grounding, at));
        if self.grounds(side) && !passed_over {
            self.ground(passages, &mut found)?;
        }
        self.settle(passages, &mut found);
        if how.explain > Depth::Nothing {
            found.explained = explain(self, passages, &found, how.explain)?;
        }
        Ok(found)
    }

    /// What comes of all that was found.
    pub(crate) fn settle(&self, passages: &[Passage<'_>], found: &mut Assessment) {
        found.conclude();
        found.masked = match found.acted {
            Acted::Masked => self.masked(passages, found),
            _ => Vec::new(),
        };
    }

    fn look_up(&self, side: Side, passages: &[Passage<'_>], found: &mut Assessment) {
        let (lists, policy) = (self.lists(side), &self.policy);
        for (at, passage) in contents(passages) {
            let matched = |range: &Range<usize>| passage.text.get(range.clone()).unwrap_or_default().to_owned();
            for hit in lists.words.find(passage.text) {
                let (custom, sides) = match hit.list {
                    List::Custom(place) => {
                        let Some(place) = lists.active.words.get(place).copied() else { continue };
                        (Some(place), policy.words.get(place).map(|word| word.sides))
                    }
                    List::Profanity => (None, policy.profanity),
                };
                let acted = acts(sides.unwrap_or_default().on(side));
                found.words.push(WordFinding { matched: matched(&hit.range), custom, acted, at: (at, hit.range) });
            }
            for hit in lists.sensitive.find(passage.text) {
                match hit.what {
                    What::Pii(kind) => {
                        let rule = policy.pii.iter().find(|rule| rule.kind == kind);
                        let acted = acts(rule.map_or(Does::Off, |rule| rule.sides.on(side)));
                        found.pii.push(PiiFinding { kind, matched: matched(&hit.range), acted, at: (at, hit.range) });
                    }
                    What::Regex(place) => {
                        let place = lists.active.regexes.get(place).copied();
                        let Some((regex, rule)) = place.and_then(|place| Some((place, policy.regexes.get(place)?)))
                        else {
                            continue;
                        };
                        found.regexes.push(RegexFinding {
                            regex,
                            name: rule.name.clone(),
                            pattern: rule.pattern.clone(),
                            matched: matched(&hit.range),
                            acted: acts(rule.sides.on(side)),
                            at: (at, hit.range),
                        });
                    }
                }
            }
        }
    }

    /// Filters and topics: each passage is scanned once for both, and the worst passage decides.
    fn judge(&self, how: How, side: Side, passages: &[Passage<'_>], found: &mut Assessment) -> Result<(), Failed> {
        let filters: Vec<&Filter> = self.filters(side).collect();
        let categories: Vec<Category> = filters.iter().map(|filter| filter.category).collect();
        let denies = self.policy.topics.iter().any(|topic| topic.sides.on(side) != Does::Off);
        let mut judged: Vec<Option<(usize, content::Judged)>> = vec![None; filters.len()];
        let mut close: Vec<Option<(usize, topics::Judged)>> = vec![None; self.policy.topics.len()];
        for (at, passage) in contents(passages).filter(|(_, passage)| !passage.text.trim().is_empty()) {
            let scan = Scan::new(passage.text, &*self.encoder);
            let judges = |policy| !how.passes_over(&found.unmeasured, policy, at);
            if !categories.is_empty() && judges(Judges::Content) {
                for (worst, this) in judged.iter_mut().zip(self.classifier.judge(&scan, &categories)?) {
                    if worst.as_ref().is_none_or(|(_, worst)| this.score > worst.score) {
                        *worst = Some((at, this));
                    }
                }
            }
            if denies && judges(Judges::Topics) {
                for (worst, this) in close.iter_mut().zip(self.topics.judge(&scan)?) {
                    let over = |judged: &topics::Judged| judged.score - judged.threshold;
                    if worst.as_ref().is_none_or(|(_, worst)| over(&this) > over(worst)) {
                        *worst = Some((at, this));
                    }
                }
            }
        }
        for (filter, worst) in filters.iter().zip(judged) {
            let (at, score, confidence) = match worst {
                Some((at, judged)) => (Some((at, judged.window)), judged.score, judged.confidence),
                None => (None, 0.0, Confidence::None),
            };
            let strength = filter.strength(side);
            let detected = enough(strength, confidence);
            let acted = if detected { acts(filter.sides.on(side)) } else { Acted::None };
            found.filters.push(FilterFinding {
                category: filter.category,
                confidence,
                strength,
                acted,
                detected,
                score,
                at,
            });
        }
        for (place, (topic, worst)) in self.policy.topics.iter().zip(close).enumerate() {
            let does = topic.sides.on(side);
            if does == Does::Off {
                continue;
            }
            let (at, score, threshold) = match worst {
                Some((at, judged)) => (Some((at, judged.window)), judged.score, judged.threshold),
                None => (None, 0.0, f32::INFINITY),
            };
            let detected = score >= threshold;
            let acted = if detected { acts(does) } else { Acted::None };
            let name = topic.name.clone();
            found.topics.push(TopicFinding { topic: place, name, acted, detected, score, threshold, at });
        }
        Ok(())
    }

    fn ground(&self, passages: &[Passage<'_>], found: &mut Assessment) -> Result<(), Failed> {
        let (source, query) = (joined(passages, Role::Source), joined(passages, Role::Query));
        let (Some(source), Some(query)) = (source, query) else { return Err(Failed::NoGroundingSource) };
        let (response, starts) = response(passages);
        let measured = grounding::measure(&source, &query, &response, &*self.encoder)?;
        for rule in self.policy.grounding.iter().filter(|rule| rule.does != Does::Off) {
            let scored = match rule.measure {
                Measure::Grounding => &measured.grounding,
                Measure::Relevance => &measured.relevance,
            };
            let score = (scored.score * 100.0).round() / 100.0;
            let detected = score < rule.threshold;
            let acted = if detected { acts(rule.does) } else { Acted::None };
            let (measure, threshold, at) = (rule.measure, rule.threshold, place(&starts, &scored.sentence));
            found.grounding.push(GroundingFinding {
                measure,
                threshold,
                score,
                acted,
                detected,
                at,
                support: scored.support.clone(),
            });
        }
        Ok(())
    }

    /// The passages with masks in place of what is to be masked.
    fn masked(&self, passages: &[Passage<'_>], found: &Assessment) -> Vec<Option<String>> {
        passages.iter().enumerate().map(|(at, passage)| mask::mask(passage.text, found.masks(at).collect())).collect()
    }

    /// A thousand characters of what is judged, begun ones whole, for each policy that is on; at least one.
    pub fn units(&self, side: Side, passages: &[Passage<'_>]) -> Units {
        let units = coverage(passages).guarded.div_ceil(UNIT).max(1);
        let when = |on: bool| if on { units } else { 0 };
        let active = &self.lists(side).active;
        let grounded: u64 = passages.iter().filter(|p| p.role != Role::Unguarded).map(|p| characters(p.text)).sum();
        Units {
            topic: when(self.policy.topics.iter().any(|topic| topic.sides.on(side) != Does::Off)),
            content: when(self.filters(side).next().is_some()),
            word: when(!active.words.is_empty() || active.profanity),
            pii: when(!active.pii.is_empty()),
            regex: when(!active.regexes.is_empty()),
            grounding: if self.grounds(side) { grounded.div_ceil(UNIT).max(1) } else { 0 },
        }
    }
}

impl Assessment {
    /// What is masked in a passage.
    pub fn masks(&self, passage: usize) -> impl Iterator<Item = Mask<'_>> {
        let masked = move |acted: Acted, at: &(usize, Range<usize>)| acted == Acted::Masked && at.0 == passage;
        let pii = self.pii.iter().filter(move |f| masked(f.acted, &f.at));
        let regexes = self.regexes.iter().filter(move |f| masked(f.acted, &f.at));
        let pii = pii.map(|f| Mask { range: f.at.1.clone(), name: f.kind.name() });
        pii.chain(regexes.map(|f| Mask { range: f.at.1.clone(), name: &f.name }))
    }

    /// The strictest decides; where that is a block, nothing is masked, and what would have been is not told.
    fn conclude(&mut self) {
        let acted = self.topics.iter().map(|f| f.acted).chain(self.filters.iter().map(|f| f.acted));
        let acted = acted.chain(self.words.iter().map(|f| f.acted)).chain(self.pii.iter().map(|f| f.acted));
        let acted = acted.chain(self.regexes.iter().map(|f| f.acted)).chain(self.grounding.iter().map(|f| f.acted));
        let acted = acted.chain(self.unmeasured.iter().map(|f| f.acted)).chain(self.judges.iter().map(|f| f.acted));
        self.acted = acted.max().unwrap_or_default();
        if self.acted == Acted::Blocked {
            self.pii.retain(|f| f.acted != Acted::Masked);
            self.regexes.retain(|f| f.acted != Acted::Masked);
        }
    }
}

impl Lists {
    fn new(policy: &Policy, active: Active) -> Result<Self, Refused> {
        let words: Vec<&str> =
            active.words.iter().filter_map(|&at| policy.words.get(at)).map(|word| word.text.as_str()).collect();
        let regexes = active.regexes.iter().filter_map(|&at| policy.regexes.get(at));
        let regexes: Vec<_> = regexes.map(|rule| (rule.name.as_str(), rule.pattern.as_str())).collect();
        let words = Words::new(&words, active.profanity);
        let sensitive = Sensitive::new(&active.pii, &regexes)?;
        Ok(Self { active, words, sensitive })
    }
}

fn active(policy: &Policy, side: Side) -> Active {
    let on = |sides: crate::Sides| sides.on(side) != Does::Off;
    let kinds: BTreeSet<Pii> = policy.pii.iter().filter(|rule| on(rule.sides)).map(|rule| rule.kind).collect();
    let words = policy.words.iter().enumerate().filter(|(_, word)| on(word.sides));
    let regexes = policy.regexes.iter().enumerate().filter(|(_, rule)| on(rule.sides));
    Active {
        words: words.map(|(at, _)| at).collect(),
        profanity: policy.profanity.is_some_and(on),
        pii: kinds.into_iter().collect(),
        regexes: regexes.map(|(at, _)| at).collect(),
    }
}

pub(crate) fn acts(does: Does) -> Acted {
    match does {
        Does::Off | Does::Detect => Acted::None,
        Does::Mask => Acted::Masked,
        Does::Block => Acted::Blocked,
    }
}

/// Which confidence each strength acts on ("Filter strength" of the user guide).
pub(crate) fn enough(strength: Strength, confidence: Confidence) -> bool {
    match strength {
        Strength::None => false,
        Strength::Low => confidence >= Confidence::High,
        Strength::Medium => confidence >= Confidence::Medium,
        Strength::High => confidence >= Confidence::Low,
    }
}

pub(crate) fn contents<'p, 't>(passages: &'p [Passage<'t>]) -> impl Iterator<Item = (usize, &'p Passage<'t>)> {
    passages.iter().enumerate().filter(|(_, passage)| passage.role == Role::Content)
}

fn characters(text: &str) -> u64 {
    u64::try_from(text.chars().count()).unwrap_or(u64::MAX)
}

fn coverage(passages: &[Passage<'_>]) -> Coverage {
    let guarded = contents(passages).map(|(_, passage)| characters(passage.text)).sum();
    let total = passages.iter().map(|passage| characters(passage.text)).sum();
    Coverage { guarded, total }
}

/// All passages of a role as one text: several sources, or queries, are one.
fn joined(passages: &[Passage<'_>], role: Role) -> Option<String> {
    let texts: Vec<&str> = passages.iter().filter(|passage| passage.role == role).map(|passage| passage.text).collect();
    if texts.is_empty() { None } else { Some(texts.join("\n")) }
}

/// The answer as one text, and where in it each passage begins.
fn response(passages: &[Passage<'_>]) -> (String, Vec<(usize, usize)>) {
    let (mut whole, mut starts) = (String::new(), Vec::new());
    for (at, passage) in contents(passages) {
        if !whole.is_empty() {
            whole.push('\n');
        }
        starts.push((at, whole.len()));
        whole.push_str(passage.text);
    }
    (whole, starts)
}

/// Where a stretch of the whole answer lies in its passages.
fn place(starts: &[(usize, usize)], range: &Range<usize>) -> Option<(usize, Range<usize>)> {
    let (at, start) = starts.iter().rev().find(|(_, start)| *start <= range.start)?;
    Some((*at, range.start - start..range.end.saturating_sub(*start)))
}

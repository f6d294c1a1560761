//! The rule by which a router chooses: a sum of named features, so that every choice can be explained.
//!
//! AWS trains a model to predict how good each answer would be. This rule predicts the same from what can be seen. How
//! far two models can differ at all is taken from their list prices (`gap`); how much of that a prompt needs, from its
//! features (`Features::weigh`). Where the product exceeds the router's response quality difference the more capable
//! model answers, else the less costly one. `docs/prompt-routers.md` has the table and the reasons.

mod features;
#[cfg(test)]
mod tests;

pub use features::Features;

use outcrop_api::bedrock_runtime::ConverseRequest;
use rust_decimal::prelude::ToPrimitive;

use crate::catalogue::Model;
use crate::{Resolved, Router};

/// Percent of quality that a doubling of the list price stands for.
const PER_DOUBLING: f64 = 20.0;

/// A choice, with all that led to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// Which of the router's candidates.
    pub chosen: usize,
    /// What decided.
    pub reason: Reason,
    /// By how many percent the more capable model's answer would be better, as predicted.
    pub gain: f64,
    /// What each feature has added to the gain, in percent; features that add nothing are left out.
    pub contributions: Vec<(&'static str, f64)>,
}

/// What decided a choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The gain exceeds the response quality difference: the more capable model.
    WorthIt,
    /// It does not: the less costly one.
    NotWorthIt,
    /// Nothing is known by which the models differ: the fallback.
    Alike,
    /// One of them cannot take the request, for what is named here: the other.
    OnlyOne(&'static str),
}

/// Chooses between a router's candidates.
pub fn choose(router: &Router, request: &ConverseRequest, streaming: bool) -> Decision {
    let features = Features::of(request);
    let fallback = |reason| Decision { chosen: router.fallback, reason, gain: 0.0, contributions: Vec::new() };
    let [one, two] = router.candidates.as_slice() else { return fallback(Reason::Alike) };
    let lacks = |resolved: &Resolved| features.lacking(resolved, streaming);
    match (lacks(one), lacks(two)) {
        (Some(what), None) => return Decision { chosen: 1, ..fallback(Reason::OnlyOne(what)) },
        (None, Some(what)) => return Decision { chosen: 0, ..fallback(Reason::OnlyOne(what)) },
        // Where neither can, the fallback says so in its own words.
        (None, None) | (Some(_), Some(_)) => {}
    }
    let gap = gap(&one.model, &two.model);
    if gap == 0.0 {
        return fallback(Reason::Alike);
    }
    let needs = features.weigh();
    let needed: f64 = needs.iter().map(|(_, weight)| weight).sum();
    // More than all of the difference between two models cannot be had.
    let scale = gap.abs() * (1.0 / needed).min(1.0);
    let contributions: Vec<_> = needs.iter().map(|(name, weight)| (*name, weight * scale)).collect();
    let gain = contributions.iter().map(|(_, gain)| gain).sum();
    let (capable, cheap) = if gap > 0.0 { (0, 1) } else { (1, 0) };
    let worth = gain > router.quality_difference;
    let (chosen, reason) = if worth { (capable, Reason::WorthIt) } else { (cheap, Reason::NotWorthIt) };
    Decision { chosen, reason, gain, contributions }
}

/// By how many percent the answers of `one` may be better than those of `two`; negative where `two` is more capable.
/// Providers price the models of a family by what they can do; where a price is unknown, the tokens that a model may
/// write, then those that it may read, stand for it.
fn gap(one: &Model, two: &Model) -> f64 {
    let price = |model: &Model| {
        let price = model.price.as_ref()?;
        (price.input? + price.output?).to_f64()
    };
    let tokens = |tokens: Option<u32>| tokens.map(f64::from);
    let pairs = [
        (price(one), price(two)),
        (tokens(one.max_output), tokens(two.max_output)),
        (tokens(one.context), tokens(two.context)),
    ];
    for (one, two) in pairs {
        if let (Some(one), Some(two)) = (one, two)
            && one > 0.0
            && two > 0.0
            && one != two
        {
            return (PER_DOUBLING * (one / two).log2()).clamp(-100.0, 100.0);
        }
    }
    0.0
}

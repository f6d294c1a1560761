//! What was learnt: how common words are, and what each feature of a claim is worth.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::claim::FEATURES;
use super::text::Token;

/// Weights of contextual grounding; small enough to be read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// How much a stem says, for stems that are common.
    pub common: HashMap<String, f32>,
    /// How much every other stem says.
    pub rare: f32,
    /// What holds before anything is known, for grounding.
    pub grounding_bias: f32,
    /// What each of [`FEATURES`] is worth.
    pub grounding: Vec<f32>,
    /// The same for relevance.
    pub relevance_bias: f32,
    /// What each of [`super::relevance::FEATURES`] is worth.
    pub relevance: Vec<f32>,
}

static TRAINED: LazyLock<Result<Model, String>> =
    LazyLock::new(|| Model::read(include_str!("../../weights/grounding.json")));

impl Model {
    /// The model that is part of this crate.
    pub fn trained() -> Result<&'static Self, String> {
        TRAINED.as_ref().map_err(Clone::clone)
    }

    /// A model from its file.
    pub fn read(json: &str) -> Result<Self, String> {
        let model: Self = serde_json::from_str(json).map_err(|error| error.to_string())?;
        let whole =
            model.grounding.len() == FEATURES.len() && model.relevance.len() == super::relevance::FEATURES.len();
        let finite =
            model.grounding.iter().chain(&model.relevance).all(|weight| weight.is_finite()) && model.rare > 0.0;
        if whole && finite { Ok(model) } else { Err("grounding.json is not of this version".to_owned()) }
    }

    /// Its file.
    pub fn write(&self) -> String {
        let rounded = |weight: f32| (f64::from(weight) * 1e4).round() / 1e4;
        let list = |weights: &[f32]| weights.iter().map(|weight| rounded(*weight)).collect::<Vec<f64>>();
        let common: std::collections::BTreeMap<&String, f64> =
            self.common.iter().map(|(stem, weight)| (stem, rounded(*weight))).collect();
        let file = serde_json::json!({
            "rare": rounded(self.rare),
            "grounding_bias": rounded(self.grounding_bias),
            "grounding": list(&self.grounding),
            "relevance_bias": rounded(self.relevance_bias),
            "relevance": list(&self.relevance),
            "common": common,
        });
        format!("{file}\n")
    }

    /// How much `token` says.
    pub(super) fn weight(&self, token: &Token) -> f32 {
        if token.empty {
            return 0.0;
        }
        let weight = self.common.get(&token.stem).copied().unwrap_or(self.rare);
        // Who, and how many: what a claim stands or falls with.
        if token.name || token.value.is_some() { weight.max(0.5) * FACT } else { weight }
    }

    /// How much the rarest word says.
    pub(super) fn rarest(&self) -> f32 {
        self.rare * FACT
    }
}

/// What a name or a number weighs against another word as rare.
const FACT: f32 = 1.5;

/// `bias` and the weighted features, squeezed into 0 to 1.
pub(super) fn squeezed(bias: f32, weights: &[f32], features: &[f32]) -> f32 {
    let sum: f32 = bias + weights.iter().zip(features).map(|(weight, feature)| weight * feature).sum::<f32>();
    1.0 / (1.0 + (-sum).exp())
}

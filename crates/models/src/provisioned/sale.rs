//! What can be bought, and how much of it is left.

use std::collections::BTreeMap;
use std::sync::Arc;

use outcrop_resources::{Op, Scope};

use crate::Models;
use crate::catalogue::Model;
use crate::error::ModelsError;
use crate::identifier::Identifier;

/// Units are counted over all accounts and Regions: they are this server's.
const EVERYONE: Scope<'static> = Scope { account: "", region: "" };

/// The model units that this server has to sell.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Units {
    /// Of all models together.
    pub all: u32,
    /// Of one model, by its base id, where it has fewer.
    pub by_model: BTreeMap<String, u32>,
}

/// A model that throughput can be bought for.
pub(super) struct Sold {
    /// The model.
    pub(super) model: Arc<Model>,
    /// Its id as it was asked, with the suffix of a window.
    pub(super) id: String,
}

/// What `identifier`, a model id or ARN of this Region, names, if throughput is sold for it.
pub(super) fn model(models: &Models, region: &str, identifier: &str) -> Result<Sold, ModelsError> {
    let id = match Identifier::parse(identifier) {
        Identifier::Model(id) => id,
        Identifier::ModelArn { region: named, id } if named == region => id,
        Identifier::OtherArn => return Err(ModelsError::Unresolved),
        _ => return Err(ModelsError::InvalidIdentifier),
    };
    let (model, _) = models.catalogue().find(id).ok_or(ModelsError::InvalidIdentifier)?;
    // AWS's console sells a window of most models (":200k" of Claude 3 Haiku); the base id stands for the model's own.
    if model.local || model.provisioned || !model.variants.is_empty() {
        return Ok(Sold { model: Arc::clone(model), id: id.to_owned() });
    }
    Err(ModelsError::NotSold(model.id.clone()))
}

/// Takes units of those that are left; the transaction fails where there are too few.
pub(super) fn sell(models: &Models, model: &Model, units: i64) -> [Op; 2] {
    let limits = &models.settings().units;
    let most = limits.by_model.get(&model.id).map_or(i64::MAX, |units| i64::from(*units));
    [count("", units, i64::from(limits.all)), count(&model.id, units, most)]
}

/// Gives units back, however many more were sold than now could be.
pub(super) fn give_back(model: &str, units: i64) -> [Op; 2] {
    [count("", -units, i64::MAX), count(model, -units, i64::MAX)]
}

fn count(model: &str, by: i64, max: i64) -> Op {
    let counter = format!("provisioned-units/{model}");
    Op::Add { scope: EVERYONE.owned(), counter, by, min: 0, max }
}

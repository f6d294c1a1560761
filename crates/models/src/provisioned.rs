//! Provisioned throughput: model units that an account has reserved, and the ARN under which it uses them.
//!
//! One transaction writes the resource, its entry among the reservations and the count of units sold, so that no
//! server sells more than it has. Memory holds the reservations: what is in the store and not yet there is `Creating`
//! (or `Updating`), and what names a model that the catalogue no longer has is `Failed`.

mod list;
mod sale;
mod state;
#[cfg(test)]
mod tests;

pub use list::list;
pub use sale::Units;

use jiff::Timestamp;
use outcrop_access::Context;
use outcrop_api::bedrock::{
    CommitmentDuration, CreateProvisionedModelThroughputRequest, CreateProvisionedModelThroughputResponse,
    DeleteProvisionedModelThroughputRequest, DeleteProvisionedModelThroughputResponse,
    GetProvisionedModelThroughputRequest, GetProvisionedModelThroughputResponse,
    UpdateProvisionedModelThroughputRequest, UpdateProvisionedModelThroughputResponse,
};
use outcrop_resources::tags::pairs;
use outcrop_resources::{ClientToken, Create, Error, Ids, Kind, Resource, Scope, Tag};
use serde::{Deserialize, Serialize};

use crate::Models;
use crate::error::ModelsError;
use crate::models::scope;
use crate::regions;

/// Provisioned models, as resources.
pub const PROVISIONED: Kind =
    Kind { name: "provisioned-model", noun: "Provisioned model", arn: "provisioned-model", ids: Ids::Lower };

/// What is kept of a provisioned model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provisioned {
    /// The id of its model, with the suffix of the window that was bought.
    pub model: String,
    /// The model's base id, under which units are counted.
    pub base: String,
    /// Its model units.
    pub units: u32,
    /// `OneMonth` or `SixMonths`; by the hour where there is none.
    pub commitment: Option<String>,
}

/// The same as every invocation may need it, whoever's it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reserved {
    /// Its account.
    pub account: String,
    /// Its Region.
    pub region: String,
    /// Its name, by which it can be invoked too.
    pub name: String,
    /// As [`Provisioned::model`].
    pub model: String,
    /// As [`Provisioned::base`].
    pub base: String,
    /// Its model units.
    pub units: u32,
}

/// One of them, with what its price depends on.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// Its ARN.
    pub arn: String,
    /// What it is.
    pub reserved: Reserved,
    /// As [`Provisioned::commitment`].
    pub commitment: Option<String>,
    /// When it was made.
    pub created: Timestamp,
}

/// All that stand, whoever's they are: they are paid for by the hour, used or not.
pub async fn standing(models: &Models) -> Result<Vec<Standing>, ModelsError> {
    let mut standing = Vec::new();
    for (arn, reserved) in models.memory.reserved().now().iter() {
        let scope = Scope { account: &reserved.account, region: &reserved.region };
        match models.provisioned.get(scope, arn).await {
            Ok(found) => standing.push(Standing {
                arn: arn.clone(),
                reserved: (**reserved).clone(),
                commitment: found.value.commitment,
                created: found.created,
            }),
            // Given back since.
            Err(Error::NotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(standing)
}

/// Reserves throughput for a model.
pub async fn create(
    cx: &Context,
    models: &Models,
    input: CreateProvisionedModelThroughputRequest,
) -> Result<CreateProvisionedModelThroughputResponse, ModelsError> {
    let tags: Vec<_> = input.tags.unwrap_or_default().into_iter().map(|t| Tag { key: t.key, value: t.value }).collect();
    let ask = |action| cx.ask(action).request_tags(pairs(&tags));
    // The action is on the model, however the caller has spelled it; who may not is not told what exists.
    let spelled = match input.model_id.starts_with("arn:") {
        true => input.model_id.clone(),
        false => regions::model_arn(&cx.region, &input.model_id),
    };
    let sold = sale::model(models, &cx.region, &input.model_id);
    let asked = sold.as_ref().map_or(spelled, |sold| models.arn(&cx.region, &sold.model));
    ask("bedrock:CreateProvisionedModelThroughput").on(&asked).check()?;
    if !tags.is_empty() {
        ask("bedrock:TagResource").on(&PROVISIONED.arn(scope(cx), "*")).check()?;
    }
    let sold = sold?;
    models.accessible(&cx.caller.account, &sold.model)?;
    let provisioned = Provisioned {
        model: sold.id,
        base: sold.model.id.clone(),
        units: u32::try_from(input.model_units).unwrap_or(1),
        commitment: input.commitment_duration.as_ref().map(|term| term.as_str().to_owned()),
    };
    let name = &input.provisioned_model_name;
    let reserved = Reserved::of(cx, name, &provisioned);
    let also = |arn: &str| {
        let [all, of_model] = sale::sell(models, &sold.model, i64::from(provisioned.units));
        Ok(vec![models.memory.reserved().insert(arn, &reserved)?, all, of_model])
    };
    let token = input.client_request_token.as_deref();
    let new = Create {
        name: Some(name),
        tags: &tags,
        client_token: token.map(|token| ClientToken { operation: "CreateProvisionedModelThroughput", token }),
        also: Some(&also),
        ..Create::new(&provisioned)
    };
    let made = models.provisioned.create(scope(cx), new).await.map_err(|error| refusal(error, &sold.model.id))?;
    models.memory.reserved().catch_up().await?;
    Ok(CreateProvisionedModelThroughputResponse { provisioned_model_arn: made.arn })
}

/// Tells one, by name or ARN.
pub async fn get(
    cx: &Context,
    models: &Models,
    input: GetProvisionedModelThroughputRequest,
) -> Result<GetProvisionedModelThroughputResponse, ModelsError> {
    let found = find(cx, models, "bedrock:GetProvisionedModelThroughput", &input.provisioned_model_id).await?;
    let (status, failure_message) = state::of(models, &found);
    let s = state::summary(models, &cx.region, found);
    Ok(GetProvisionedModelThroughputResponse {
        model_units: s.model_units,
        desired_model_units: s.desired_model_units,
        provisioned_model_name: s.provisioned_model_name,
        provisioned_model_arn: s.provisioned_model_arn,
        model_arn: s.model_arn,
        desired_model_arn: s.desired_model_arn,
        foundation_model_arn: s.foundation_model_arn,
        status,
        creation_time: s.creation_time,
        last_modified_time: s.last_modified_time,
        failure_message,
        commitment_duration: s.commitment_duration,
        commitment_expiration_time: s.commitment_expiration_time,
    })
}

/// Renames one. Its model can change only between a custom model and the one that it was made from.
pub async fn update(
    cx: &Context,
    models: &Models,
    input: UpdateProvisionedModelThroughputRequest,
) -> Result<UpdateProvisionedModelThroughputResponse, ModelsError> {
    let found = find(cx, models, "bedrock:UpdateProvisionedModelThroughput", &input.provisioned_model_id).await?;
    if let Some(desired) = &input.desired_model_id {
        let sold = sale::model(models, &cx.region, desired)?;
        if sold.id != found.value.model {
            return Err(ModelsError::Validation(format!(
                "desiredModelId: provisioned throughput of the base model {} cannot move to another base model, only a \
                 custom model's to its base model and back.",
                found.value.model
            )));
        }
    }
    let rename = |resource: &mut Resource<Provisioned>| {
        if let Some(name) = &input.desired_provisioned_model_name {
            resource.name = Some(name.clone());
        }
        let reserved = Reserved::of(cx, resource.name.as_deref().unwrap_or_default(), &resource.value);
        Ok::<_, Error>(vec![models.memory.reserved().put(&resource.arn, &reserved)?])
    };
    let renamed = models.provisioned.update_with(scope(cx), &found.id, rename).await;
    renamed.map_err(|error| refusal(error, &found.value.model))?;
    models.memory.reserved().catch_up().await?;
    Ok(UpdateProvisionedModelThroughputResponse::default())
}

/// Gives one back, once its commitment is over.
pub async fn delete(
    cx: &Context,
    models: &Models,
    input: DeleteProvisionedModelThroughputRequest,
) -> Result<DeleteProvisionedModelThroughputResponse, ModelsError> {
    let found = find(cx, models, "bedrock:DeleteProvisionedModelThroughput", &input.provisioned_model_id).await?;
    if let Some(end) = state::expiration(&found).filter(|end| *end > Timestamp::now()) {
        return Err(ModelsError::Committed { name: found.name.unwrap_or_default(), end });
    }
    let mut also = vec![models.memory.reserved().discard(&found.arn)];
    also.extend(sale::give_back(&found.value.base, i64::from(found.value.units)));
    models.provisioned.delete_with(scope(cx), &found.id, also).await?;
    models.memory.reserved().catch_up().await?;
    Ok(DeleteProvisionedModelThroughputResponse::default())
}

impl Reserved {
    fn of(cx: &Context, name: &str, provisioned: &Provisioned) -> Self {
        Self {
            account: cx.caller.account.clone(),
            region: cx.region.clone(),
            name: name.to_owned(),
            model: provisioned.model.clone(),
            base: provisioned.base.clone(),
            units: provisioned.units,
        }
    }
}

/// The resource of a name, an id or an ARN, if the caller may do this to it.
async fn find(
    cx: &Context,
    models: &Models,
    action: &str,
    identifier: &str,
) -> Result<Resource<Provisioned>, ModelsError> {
    // What is not this caller's does not exist, before it is forbidden.
    let unknown = || Error::NotFound { noun: PROVISIONED.noun, identifier: identifier.to_owned() };
    let id = PROVISIONED.id(scope(cx), identifier).ok_or_else(unknown)?;
    let named = models.provisioned.find(scope(cx), identifier).await?;
    let asked = named.as_ref().map_or_else(|| PROVISIONED.arn(scope(cx), id), |found| found.arn.clone());
    let tags = models.tags(cx, &asked).await?;
    cx.ask(action).on(&asked).resource_tags(pairs(&tags)).check()?;
    match named {
        Some(found) => Ok(found),
        None => Ok(models.provisioned.get(scope(cx), id).await?),
    }
}

/// A refused write in the kinds that these operations declare: they have no ConflictException.
fn refusal(error: Error, model: &str) -> ModelsError {
    match error {
        Error::Store(outcrop_store::Error::OutOfBounds { .. }) => ModelsError::SoldOut(model.to_owned()),
        Error::NameInUse { .. } | Error::TokenReused => ModelsError::Validation(error.to_string()),
        other => other.into(),
    }
}

/// The term of a commitment, as the service model names it.
fn term(commitment: Option<&str>) -> Option<CommitmentDuration> {
    commitment.map(CommitmentDuration::from)
}

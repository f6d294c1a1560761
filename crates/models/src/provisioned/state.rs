//! How a provisioned model stands, and how it is shown.

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use outcrop_api::bedrock::{ProvisionedModelStatus, ProvisionedModelSummary};
use outcrop_resources::Resource;

use super::{Provisioned, term};
use crate::{Models, regions};

/// The status, and why where it is `Failed`. What the store holds is in service once memory, by which calls are
/// admitted, holds the same.
pub(super) fn of(models: &Models, stored: &Resource<Provisioned>) -> (ProvisionedModelStatus, Option<String>) {
    let model = &stored.value.model;
    if models.catalogue().find(model).is_none() {
        let text = format!("This server no longer has the model {model}.");
        return (ProvisionedModelStatus::Failed, Some(text));
    }
    let status = match models.memory.reserved().get(&stored.arn) {
        None => ProvisionedModelStatus::Creating,
        Some(reserved) if Some(reserved.name.as_str()) != stored.name.as_deref() || reserved.model != *model => {
            ProvisionedModelStatus::Updating
        }
        Some(_) => ProvisionedModelStatus::InService,
    };
    (status, None)
}

/// When the commitment is over: so many months of the calendar after it was made, in UTC.
pub(super) fn expiration(stored: &Resource<Provisioned>) -> Option<Timestamp> {
    let months = match stored.value.commitment.as_deref()? {
        "OneMonth" => 1,
        "SixMonths" => 6,
        _ => return None,
    };
    let end = stored.created.to_zoned(TimeZone::UTC).checked_add(Span::new().months(months)).ok()?;
    Some(end.timestamp())
}

/// One entry of the list.
pub(super) fn summary(models: &Models, region: &str, stored: Resource<Provisioned>) -> ProvisionedModelSummary {
    let (status, _) = of(models, &stored);
    let commitment_expiration_time = expiration(&stored);
    let arn = regions::model_arn(region, &stored.value.model);
    // Until the change is in memory, calls go where they went.
    let current = models.memory.reserved().get(&stored.arn).map(|reserved| regions::model_arn(region, &reserved.model));
    let units = i32::try_from(stored.value.units).unwrap_or(i32::MAX);
    ProvisionedModelSummary {
        provisioned_model_name: stored.name.unwrap_or_default(),
        provisioned_model_arn: stored.arn,
        model_arn: current.unwrap_or_else(|| arn.clone()),
        desired_model_arn: arn.clone(),
        foundation_model_arn: arn,
        model_units: units,
        desired_model_units: units,
        status,
        commitment_duration: term(stored.value.commitment.as_deref()),
        commitment_expiration_time,
        creation_time: stored.created,
        last_modified_time: stored.updated,
    }
}

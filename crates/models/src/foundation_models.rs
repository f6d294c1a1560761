//! The catalogue's operations: ListFoundationModels, GetFoundationModel, GetFoundationModelAvailability.

#[cfg(test)]
mod tests;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use outcrop_access::Context;
use outcrop_api::bedrock::{
    AgreementAvailability, AgreementStatus, AuthorizationStatus, EntitlementAvailability, FoundationModelDetails,
    FoundationModelLifecycle, FoundationModelLifecycleStatus, FoundationModelSummary,
    GetFoundationModelAvailabilityRequest, GetFoundationModelAvailabilityResponse, GetFoundationModelRequest,
    GetFoundationModelResponse, InferenceType, ListFoundationModelsRequest, ListFoundationModelsResponse,
    ModelCustomization, ModelModality, RegionAvailability,
};

use crate::Models;
use crate::catalogue::{Lifecycle, Model, Status};
use crate::error::ModelsError;
use crate::identifier::Identifier;
use crate::model_access::Standing;
use crate::regions;

/// Lists the models that the Region offers, and those of this machine, by id.
pub async fn list(
    cx: &Context,
    models: &Models,
    input: ListFoundationModelsRequest,
) -> Result<ListFoundationModelsResponse, ModelsError> {
    cx.allow("bedrock:ListFoundationModels", "*")?;
    let every = models.settings().list_every_region || !regions::known(&cx.region);
    let mut summaries = Vec::new();
    for model in models.catalogue().iter() {
        // What only the mantle endpoint serves is not in this list at AWS either.
        if model.mantle || !(every || model.local || model.offered_in(&cx.region)) {
            continue;
        }
        let base = summary(model, &cx.region, "");
        let windows = model.variants.iter().map(|suffix| summary(model, &cx.region, suffix));
        summaries.extend([base].into_iter().chain(windows).filter(|s| fits(s, &input)));
    }
    // A window's suffix sorts before some ids of other models.
    summaries.sort_by(|a, b| a.model_id.cmp(&b.model_id));
    Ok(ListFoundationModelsResponse { model_summaries: Some(summaries) })
}

/// Tells one model, by id or ARN.
pub async fn get(
    cx: &Context,
    models: &Models,
    input: GetFoundationModelRequest,
) -> Result<GetFoundationModelResponse, ModelsError> {
    let (model, suffix) = find(models, &cx.region, &input.model_identifier)?;
    cx.allow("bedrock:GetFoundationModel", &models.arn(&cx.region, model))?;
    let s = summary(model, &cx.region, suffix);
    let details = FoundationModelDetails {
        model_arn: s.model_arn,
        model_id: s.model_id,
        model_name: s.model_name,
        provider_name: s.provider_name,
        input_modalities: s.input_modalities,
        output_modalities: s.output_modalities,
        response_streaming_supported: s.response_streaming_supported,
        customizations_supported: s.customizations_supported,
        inference_types_supported: s.inference_types_supported,
        model_lifecycle: s.model_lifecycle,
    };
    Ok(GetFoundationModelResponse { model_details: Some(details) })
}

/// Tells whether this caller can use a model here: what the account has agreed to, where it must, and the Region.
pub async fn availability(
    cx: &Context,
    models: &Models,
    input: GetFoundationModelAvailabilityRequest,
) -> Result<GetFoundationModelAvailabilityResponse, ModelsError> {
    let (model, _) = find(models, &cx.region, &input.model_id)?;
    // An action without resources, says the service authorization reference.
    cx.allow("bedrock:GetFoundationModelAvailability", "*")?;
    let offered = model.local || model.offered_in(&cx.region) || !regions::known(&cx.region);
    let standing = models.standing(&cx.caller.account, model);
    let (agreement, entitlement) = match standing {
        Standing::Accessible => (AgreementStatus::Available, EntitlementAvailability::Available),
        _ => (AgreementStatus::NotAvailable, EntitlementAvailability::NotAvailable),
    };
    Ok(GetFoundationModelAvailabilityResponse {
        model_id: input.model_id,
        agreement_availability: AgreementAvailability { status: agreement, error_message: None },
        authorization_status: match standing {
            Standing::NoUseCase => AuthorizationStatus::NotAuthorized,
            _ => AuthorizationStatus::Authorized,
        },
        entitlement_availability: entitlement,
        region_availability: if offered { RegionAvailability::Available } else { RegionAvailability::NotAvailable },
    })
}

/// The model that an id or an ARN of this Region names, and the suffix of its window.
fn find<'a>(models: &'a Models, region: &str, identifier: &'a str) -> Result<(&'a Model, &'a str), ModelsError> {
    let id = match Identifier::parse(identifier) {
        Identifier::Model(id) => id,
        Identifier::ModelArn { region: named, id } if named == region => id,
        _ => return Err(ModelsError::Unresolved),
    };
    let (model, _) = models.catalogue().find(id).ok_or(ModelsError::Unresolved)?;
    Ok((model, id.strip_prefix(model.id.as_str()).unwrap_or_default()))
}

/// The model as the list shows it; with a suffix, one of its windows, for which only throughput is sold.
fn summary(model: &Model, region: &str, suffix: &str) -> FoundationModelSummary {
    let id = format!("{}{suffix}", model.id);
    let mut types = Vec::new();
    // In a Region that AWS does not have there is no truth to report but that the model answers.
    if suffix.is_empty() && (model.on_demand_in(region) || (!regions::known(region) && model.on_demand())) {
        types.push(InferenceType::OnDemand);
    }
    if model.provisioned || !suffix.is_empty() {
        types.push(InferenceType::Provisioned);
    }
    FoundationModelSummary {
        model_arn: regions::model_arn(region, &id),
        model_id: id,
        model_name: Some(model.name.clone()),
        provider_name: Some(model.provider.clone()),
        input_modalities: Some(modalities(&model.input)),
        output_modalities: Some(modalities(&model.output)),
        response_streaming_supported: Some(model.streaming),
        customizations_supported: Some(
            model.customizations.iter().map(|c| ModelCustomization::from(c.as_str())).collect(),
        ),
        inference_types_supported: Some(types),
        model_lifecycle: Some(lifecycle(&model.lifecycle)),
    }
}

/// The modalities that the service model lists. AWS shows VIDEO and SPEECH too, which its own model does not have.
fn modalities(names: &[String]) -> Vec<ModelModality> {
    let listed = names.iter().map(|n| ModelModality::from(n.as_str()));
    listed.filter(|m| !matches!(m, ModelModality::Unlisted(_))).collect()
}

fn lifecycle(of: &Lifecycle) -> FoundationModelLifecycle {
    let time = |day: Option<Date>| day.and_then(|d| d.to_zoned(TimeZone::UTC).ok()).map(|z| z.timestamp());
    FoundationModelLifecycle {
        status: match of.status {
            Status::Active => FoundationModelLifecycleStatus::Active,
            Status::Legacy => FoundationModelLifecycleStatus::Legacy,
        },
        start_of_life_time: time(of.start),
        legacy_time: time(of.legacy),
        public_extended_access_time: time(of.extended),
        end_of_life_time: time(of.end),
    }
}

fn fits(model: &FoundationModelSummary, filter: &ListFoundationModelsRequest) -> bool {
    fn holds<T: PartialEq>(list: &Option<Vec<T>>, wanted: &Option<T>) -> bool {
        wanted.as_ref().is_none_or(|w| list.as_ref().is_some_and(|l| l.contains(w)))
    }
    // Samples write `anthropic` where the list says `Anthropic`.
    let provider = filter.by_provider.as_ref().is_none_or(|wanted| {
        model.provider_name.as_ref().is_some_and(|name| name.eq_ignore_ascii_case(wanted))
            || model.model_id.split('.').next().is_some_and(|start| start.eq_ignore_ascii_case(wanted))
    });
    provider
        && holds(&model.output_modalities, &filter.by_output_modality)
        && holds(&model.customizations_supported, &filter.by_customization_type)
        && holds(&model.inference_types_supported, &filter.by_inference_type)
}

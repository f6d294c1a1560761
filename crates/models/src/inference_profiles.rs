//! Inference profiles: those that AWS defines for each geography, and those that callers create as copies of a model
//! or of a system-defined profile, to count their own use apart.

mod system;
#[cfg(test)]
mod tests;

use outcrop_access::Context;
use outcrop_api::bedrock::{
    CreateInferenceProfileRequest, CreateInferenceProfileResponse, DeleteInferenceProfileRequest,
    DeleteInferenceProfileResponse, GetInferenceProfileRequest, GetInferenceProfileResponse, InferenceProfileModel,
    InferenceProfileModelSource, InferenceProfileStatus, InferenceProfileSummary, InferenceProfileType,
    ListInferenceProfilesRequest, ListInferenceProfilesResponse,
};
use outcrop_resources::tags::pairs;
use outcrop_resources::{ClientToken, Create, Ids, Kind, Page, Resource, Scope, Tag};
use serde::{Deserialize, Serialize};

use crate::Models;
use crate::error::ModelsError;
use crate::identifier::{Identifier, SystemProfile};
use crate::models::{owner, scope};
use crate::regions;

/// The profiles that callers create.
pub const PROFILE: Kind = Kind {
    name: "inference-profile",
    noun: "Inference profile",
    arn: "application-inference-profile",
    ids: Ids::Lower,
};
/// What of this crate can have a policy.
pub const KINDS: &[Kind] = &[PROFILE];

/// What is kept of a profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// Its name; AWS lets several profiles have one.
    pub name: String,
    /// Its description.
    pub description: Option<String>,
    /// The ARN of the model or system-defined profile that it copies.
    pub copy_from: String,
    /// The ARNs of the models that it reaches, as they were at its making.
    pub models: Vec<String>,
}

/// Creates a profile from a model or a system-defined profile.
pub async fn create(
    cx: &Context,
    models: &Models,
    input: CreateInferenceProfileRequest,
) -> Result<CreateInferenceProfileResponse, ModelsError> {
    let InferenceProfileModelSource::CopyFrom(copy_from) = input.model_source else {
        return Err(ModelsError::Validation("modelSource must have the member copyFrom.".to_owned()));
    };
    let tags: Vec<_> = input.tags.unwrap_or_default().into_iter().map(|t| Tag { key: t.key, value: t.value }).collect();
    let new = PROFILE.arn(scope(cx), "*");
    let ask = |action| cx.ask(action).request_tags(pairs(&tags));
    ask("bedrock:CreateInferenceProfile").on(&new).check()?;
    let source = source(cx, models, &copy_from)?;
    // The action is on what is copied too, however the caller has spelled it, and tags are given by their own.
    ask("bedrock:CreateInferenceProfile").on(&source.asked).check()?;
    let profile = Profile {
        name: input.inference_profile_name,
        description: input.description,
        models: source.models,
        copy_from: source.arn,
    };
    if !tags.is_empty() {
        ask("bedrock:TagResource").on(&new).check()?;
    }
    let token = input.client_request_token.as_deref();
    let new = Create {
        tags: &tags,
        client_token: token.map(|token| ClientToken { operation: "CreateInferenceProfile", token }),
        ..Create::new(&profile)
    };
    let made = models.profiles.create(scope(cx), new).await?;
    Ok(CreateInferenceProfileResponse { inference_profile_arn: made.arn, status: Some(InferenceProfileStatus::Active) })
}

/// What a profile copies.
struct Source {
    /// Its ARN as policies name it.
    asked: String,
    /// The same with the window that the caller chose.
    arn: String,
    /// The models that it reaches.
    models: Vec<String>,
}

/// What `arn` names, if a profile can copy it.
fn source(cx: &Context, models: &Models, arn: &str) -> Result<Source, ModelsError> {
    match Identifier::parse(arn) {
        Identifier::ModelArn { region, id } if region == cx.region => {
            let (model, _) = models.catalogue().find(id).ok_or(ModelsError::InvalidIdentifier)?;
            if models.settings().enforce_on_demand && !model.on_demand_in(&cx.region) {
                return Err(ModelsError::CopyWithoutOnDemand);
            }
            let arn = regions::model_arn(&cx.region, id);
            Ok(Source { asked: regions::model_arn(&cx.region, &model.id), models: vec![arn.clone()], arn })
        }
        Identifier::ProfileArn { region, account, profile: Some(profile), .. }
            if region == cx.region && (account == cx.caller.account || account.is_empty()) =>
        {
            let found = system::find(models, &cx.region, profile).ok_or(ModelsError::InvalidIdentifier)?;
            let arn = found.show(cx).inference_profile_arn;
            Ok(Source { asked: arn.clone(), arn, models: found.models })
        }
        _ => Err(ModelsError::InvalidIdentifier),
    }
}

/// Tells one profile, by id or ARN.
pub async fn get(
    cx: &Context,
    models: &Models,
    input: GetInferenceProfileRequest,
) -> Result<GetInferenceProfileResponse, ModelsError> {
    let shown = match named(cx, models, &input.inference_profile_identifier)? {
        Named::System(profile) => {
            let shown = profile.show(cx);
            cx.allow("bedrock:GetInferenceProfile", &shown.inference_profile_arn)?;
            shown
        }
        Named::Stored(owner, id) => {
            may(cx, models, "bedrock:GetInferenceProfile", &PROFILE.arn(owner, id)).await?;
            show(models.profiles.get(owner, id).await?)
        }
    };
    Ok(GetInferenceProfileResponse {
        inference_profile_name: shown.inference_profile_name,
        description: shown.description,
        created_at: shown.created_at,
        updated_at: shown.updated_at,
        inference_profile_arn: shown.inference_profile_arn,
        models: shown.models,
        inference_profile_id: shown.inference_profile_id,
        status: shown.status,
        r#type: shown.r#type,
    })
}

/// Lists the profiles that AWS defines for the Region, by id, then the caller's own, oldest first.
pub async fn list(
    cx: &Context,
    models: &Models,
    input: ListInferenceProfilesRequest,
) -> Result<ListInferenceProfilesResponse, ModelsError> {
    cx.allow("bedrock:ListInferenceProfiles", "*")?;
    let wanted = |one| input.type_equals.as_ref().is_none_or(|t| *t == one);
    let (defined, own) = (wanted(InferenceProfileType::SystemDefined), wanted(InferenceProfileType::Application));
    let fixed = if defined { system::all(models, &cx.region) } else { Vec::new() };
    let page = Page {
        operation: "ListInferenceProfiles",
        max_results: input.max_results,
        next_token: input.next_token.as_deref(),
        filter: input.type_equals.as_ref().map_or("", |t| t.as_str()),
        ..Page::default()
    };
    let fixed = fixed.iter().map(|profile| profile.show(cx)).collect();
    let listed = models.profiles.list_after(scope(cx), &page, fixed, |stored| own.then(|| show(stored))).await?;
    Ok(ListInferenceProfilesResponse { inference_profile_summaries: Some(listed.items), next_token: listed.next_token })
}

/// Deletes a profile that a caller created, and its tags.
pub async fn delete(
    cx: &Context,
    models: &Models,
    input: DeleteInferenceProfileRequest,
) -> Result<DeleteInferenceProfileResponse, ModelsError> {
    match named(cx, models, &input.inference_profile_identifier)? {
        Named::System(_) => {
            Err(ModelsError::Validation("System-defined inference profiles cannot be deleted.".to_owned()))
        }
        // What another account shares can be called and read, and is not others' to delete.
        Named::Stored(owner, _) if owner != scope(cx) => {
            Err(ModelsError::NoProfile(input.inference_profile_identifier.clone()))
        }
        Named::Stored(owner, id) => {
            may(cx, models, "bedrock:DeleteInferenceProfile", &PROFILE.arn(owner, id)).await?;
            models.profiles.delete(owner, id).await?;
            Ok(DeleteInferenceProfileResponse::default())
        }
    }
}

/// What an identifier, an id or an ARN, names for this caller.
enum Named<'a> {
    System(system::Defined<'a>),
    Stored(Scope<'a>, &'a str),
}

async fn may(cx: &Context, models: &Models, action: &str, arn: &str) -> Result<(), ModelsError> {
    let tags = models.tags(cx, arn).await?;
    Ok(cx.ask(action).on(arn).resource_tags(pairs(&tags)).check()?)
}

fn named<'a>(cx: &'a Context, models: &'a Models, identifier: &'a str) -> Result<Named<'a>, ModelsError> {
    let unknown = || ModelsError::NoProfile(identifier.to_owned());
    let defined =
        |profile: SystemProfile<'a>| system::find(models, &cx.region, profile).map(Named::System).ok_or_else(unknown);
    match Identifier::parse(identifier) {
        Identifier::Profile(profile) => defined(profile),
        Identifier::ProfileArn { region, account, profile: Some(profile), .. }
            if region == cx.region && (account == cx.caller.account || account.is_empty()) =>
        {
            defined(profile)
        }
        // The bare id of a stored profile has the form of any name.
        Identifier::Model(id) => Ok(Named::Stored(scope(cx), id)),
        Identifier::ApplicationProfileArn { region, account, .. } => {
            let owner = owner(cx, identifier, Scope { account, region });
            PROFILE.id_in(owner, identifier).map(|id| Named::Stored(owner, id)).ok_or_else(unknown)
        }
        _ => Err(unknown()),
    }
}

fn show(stored: Resource<Profile>) -> InferenceProfileSummary {
    InferenceProfileSummary {
        inference_profile_name: stored.value.name,
        description: stored.value.description,
        created_at: Some(stored.created),
        updated_at: Some(stored.updated),
        inference_profile_arn: stored.arn,
        models: arns(stored.value.models),
        inference_profile_id: stored.id,
        status: InferenceProfileStatus::Active,
        r#type: InferenceProfileType::Application,
    }
}

fn arns(of: Vec<String>) -> Vec<InferenceProfileModel> {
    of.into_iter().map(|arn| InferenceProfileModel { model_arn: Some(arn) }).collect()
}

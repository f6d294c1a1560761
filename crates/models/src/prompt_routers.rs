//! Prompt routers: two models of one family behind one ARN, of which each prompt gets the one that [`rule`] picks for
//! it. Those that AWS defines (`defined.rs`), and those that callers create.

mod defined;
pub mod rule;
#[cfg(test)]
mod tests;

use outcrop_access::Context;
use outcrop_api::bedrock::{
    CreatePromptRouterRequest, CreatePromptRouterResponse, DeletePromptRouterRequest, DeletePromptRouterResponse,
    GetPromptRouterRequest, GetPromptRouterResponse, ListPromptRoutersRequest, ListPromptRoutersResponse,
    PromptRouterStatus, PromptRouterSummary, PromptRouterTargetModel, PromptRouterType, RoutingCriteria,
};
use outcrop_resources::tags::pairs;
use outcrop_resources::{ClientToken, Create, Ids, Kind, Page, Resource, Tag};
use serde::{Deserialize, Serialize};

use crate::error::ModelsError;
use crate::identifier::Identifier;
use crate::models::scope;
use crate::resolve::Router;
use crate::{Models, Resolved};

/// The routers that callers create.
pub const ROUTER: Kind = Kind { name: "prompt-router", noun: "Prompt router", arn: "prompt-router", ids: Ids::Lower };

/// What is kept of a router.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PromptRouter {
    /// Its name, unique in account and Region.
    pub name: String,
    /// Its description.
    pub description: Option<String>,
    /// The ARNs of its two models or inference profiles.
    pub models: Vec<String>,
    /// The one of them that is its fallback.
    pub fallback: String,
    /// Its response quality difference, in percent.
    pub difference: f64,
}

/// Creates a router between two models of one family.
pub async fn create(
    cx: &Context,
    models: &Models,
    input: CreatePromptRouterRequest,
) -> Result<CreatePromptRouterResponse, ModelsError> {
    let tags: Vec<_> = input.tags.unwrap_or_default().into_iter().map(|t| Tag { key: t.key, value: t.value }).collect();
    let new = ROUTER.arn(scope(cx), "*");
    let ask = |action| cx.ask(action).request_tags(pairs(&tags));
    ask("bedrock:CreatePromptRouter").on(&new).check()?;
    if !tags.is_empty() {
        ask("bedrock:TagResource").on(&new).check()?;
    }
    let mut found = Vec::new();
    for target in &input.models {
        found.push(target_of(cx, models, &target.model_arn).await?);
    }
    check(&found)?;
    let fallback = target_of(cx, models, &input.fallback_model.model_arn).await?;
    let arns: Vec<_> = found.iter().map(|target| target.arn(&cx.region)).collect();
    let fallback = fallback.arn(&cx.region);
    if !arns.contains(&fallback) {
        // As AWS answers, although its own example of the command leaves the fallback out of the list.
        return Err(ModelsError::Validation("The fallback model must be one of the models.".to_owned()));
    }
    let router = PromptRouter {
        name: input.prompt_router_name,
        description: input.description,
        models: arns,
        fallback,
        difference: input.routing_criteria.response_quality_difference,
    };
    let token = input.client_request_token.as_deref();
    let new = Create {
        name: Some(&router.name),
        tags: &tags,
        client_token: token.map(|token| ClientToken { operation: "CreatePromptRouter", token }),
        ..Create::new(&router)
    };
    let made = models.routers.create(scope(cx), new).await?;
    Ok(CreatePromptRouterResponse { prompt_router_arn: Some(made.arn) })
}

/// The model or profile of this Region that a router's target names.
async fn target_of(cx: &Context, models: &Models, arn: &str) -> Result<Resolved, ModelsError> {
    match Identifier::parse(arn) {
        Identifier::ModelArn { .. } | Identifier::ProfileArn { .. } | Identifier::ApplicationProfileArn { .. } => {
            models.resolve_one(cx, arn).await
        }
        _ => Err(ModelsError::InvalidIdentifier),
    }
}

/// "You must choose exactly two models within the same family" (user guide). A family is a provider's models of one
/// request format here: whichever is chosen must understand what InvokeModel was given.
fn check(targets: &[Resolved]) -> Result<(), ModelsError> {
    let [one, two] = targets else {
        let text = format!("A prompt router has exactly two models; {} were given.", targets.len());
        return Err(ModelsError::Validation(text));
    };
    let (one, two) = (&one.model, &two.model);
    if one.id == two.id {
        return Err(ModelsError::Validation(format!(
            "The models of a prompt router must differ; both are {}.",
            one.id
        )));
    }
    if !one.family.converse || !two.family.converse || !one.writes_text() || !two.writes_text() {
        return Err(ModelsError::NotRoutable);
    }
    if one.provider != two.provider || one.family.dialect != two.family.dialect {
        let text = format!("The models of a prompt router must be of one family; {} and {} are not.", one.id, two.id);
        return Err(ModelsError::Validation(text));
    }
    Ok(())
}

/// Tells one router.
pub async fn get(
    cx: &Context,
    models: &Models,
    input: GetPromptRouterRequest,
) -> Result<GetPromptRouterResponse, ModelsError> {
    let arn = input.prompt_router_arn.as_str();
    let shown = match named(cx, arn)? {
        Named::Defined(id) => {
            let shown = defined::find(cx, models, id).ok_or_else(|| unknown(arn))?;
            cx.allow("bedrock:GetPromptRouter", arn)?;
            shown
        }
        Named::Stored => {
            may(cx, models, "bedrock:GetPromptRouter", arn).await?;
            show(models.routers.get(scope(cx), arn).await?)
        }
    };
    Ok(GetPromptRouterResponse {
        prompt_router_name: shown.prompt_router_name,
        routing_criteria: shown.routing_criteria,
        description: shown.description,
        created_at: shown.created_at,
        updated_at: shown.updated_at,
        prompt_router_arn: shown.prompt_router_arn,
        models: shown.models,
        fallback_model: shown.fallback_model,
        status: shown.status,
        r#type: shown.r#type,
    })
}

/// Lists the routers that AWS defines for the Region, by id, then the caller's own, oldest first.
pub async fn list(
    cx: &Context,
    models: &Models,
    input: ListPromptRoutersRequest,
) -> Result<ListPromptRoutersResponse, ModelsError> {
    cx.allow("bedrock:ListPromptRouters", "*")?;
    let wanted = |one| input.r#type.as_ref().is_none_or(|t| *t == one);
    let (defined, own) = (wanted(PromptRouterType::Default), wanted(PromptRouterType::Custom));
    let fixed = if defined { defined::all(cx, models) } else { Vec::new() };
    let page = Page {
        operation: "ListPromptRouters",
        max_results: input.max_results,
        next_token: input.next_token.as_deref(),
        filter: input.r#type.as_ref().map_or("", |t| t.as_str()),
        ..Page::default()
    };
    let listed = models.routers.list_after(scope(cx), &page, fixed, |stored| own.then(|| show(stored))).await?;
    Ok(ListPromptRoutersResponse { prompt_router_summaries: Some(listed.items), next_token: listed.next_token })
}

/// Deletes a router that the caller created, and its tags.
pub async fn delete(
    cx: &Context,
    models: &Models,
    input: DeletePromptRouterRequest,
) -> Result<DeletePromptRouterResponse, ModelsError> {
    let arn = input.prompt_router_arn.as_str();
    match named(cx, arn)? {
        Named::Defined(_) => Err(ModelsError::Validation("Default prompt routers cannot be deleted.".to_owned())),
        Named::Stored => {
            may(cx, models, "bedrock:DeletePromptRouter", arn).await?;
            models.routers.delete(scope(cx), arn).await?;
            Ok(DeletePromptRouterResponse::default())
        }
    }
}

/// What an ARN names for this caller; another account's or Region's names nothing.
enum Named<'a> {
    Defined(&'a str),
    Stored,
}

fn named<'a>(cx: &Context, arn: &'a str) -> Result<Named<'a>, ModelsError> {
    match Identifier::parse(arn) {
        Identifier::PromptRouterArn { region, account, id, default }
            if region == cx.region && account == cx.caller.account =>
        {
            Ok(if default { Named::Defined(id) } else { Named::Stored })
        }
        _ => Err(unknown(arn)),
    }
}

fn unknown(arn: &str) -> ModelsError {
    outcrop_resources::Error::NotFound { noun: ROUTER.noun, identifier: arn.to_owned() }.into()
}

async fn may(cx: &Context, models: &Models, action: &str, arn: &str) -> Result<(), ModelsError> {
    let tags = models.tags(cx, arn).await?;
    Ok(cx.ask(action).on(arn).resource_tags(pairs(&tags)).check()?)
}

/// What the ARN of a router means as a modelId.
pub(crate) async fn resolve(cx: &Context, models: &Models, arn: &str) -> Result<Resolved, ModelsError> {
    let not_found = |_| ModelsError::Unresolved;
    let kept = match named(cx, arn).map_err(not_found)? {
        Named::Defined(id) => defined::kept(cx, models, id).ok_or(ModelsError::Unresolved)?,
        Named::Stored => match models.routers.get(scope(cx), arn).await {
            Err(outcrop_resources::Error::NotFound { .. }) => return Err(ModelsError::Unresolved),
            got => got?.value,
        },
    };
    let mut candidates = Vec::new();
    for target in &kept.models {
        candidates.push(models.resolve_one(cx, target).await?);
    }
    let fallback = kept.models.iter().position(|model| *model == kept.fallback).ok_or(ModelsError::Unresolved)?;
    let resolved = candidates[fallback].clone();
    let router = Router { arn: arn.to_owned(), candidates, fallback, quality_difference: kept.difference };
    Ok(Resolved { router: Some(router), ..resolved })
}

fn show(stored: Resource<PromptRouter>) -> PromptRouterSummary {
    let shown = summary(stored.arn, stored.value, PromptRouterType::Custom);
    PromptRouterSummary { created_at: Some(stored.created), updated_at: Some(stored.updated), ..shown }
}

fn summary(arn: String, router: PromptRouter, r#type: PromptRouterType) -> PromptRouterSummary {
    let target = |model_arn| PromptRouterTargetModel { model_arn };
    PromptRouterSummary {
        prompt_router_name: router.name,
        routing_criteria: RoutingCriteria { response_quality_difference: router.difference },
        description: router.description,
        created_at: None,
        updated_at: None,
        prompt_router_arn: arn,
        models: router.models.into_iter().map(target).collect(),
        fallback_model: target(router.fallback),
        status: PromptRouterStatus::Available,
        r#type,
    }
}

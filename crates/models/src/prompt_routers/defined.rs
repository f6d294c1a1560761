//! The prompt routers that AWS defines, from the catalogue's data.

use outcrop_access::Context;
use outcrop_api::bedrock::{PromptRouterSummary, PromptRouterType};

use super::{PromptRouter, summary};
use crate::catalogue::{DefaultRouter, Geography, Model};
use crate::{Models, regions};

/// Every router that the caller's Region offers, by id.
pub(super) fn all(cx: &Context, models: &Models) -> Vec<PromptRouterSummary> {
    models.catalogue().routers().iter().filter_map(|router| shown(cx, models, router)).collect()
}

/// The router of this id, if the caller's Region offers it.
pub(super) fn find(cx: &Context, models: &Models, id: &str) -> Option<PromptRouterSummary> {
    shown(cx, models, known(models, id)?)
}

/// The same to be called: like a model, in every Region unless the configuration says otherwise.
pub(super) fn kept(cx: &Context, models: &Models, id: &str) -> Option<PromptRouter> {
    placed(cx, models, known(models, id)?, !models.settings().enforce_regions)
}

fn known<'a>(models: &'a Models, id: &str) -> Option<&'a DefaultRouter> {
    models.catalogue().routers().iter().find(|router| router.id == id)
}

fn shown(cx: &Context, models: &Models, router: &DefaultRouter) -> Option<PromptRouterSummary> {
    let everywhere = models.settings().list_every_region || !regions::known(&cx.region);
    let arn = regions::arn(&cx.region, &cx.caller.account, &format!("default-prompt-router/{}", router.id));
    // When AWS made it is not known, so no times are told.
    Some(summary(arn, placed(cx, models, router, everywhere)?, PromptRouterType::Default))
}

/// The router with the ARNs by which the caller's Region has its models. `everywhere`, models that the Region does not
/// offer are named all the same.
fn placed(cx: &Context, models: &Models, router: &DefaultRouter, everywhere: bool) -> Option<PromptRouter> {
    let mut arns = Vec::new();
    for id in &router.models {
        arns.push(target(cx, models.catalogue().get(id)?, everywhere)?);
    }
    let fallback = router.models.iter().position(|id| *id == router.fallback)?;
    Some(PromptRouter {
        name: router.name.clone(),
        description: Some(router.description.clone()),
        fallback: arns.get(fallback)?.clone(),
        models: arns,
        difference: router.difference,
    })
}

/// The profile of the Region's own geography, as AWS shows the targets of its routers; else the model.
fn target(cx: &Context, model: &Model, everywhere: bool) -> Option<String> {
    let geography = model
        .profiles
        .iter()
        .find(|(geography, routes)| **geography != Geography::Global && routes.from(&cx.region).is_some());
    match geography {
        Some((geography, _)) => {
            let profile = format!("inference-profile/{geography}.{}", model.id);
            Some(regions::arn(&cx.region, &cx.caller.account, &profile))
        }
        None if everywhere || model.on_demand_in(&cx.region) => Some(regions::model_arn(&cx.region, &model.id)),
        None => None,
    }
}

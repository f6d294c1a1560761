//! Whether a caller may invoke what it named.

#[cfg(test)]
mod tests;

use outcrop_access::{Ask, Context};
use outcrop_resources::tags::pairs;
use outcrop_wire::arn::Arn;

use crate::{Models, ModelsError, Resolved, regions};

/// The Region that a call has before it is known in which it runs, as AWS's policies for `global.` profiles name it.
const UNSPECIFIED: &str = "unspecified";

/// What of an invocation policies may ask for.
#[derive(Debug, Clone, Copy)]
pub struct Invocation<'a> {
    /// `bedrock:InvokeModel`, `bedrock:InvokeModelWithResponseStream` or `bedrock:CountTokens`.
    pub action: &'static str,
    /// `bedrock:ServiceTier`, where the request names one.
    pub tier: Option<&'a str>,
    /// `bedrock:GuardrailIdentifier`: identifier and version, where the request names one.
    pub guardrail: Option<(&'a str, Option<&'a str>)>,
}

impl<'a> Invocation<'a> {
    /// An invocation of neither tier nor guardrail.
    pub fn new(action: &'static str) -> Self {
        Self { action, tier: None, guardrail: None }
    }
}

impl Models {
    /// Whether the caller may invoke `resolved`: a model by its ARN; through a profile by the profile's ARN and by the
    /// model's in every Region where the call may run ("Prerequisites for inference profiles" of the user guide);
    /// through a prompt router by the router's ARN and by all that this asks of either model, so that no prompt decides
    /// what a caller may do. Throughput that was reserved is asked for by its own ARN alone. Last, the account needs
    /// access to the model.
    pub async fn admit(&self, cx: &Context, call: Invocation<'_>, resolved: &Resolved) -> Result<(), ModelsError> {
        let Some(router) = &resolved.router else {
            self.permitted(cx, call, resolved, None).await?;
            return self.accessible(&cx.caller.account, &resolved.model);
        };
        let tags = self.tags(cx, &router.arn).await?;
        ask(cx, call).on(&router.arn).resource_tags(pairs(&tags)).check()?;
        for candidate in &router.candidates {
            self.permitted(cx, call, candidate, Some(&router.arn)).await?;
            self.accessible(&cx.caller.account, &candidate.model)?;
        }
        Ok(())
    }

    async fn permitted(
        &self,
        cx: &Context,
        call: Invocation<'_>,
        resolved: &Resolved,
        router: Option<&str>,
    ) -> Result<(), ModelsError> {
        let model = |region: &str| regions::model_arn(region, &resolved.model.id);
        let ask = || ask(cx, call).maybe("bedrock:PromptRouterArn", router);
        if let Some(throughput) = &resolved.provisioned {
            let tags = self.tags(cx, &throughput.arn).await?;
            return Ok(ask().on(&throughput.arn).resource_tags(pairs(&tags)).check()?);
        }
        // Counting runs nothing, and its action is on models only; but who counts by another's profile uses it.
        let foreign = |arn: &str| Arn::parse(arn).is_some_and(|arn| arn.account != cx.caller.account);
        let counts = call.action == "bedrock:CountTokens";
        let Some(profile) = resolved.profile_arn.as_deref().filter(|arn| !counts || foreign(arn)) else {
            return Ok(ask().on(&model(&cx.region)).check()?);
        };
        let tags = self.tags(cx, profile).await?;
        let on_profile = ask().on(profile).with("bedrock:InferenceProfileArn", profile);
        on_profile.resource_tags(pairs(&tags)).check()?;
        let on_model = |requested: &str, arn: &str| {
            let ask = ask().on(arn).with("bedrock:InferenceProfileArn", profile);
            ask.with("aws:RequestedRegion", requested).check()
        };
        if resolved.anywhere {
            on_model(&cx.region, &model(&cx.region))?;
            return Ok(on_model(UNSPECIFIED, &model(""))?);
        }
        for region in &resolved.destinations {
            on_model(region, &model(region))?;
        }
        Ok(())
    }
}

/// The question with all that the call itself says.
fn ask<'a>(cx: &'a Context, call: Invocation<'a>) -> Ask<'a> {
    let guardrail = call.guardrail.map(|(identifier, version)| guardrail(cx, identifier, version));
    cx.ask(call.action).maybe("bedrock:ServiceTier", call.tier).maybe("bedrock:GuardrailIdentifier", guardrail)
}

/// `GuardrailArn` or `GuardrailArn:version`, as the condition key has it.
fn guardrail(cx: &Context, identifier: &str, version: Option<&str>) -> String {
    let arn = match identifier.starts_with("arn:") {
        true => identifier.to_owned(),
        false => regions::arn(&cx.region, &cx.caller.account, &format!("guardrail/{identifier}")),
    };
    match version.filter(|version| version.bytes().all(|b| b.is_ascii_digit())) {
        Some(version) => format!("{arn}:{version}"),
        None => arn,
    }
}

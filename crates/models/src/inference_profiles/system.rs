//! The inference profiles that AWS defines, made from the catalogue's routes.

use outcrop_access::Context;
use outcrop_api::bedrock::{InferenceProfileStatus, InferenceProfileSummary, InferenceProfileType};

use super::arns;
use crate::Models;
use crate::catalogue::{Destinations, Geography, Model};
use crate::identifier::SystemProfile;
use crate::regions;

/// A system-defined profile, as one Region offers it.
pub(super) struct Defined<'a> {
    geography: Geography,
    model: &'a Model,
    /// Empty where a call may run anywhere.
    destinations: Vec<&'a str>,
    /// The ARNs of the models that it reaches.
    pub models: Vec<String>,
}

/// Every profile that `region` offers, by id.
pub(super) fn all<'a>(models: &'a Models, region: &str) -> Vec<Defined<'a>> {
    let mut found = Vec::new();
    for geography in Geography::ALL {
        for model in models.catalogue().iter() {
            found.extend(offered(models, region, geography, model));
        }
    }
    found.sort_by_cached_key(Defined::id);
    found
}

/// The profile of this id, if `region` offers it.
pub(super) fn find<'a>(models: &'a Models, region: &str, profile: SystemProfile<'_>) -> Option<Defined<'a>> {
    let model = models.catalogue().get(profile.model)?;
    offered(models, region, profile.geography, model)
}

fn offered<'a>(models: &Models, region: &str, geography: Geography, model: &'a Model) -> Option<Defined<'a>> {
    let routes = model.profiles.get(&geography)?;
    let every = models.settings().list_every_region || !regions::known(region);
    let to = match routes.from(region) {
        Some(to) => to,
        // Shown in a Region that does not have it, it is told as its first Region has it.
        None if every => routes.iter().next()?.1,
        None => return None,
    };
    let arn = |region: &str| regions::model_arn(region, &model.id);
    // AWS names the model without a Region, and in the caller's, where a call may run anywhere.
    let (destinations, models) = match to {
        Destinations::Anywhere => (Vec::new(), vec![arn(""), arn(region)]),
        Destinations::Regions(list) => {
            (list.iter().map(String::as_str).collect(), list.iter().map(|region| arn(region)).collect())
        }
    };
    Some(Defined { geography, model, destinations, models })
}

impl Defined<'_> {
    fn id(&self) -> String {
        format!("{}.{}", self.geography, self.model.id)
    }

    /// The profile as this caller sees it. When AWS made it is not known, so no times are told.
    pub(super) fn show(&self, cx: &Context) -> InferenceProfileSummary {
        let id = self.id();
        // As seen: `US Anthropic Claude Opus 5`, but `US Nova Micro`.
        let name = match self.model.provider.as_str() {
            "Amazon" => self.model.name.clone(),
            provider => format!("{provider} {}", self.model.name),
        };
        let prefix = match self.geography {
            Geography::Global => "Global".to_owned(),
            other => other.prefix().to_uppercase(),
        };
        let description = match self.destinations.split_last() {
            None => format!("Routes requests to {name} globally across all supported AWS Regions."),
            Some((only, [])) => format!("Routes requests to {name} in {only}."),
            Some((last, rest)) => format!("Routes requests to {name} in {} and {last}.", rest.join(", ")),
        };
        InferenceProfileSummary {
            inference_profile_name: format!("{prefix} {name}"),
            description: Some(description),
            created_at: None,
            updated_at: None,
            inference_profile_arn: regions::arn(&cx.region, &cx.caller.account, &format!("inference-profile/{id}")),
            models: arns(self.models.clone()),
            inference_profile_id: id,
            status: InferenceProfileStatus::Active,
            r#type: InferenceProfileType::SystemDefined,
        }
    }
}

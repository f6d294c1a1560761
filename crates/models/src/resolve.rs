//! From a modelId to the model that is meant.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;

use crate::catalogue::{Catalogue, Destinations, Model};
use crate::error::ModelsError;
use crate::identifier::{Identifier, SystemProfile};
use crate::provisioned::Reserved;
use crate::regions;
use crate::settings::Settings;

/// What a modelId means.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolved {
    /// The model.
    pub model: Arc<Model>,
    /// The base id under which the model is called.
    pub invoked_id: String,
    /// The id under which AWS knows the call: the base id or variant, or the system-defined profile's.
    pub called_id: String,
    /// The ARN of the inference profile that was named, if one was.
    pub profile_arn: Option<String>,
    /// The Regions in which the call may run; the caller's own first if it is among them.
    pub destinations: Vec<String>,
    /// Whether the call may run in any commercial Region, which policies treat as one.
    pub anywhere: bool,
    /// The name under which metrics and logs count the call: the model's or profile's id, never an ARN.
    pub metric_id: String,
    /// The tokens that the call may use together: the model's window, or the narrower one that a suffix named.
    pub context: Option<u32>,
    /// The provisioned model that was named, whose reserved throughput the call uses.
    pub provisioned: Option<Throughput>,
    /// The tags of the application inference profile that was named.
    pub tags: BTreeMap<String, String>,
    /// The prompt router that was named, if one was; all else here is then its fallback's.
    pub router: Option<Router>,
}

/// Throughput that was reserved for whoever calls by its ARN or name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Throughput {
    /// The provisioned model's ARN.
    pub arn: String,
    /// Its model units.
    pub model_units: u32,
}

impl Resolved {
    /// The ARN of what was named, in the caller's Region: the profile's, else the model's with the window that was
    /// asked for.
    pub fn arn(&self, region: &str) -> String {
        self.profile_arn.clone().unwrap_or_else(|| regions::model_arn(region, &self.metric_id))
    }
}

/// A prompt router, with what it may choose between.
#[derive(Debug, Clone, PartialEq)]
pub struct Router {
    /// Its ARN.
    pub arn: String,
    /// Its two models, in its own order. None of them has a router.
    pub candidates: Vec<Resolved>,
    /// Which of them is the fallback.
    pub fallback: usize,
    /// By how many percent the better answer must be better to be worth the more capable model.
    pub quality_difference: f64,
}

/// Where a modelId is looked up: a caller's account and Region, on a day.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub account: &'a str,
    pub region: &'a str,
    pub today: Date,
}

impl Catalogue {
    /// The meaning of every form except a prompt router's ARN, a provisioned model's ARN or name, and an application
    /// profile's ARN, whose source (a model's or system profile's ARN) is what is given here after the profile was read;
    /// `profile_arn` and `metric_id` are then the caller's.
    pub(crate) fn resolve(&self, id: &str, place: Place<'_>, settings: &Settings) -> Result<Resolved, ModelsError> {
        match Identifier::parse(id) {
            Identifier::Model(id) => self.on_demand(id, place, settings),
            Identifier::ModelArn { region, id } if region == place.region => self.on_demand(id, place, settings),
            Identifier::Profile(profile) => self.profile(profile, place, settings),
            Identifier::ProfileArn { region, account, profile: Some(profile), .. }
                if region == place.region && (account == place.account || account.is_empty()) =>
            {
                self.profile(profile, place, settings)
            }
            Identifier::OtherArn
            | Identifier::ApplicationProfileArn { .. }
            | Identifier::PromptRouterArn { .. }
            | Identifier::ProvisionedArn { .. } => Err(ModelsError::Unresolved),
            Identifier::ModelArn { .. } | Identifier::ProfileArn { .. } | Identifier::ForeignArn => {
                Err(ModelsError::InvalidIdentifier)
            }
        }
    }

    /// The meaning of a provisioned model's ARN or name, once it is known what was reserved.
    pub(crate) fn provisioned(
        &self,
        arn: &str,
        reserved: &Reserved,
        place: Place<'_>,
        settings: &Settings,
    ) -> Result<Resolved, ModelsError> {
        let (model, window) = self.find(&reserved.model).ok_or(ModelsError::Unresolved)?;
        if settings.enforce_lifecycle && model.lifecycle.ended(place.today) {
            return Err(ModelsError::EndOfLife);
        }
        Ok(Resolved {
            invoked_id: model.id.clone(),
            profile_arn: None,
            destinations: vec![place.region.to_owned()],
            anywhere: false,
            called_id: model.id.clone(),
            metric_id: arn.rsplit('/').next().unwrap_or_default().to_owned(),
            context: window.or(model.context),
            provisioned: Some(Throughput { arn: arn.to_owned(), model_units: reserved.units }),
            tags: BTreeMap::new(),
            router: None,
            model: Arc::clone(model),
        })
    }

    fn on_demand(&self, id: &str, place: Place<'_>, settings: &Settings) -> Result<Resolved, ModelsError> {
        let (model, window) = self.find(id).ok_or(ModelsError::InvalidIdentifier)?;
        if settings.enforce_lifecycle && model.lifecycle.ended(place.today) {
            return Err(ModelsError::EndOfLife);
        }
        if settings.enforce_regions && !model.local && !model.offered_in(place.region) {
            return Err(ModelsError::InvalidIdentifier);
        }
        if settings.enforce_on_demand && !model.on_demand_in(place.region) {
            return Err(ModelsError::OnDemand(id.to_owned()));
        }
        Ok(Resolved {
            invoked_id: model.id.clone(),
            profile_arn: None,
            destinations: vec![place.region.to_owned()],
            anywhere: false,
            called_id: id.to_owned(),
            metric_id: id.to_owned(),
            context: window.or(model.context),
            provisioned: None,
            tags: BTreeMap::new(),
            router: None,
            model: Arc::clone(model),
        })
    }

    fn profile(&self, id: SystemProfile<'_>, place: Place<'_>, settings: &Settings) -> Result<Resolved, ModelsError> {
        let model = self.get(id.model).ok_or(ModelsError::InvalidIdentifier)?;
        let routes = model.profiles.get(&id.geography).ok_or(ModelsError::InvalidIdentifier)?;
        if settings.enforce_lifecycle && model.lifecycle.ended(place.today) {
            return Err(ModelsError::EndOfLife);
        }
        let routes = routes.from(place.region);
        let anywhere = matches!(routes, Some(Destinations::Anywhere));
        let destinations = match routes {
            Some(Destinations::Regions(regions)) => regions.clone(),
            Some(Destinations::Anywhere) => regions::commercial().map(str::to_owned).collect(),
            None if settings.enforce_regions => return Err(ModelsError::InvalidIdentifier),
            None => vec![place.region.to_owned()],
        };
        let mut destinations = destinations;
        if let Some(own) = destinations.iter().position(|r| r == place.region) {
            destinations[..=own].rotate_right(1);
        }
        Ok(Resolved {
            invoked_id: model.id.clone(),
            profile_arn: Some(regions::arn(place.region, place.account, &format!("inference-profile/{}", id.id))),
            destinations,
            anywhere,
            called_id: id.id.to_owned(),
            metric_id: id.id.to_owned(),
            context: model.context,
            provisioned: None,
            tags: BTreeMap::new(),
            router: None,
            model: Arc::clone(model),
        })
    }
}

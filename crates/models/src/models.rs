//! The catalogue, the settings and the stored profiles together.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use outcrop_access::Context;
use outcrop_resources::{Collection, Kind, Resources, Scope, Tag, Tagger};
use outcrop_wire::arn::Arn;

use crate::catalogue::{Catalogue, Model};
use crate::data_retention::{self, Mode};
use crate::error::ModelsError;
use crate::identifier::Identifier;
use crate::inference_profiles::{PROFILE, Profile};
use crate::memory::Memory;
use crate::prompt_routers::{self, PromptRouter, ROUTER};
use crate::provisioned::{PROVISIONED, Provisioned};
use crate::regions;
use crate::resolve::{Place, Resolved};
use crate::settings::Settings;

/// What of this crate can be tagged.
pub const TAGGED: &[Kind] = &[PROFILE, PROVISIONED, ROUTER];

/// Everything that a modelId can name, for every account. Cheap to clone.
#[derive(Clone)]
pub struct Models {
    catalogue: Arc<Catalogue>,
    settings: Settings,
    pub(crate) profiles: Collection<Profile>,
    pub(crate) provisioned: Collection<Provisioned>,
    pub(crate) memory: Memory,
    pub(crate) routers: Collection<PromptRouter>,
    pub(crate) tagger: Tagger,
}

impl Models {
    /// Models of `catalogue`, with all else kept in `resources`. Its memory is its own and fills with its own writes; see
    /// [`remembering`](Self::remembering).
    pub fn new(catalogue: Catalogue, settings: Settings, resources: &Resources) -> Self {
        Self {
            catalogue: Arc::new(catalogue),
            settings,
            profiles: resources.collection(&PROFILE),
            provisioned: resources.collection(&PROVISIONED),
            memory: Memory::new(resources),
            routers: resources.collection(&ROUTER),
            tagger: resources.tagger(TAGGED),
        }
    }

    /// The same with a memory that is kept fresh.
    #[must_use]
    pub fn remembering(self, memory: Memory) -> Self {
        Self { memory, ..self }
    }

    /// What an account lets others keep in a Region, from memory.
    pub fn retention(&self, account: &str, region: &str) -> Mode {
        let kept = self.memory.retention().get(&data_retention::id(Scope { account, region }));
        kept.map(|kept| kept.mode).unwrap_or_default()
    }

    /// The known models.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// What is enforced.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The ARN of a model in a Region.
    pub fn arn(&self, region: &str, model: &Model) -> String {
        regions::model_arn(region, &model.id)
    }

    /// The tags of what can have some, where a policy asks for them.
    pub(crate) async fn tags(&self, cx: &Context, arn: &str) -> Result<Vec<Tag>, ModelsError> {
        let some = matches!(
            Identifier::parse(arn),
            Identifier::ApplicationProfileArn { .. }
                | Identifier::ProvisionedArn { .. }
                | Identifier::PromptRouterArn { default: false, .. }
        );
        if !some {
            return Ok(Vec::new());
        }
        let parts = Arn::parse(arn).map_or(scope(cx), |arn| Scope { account: arn.account, region: arn.region });
        Ok(self.tagger.asked(cx, owner(cx, arn, parts), arn).await?)
    }

    /// The model units of `model` that are reserved, by all accounts together.
    pub fn reserved_units(&self, model: &Model) -> u32 {
        let all = self.memory.reserved().now();
        all.values().filter(|one| one.base == model.id).map(|one| one.units).sum()
    }

    /// What `id`, decoded from the URL, means to this caller.
    pub async fn resolve(&self, cx: &Context, id: &str) -> Result<Resolved, ModelsError> {
        match Identifier::parse(id) {
            Identifier::PromptRouterArn { .. } => prompt_routers::resolve(cx, self, id).await,
            _ => self.resolve_one(cx, id).await,
        }
    }

    /// The same for whatever names one model.
    pub(crate) async fn resolve_one(&self, cx: &Context, id: &str) -> Result<Resolved, ModelsError> {
        let place = Place { account: &cx.caller.account, region: &cx.region, today: today() };
        let (region, account) = match Identifier::parse(id) {
            Identifier::ApplicationProfileArn { region, account, .. } => (region, account),
            Identifier::ProvisionedArn { region, account, .. } => {
                let here = region == cx.region && account == cx.caller.account;
                let reserved = self.memory.reserved().get(id).filter(|_| here).ok_or(ModelsError::Unresolved)?;
                return self.catalogue.provisioned(id, &reserved, place, &self.settings);
            }
            // Every base id has a dot, and no provisioned model's name does.
            Identifier::Model(name) if !name.contains('.') => {
                let all = self.memory.reserved().now();
                let mut own = all.iter().filter(|(_, one)| one.account == place.account && one.region == place.region);
                let (arn, reserved) = own.find(|(_, one)| one.name == name).ok_or(ModelsError::InvalidIdentifier)?;
                return self.catalogue.provisioned(arn, reserved, place, &self.settings);
            }
            _ => return self.catalogue.resolve(id, place, &self.settings),
        };
        // One of another account or Region is as good as none, but for what its owner shares.
        let owner = owner(cx, id, Scope { account, region });
        let profile = match self.profiles.get(owner, id).await {
            Err(outcrop_resources::Error::NotFound { .. }) => return Err(ModelsError::Unresolved),
            got => got?,
        };
        let place = Place { account: owner.account, ..place };
        let resolved = self.catalogue.resolve(&profile.value.copy_from, place, &self.settings)?;
        let tags = self.tagger.list(owner, id).await?.into_iter().map(|tag| (tag.key, tag.value)).collect();
        Ok(Resolved { profile_arn: Some(profile.arn), metric_id: profile.id, tags, ..resolved })
    }
}

/// Whose the resource of `arn` is for this call: another account's only if it has a policy, which then decides.
pub(crate) fn owner<'a>(cx: &'a Context, arn: &str, named: Scope<'a>) -> Scope<'a> {
    let shared = named.region == cx.region && cx.resource_policies.get(arn).is_some();
    if shared { named } else { scope(cx) }
}

/// Whose resources a call may see.
pub(crate) fn scope(cx: &Context) -> Scope<'_> {
    Scope { account: &cx.caller.account, region: &cx.region }
}

pub(crate) fn today() -> Date {
    Timestamp::now().to_zoned(TimeZone::UTC).date()
}

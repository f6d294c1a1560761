//! What an account enforces: one guardrail version on all of its calls in a Region.

#[cfg(test)]
mod tests;

use jiff::Timestamp;
use outcrop_access::Context;
use outcrop_api::bedrock::{
    AccountEnforcedGuardrailOutputConfiguration, ConfigurationOwner, DeleteEnforcedGuardrailConfigurationRequest,
    DeleteEnforcedGuardrailConfigurationResponse, ListEnforcedGuardrailsConfigurationRequest,
    ListEnforcedGuardrailsConfigurationResponse, ModelEnforcement, PutEnforcedGuardrailConfigurationRequest,
    PutEnforcedGuardrailConfigurationResponse, SelectiveContentGuarding, SelectiveGuardingMode,
};
use outcrop_resources::{Ids, Op, Page, Scope};
use outcrop_store::{Batch, Error as StoreError};
use serde::{Deserialize, Serialize};

use crate::applied::{Guarding, Selective};
use crate::error::GuardrailsError;
use crate::kept::{self, GUARDRAIL};
use crate::service::{Guardrails, TRIES, scope};

/// All models.
const ALL: &str = "ALL";

/// What is kept of an account's configuration in a Region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enforced {
    /// Its id.
    pub config_id: String,
    /// The guardrail's id.
    pub guardrail: String,
    /// A number.
    pub version: String,
    /// `SELECTIVE` or `COMPREHENSIVE`, as it was given.
    pub system: Option<String>,
    /// The same for messages.
    pub messages: Option<String>,
    /// Models that it is for, and models that it is not for; all where none are named.
    pub models: Option<Models>,
    /// When it was made, and by whom.
    pub created: (Timestamp, String),
    /// When it was last put, and by whom.
    pub updated: (Timestamp, String),
}

/// Which models a configuration is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Models {
    /// Base ids, or `ALL`.
    pub included: Vec<String>,
    /// Base ids; they win.
    pub excluded: Vec<String>,
}

impl Enforced {
    /// Whether it holds for calls of a model.
    pub fn is_for(&self, model: &str) -> bool {
        let Some(models) = &self.models else { return true };
        let named = |all: &[String]| all.iter().any(|one| one == model);
        !named(&models.excluded) && (named(&models.included) || models.included.iter().any(|one| one == ALL))
    }

    /// How much of a call it looks at.
    pub fn selective(&self) -> Selective {
        let mode = |said: &Option<String>| match said.as_deref() {
            Some("SELECTIVE") => Guarding::Selective,
            _ => Guarding::Comprehensive,
        };
        Selective { system: mode(&self.system), messages: mode(&self.messages) }
    }
}

/// Its id among the configurations of all accounts.
pub(crate) fn id(scope: Scope<'_>) -> String {
    format!("{}/{}", scope.account, scope.region)
}

/// Enforces a guardrail, or another one.
pub async fn put(
    cx: &Context,
    guardrails: &Guardrails,
    input: PutEnforcedGuardrailConfigurationRequest,
) -> Result<PutEnforcedGuardrailConfigurationResponse, GuardrailsError> {
    let scope = scope(cx);
    let given = input.guardrail_inference_config;
    let action = "bedrock:PutEnforcedGuardrailConfiguration";
    let (owner, guardrail) = guardrails.may(cx, action, &given.guardrail_identifier).await?;
    if owner != scope {
        return Err(GuardrailsError::Validation("The provided resource ARN is from a different account".into()));
    }
    let found = guardrails.collection().get(scope, guardrail).await?;
    kept::version_of(&found, &given.guardrail_version)?;
    let by = (Timestamp::now(), cx.caller.arn.clone());
    let guarding = given.selective_content_guarding.unwrap_or_default();
    let mode = |mode: Option<SelectiveGuardingMode>| mode.map(|mode| mode.as_str().to_owned());
    let new = Enforced {
        config_id: Ids::Lower.generate()?,
        guardrail: found.id,
        version: given.guardrail_version,
        system: mode(guarding.system),
        messages: mode(guarding.messages),
        models: given
            .model_enforcement
            .map(|models| Models { included: models.included_models, excluded: models.excluded_models }),
        created: by.clone(),
        updated: by,
    };
    for _ in 0..TRIES {
        let old = guardrails.enforcements().read(&id(scope)).await?;
        if let Some(named) = &input.config_id
            && old.as_ref().is_none_or(|old| old.config_id != *named)
        {
            return Err(GuardrailsError::NoConfiguration(named.clone()));
        }
        let mut new = new.clone();
        let contents = kept::contents_key(scope, &new.guardrail, &new.version);
        let mut ops = vec![Op::Require { key: contents, expect: None }];
        match &old {
            // Given back first: of two who replace the same one, the second fails and reads again.
            Some(old) => {
                new.config_id.clone_from(&old.config_id);
                new.created.clone_from(&old.created);
                ops.push(kept::used(scope, &old.guardrail, &old.version, -1));
                ops.push(guardrails.enforcements().put(&id(scope), &new)?);
            }
            None => ops.push(guardrails.enforcements().insert(&id(scope), &new)?),
        }
        ops.push(kept::used(scope, &new.guardrail, &new.version, 1));
        match guardrails.resources().store().commit(Batch::new(ops)).await {
            Ok(_) => {
                guardrails.enforcements().catch_up().await?;
                return Ok(PutEnforcedGuardrailConfigurationResponse {
                    config_id: Some(new.config_id),
                    updated_at: Some(new.updated.0),
                    updated_by: Some(new.updated.1),
                });
            }
            // The version is gone.
            Err(StoreError::Missing { kind, .. }) if kind == kept::CONTENTS => {
                return Err(GuardrailsError::NoVersion { id: new.guardrail, version: new.version });
            }
            // Another was quicker.
            Err(StoreError::Exists { .. } | StoreError::Missing { .. } | StoreError::OutOfBounds { .. }) => {}
            Err(error) => return Err(outcrop_resources::Error::from(error).into()),
        }
    }
    Err(outcrop_resources::Error::Store(StoreError::Busy).into())
}

/// Lists what the account enforces in this Region: one configuration at most.
pub async fn list(
    cx: &Context,
    guardrails: &Guardrails,
    input: ListEnforcedGuardrailsConfigurationRequest,
) -> Result<ListEnforcedGuardrailsConfigurationResponse, GuardrailsError> {
    cx.allow("bedrock:ListEnforcedGuardrailsConfiguration", "*")?;
    let scope = scope(cx);
    let page = Page {
        operation: "ListEnforcedGuardrailsConfiguration",
        next_token: input.next_token.as_deref(),
        ..Page::default()
    };
    guardrails.resources().pager(scope, &page)?; // There is no second page; a made-up token is still refused.
    let kept = guardrails.enforcements().read(&id(scope)).await?;
    let shown = |kept: Enforced| {
        let mode = |mode: Option<String>| mode.map(|mode| SelectiveGuardingMode::from(mode.as_str()));
        let any = kept.system.is_some() || kept.messages.is_some();
        AccountEnforcedGuardrailOutputConfiguration {
            config_id: Some(kept.config_id),
            guardrail_arn: Some(GUARDRAIL.arn(scope, &kept.guardrail)),
            guardrail_id: Some(kept.guardrail),
            input_tags: None,
            selective_content_guarding: any
                .then(|| SelectiveContentGuarding { system: mode(kept.system), messages: mode(kept.messages) }),
            guardrail_version: Some(kept.version),
            created_at: Some(kept.created.0),
            created_by: Some(kept.created.1),
            updated_at: Some(kept.updated.0),
            updated_by: Some(kept.updated.1),
            owner: Some(ConfigurationOwner::Account),
            model_enforcement: kept
                .models
                .map(|models| ModelEnforcement { included_models: models.included, excluded_models: models.excluded }),
        }
    };
    let guardrails_config = kept.map(shown).into_iter().collect();
    Ok(ListEnforcedGuardrailsConfigurationResponse { guardrails_config, next_token: None })
}

/// Enforces nothing any more.
pub async fn delete(
    cx: &Context,
    guardrails: &Guardrails,
    input: DeleteEnforcedGuardrailConfigurationRequest,
) -> Result<DeleteEnforcedGuardrailConfigurationResponse, GuardrailsError> {
    cx.allow("bedrock:DeleteEnforcedGuardrailConfiguration", "*")?;
    let scope = scope(cx);
    for _ in 0..TRIES {
        let old = guardrails.enforcements().read(&id(scope)).await?;
        let old = old.filter(|old| old.config_id == input.config_id);
        let Some(old) = old else { return Err(GuardrailsError::NoConfiguration(input.config_id)) };
        let used = kept::used(scope, &old.guardrail, &old.version, -1);
        let ops = vec![used, guardrails.enforcements().discard(&id(scope))];
        match guardrails.resources().store().commit(Batch::new(ops)).await {
            Ok(_) => {
                guardrails.enforcements().catch_up().await?;
                return Ok(DeleteEnforcedGuardrailConfigurationResponse {});
            }
            Err(StoreError::OutOfBounds { .. }) => {} // It names another version by now.
            Err(error) => return Err(outcrop_resources::Error::from(error).into()),
        }
    }
    Err(outcrop_resources::Error::Store(StoreError::Busy).into())
}

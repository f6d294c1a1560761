//! Model access: agreements between an account and whoever offers a model, and the use-case form that Anthropic asks
//! for. By default every model may be invoked and nobody needs either; under `explicit` an account needs an agreement
//! for each model of the catalogue. What runs on this machine needs none.

mod offers;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use outcrop_access::Context;
use outcrop_api::bedrock::{
    CreateFoundationModelAgreementRequest, CreateFoundationModelAgreementResponse,
    DeleteFoundationModelAgreementRequest, DeleteFoundationModelAgreementResponse, GetUseCaseForModelAccessRequest,
    GetUseCaseForModelAccessResponse, ListFoundationModelAgreementOffersRequest,
    ListFoundationModelAgreementOffersResponse, PutUseCaseForModelAccessRequest, PutUseCaseForModelAccessResponse,
};
use serde::{Deserialize, Serialize};

use crate::Models;
use crate::catalogue::Model;
use crate::error::ModelsError;

/// Who asks for a use-case form.
const ASKS_USE_CASE: &str = "Anthropic";

/// Which accounts need agreements.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ModelAccess {
    /// Whether those do that are not named below.
    pub explicit: bool,
    /// Accounts for which it is the other way round.
    pub except: BTreeSet<String>,
}

impl ModelAccess {
    /// Whether this account needs agreements.
    pub fn explicit_for(&self, account: &str) -> bool {
        self.explicit != self.except.contains(account)
    }
}

/// What an account has arranged, in all Regions. The form is the account's own business and in no log.
#[derive(Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrangements {
    /// Since when there is an agreement, by the model's id.
    agreements: BTreeMap<String, Timestamp>,
    /// The use-case form, in base64.
    use_case: Option<String>,
}

/// How a model stands with an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It may be invoked.
    Accessible,
    /// There is no agreement.
    NoAgreement,
    /// The use-case form is missing.
    NoUseCase,
}

impl Models {
    /// How `model` stands with `account`.
    pub(crate) fn standing(&self, account: &str, model: &Model) -> Standing {
        if model.local || !self.settings().model_access.explicit_for(account) {
            return Standing::Accessible;
        }
        let arranged = self.memory.arrangements().get(account);
        if model.provider == ASKS_USE_CASE && arranged.as_ref().is_none_or(|all| all.use_case.is_none()) {
            return Standing::NoUseCase;
        }
        match arranged.is_some_and(|all| all.agreements.contains_key(&model.id)) {
            true => Standing::Accessible,
            false => Standing::NoAgreement,
        }
    }

    /// Refuses a model that the account has no access to.
    pub(crate) fn accessible(&self, account: &str, model: &Model) -> Result<(), ModelsError> {
        match self.standing(account, model) {
            Standing::Accessible => Ok(()),
            Standing::NoAgreement => Err(ModelsError::NoAccess),
            Standing::NoUseCase => Err(ModelsError::NoUseCase),
        }
    }

    /// The model of the catalogue that `id` names, if there can be an agreement about it.
    fn offered(&self, id: &str) -> Result<&Model, ModelsError> {
        let (model, _) = self.catalogue().find(id).ok_or(ModelsError::Unresolved)?;
        if model.local {
            return Err(ModelsError::Validation(format!("{} runs on this server and needs no agreement.", model.id)));
        }
        Ok(model)
    }
}

/// The one offer of each model: its list price, and whose terms hold.
pub async fn offers(
    cx: &Context,
    models: &Models,
    input: ListFoundationModelAgreementOffersRequest,
) -> Result<ListFoundationModelAgreementOffersResponse, ModelsError> {
    cx.allow("bedrock:ListFoundationModelAgreementOffers", "*")?;
    let offer = offers::of(&cx.caller.account, models.offered(&input.model_id)?);
    Ok(ListFoundationModelAgreementOffersResponse { model_id: input.model_id, offers: vec![offer] })
}

/// Takes an offer.
pub async fn create(
    cx: &Context,
    models: &Models,
    input: CreateFoundationModelAgreementRequest,
) -> Result<CreateFoundationModelAgreementResponse, ModelsError> {
    cx.allow("bedrock:CreateFoundationModelAgreement", "*")?;
    let (account, model) = (&cx.caller.account, models.offered(&input.model_id)?);
    if input.offer_token != offers::token(account, model) {
        return Err(ModelsError::Validation(
            "The offer token is not one of this account and model. ListFoundationModelAgreementOffers tells it.".into(),
        ));
    }
    let asked = model.provider == ASKS_USE_CASE && models.settings().model_access.explicit_for(account);
    let now = Timestamp::now();
    let agree = |all: &mut Arrangements| {
        if asked && all.use_case.is_none() {
            return Err(ModelsError::NoUseCase);
        }
        match all.agreements.insert(model.id.clone(), now) {
            None => Ok(()),
            Some(_) => Err(ModelsError::Agreed(model.id.clone())),
        }
    };
    models.memory.arrangements().update(account, agree).await?;
    Ok(CreateFoundationModelAgreementResponse { model_id: input.model_id })
}

/// Ends an agreement.
pub async fn delete(
    cx: &Context,
    models: &Models,
    input: DeleteFoundationModelAgreementRequest,
) -> Result<DeleteFoundationModelAgreementResponse, ModelsError> {
    cx.allow("bedrock:DeleteFoundationModelAgreement", "*")?;
    let model = models.offered(&input.model_id)?;
    let end = |all: &mut Arrangements| match all.agreements.remove(&model.id) {
        Some(_) => Ok(()),
        None => Err(ModelsError::NoAgreement(model.id.clone())),
    };
    models.memory.arrangements().update(&cx.caller.account, end).await?;
    Ok(DeleteFoundationModelAgreementResponse::default())
}

/// Keeps the account's use-case form; a later one takes an earlier one's place.
pub async fn put_use_case(
    cx: &Context,
    models: &Models,
    input: PutUseCaseForModelAccessRequest,
) -> Result<PutUseCaseForModelAccessResponse, ModelsError> {
    cx.allow("bedrock:PutUseCaseForModelAccess", "*")?;
    let form = STANDARD.encode(&input.form_data);
    let keep = |all: &mut Arrangements| {
        all.use_case = Some(form.clone());
        Ok::<_, ModelsError>(())
    };
    models.memory.arrangements().update(&cx.caller.account, keep).await?;
    Ok(PutUseCaseForModelAccessResponse::default())
}

/// Gives the account's use-case form back as it came.
pub async fn get_use_case(
    cx: &Context,
    models: &Models,
    _: GetUseCaseForModelAccessRequest,
) -> Result<GetUseCaseForModelAccessResponse, ModelsError> {
    cx.allow("bedrock:GetUseCaseForModelAccess", "*")?;
    let arranged = models.memory.arrangements().read(&cx.caller.account).await?;
    let form = arranged.and_then(|all| all.use_case).and_then(|form| STANDARD.decode(form).ok());
    Ok(GetUseCaseForModelAccessResponse { form_data: form.ok_or(ModelsError::NoForm)?.into() })
}

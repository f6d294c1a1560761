//! Guardrails: create, get, list, update, delete.

#[cfg(test)]
mod tests;

use jiff::Timestamp;
use outcrop_access::Context;
use outcrop_api::bedrock::{
    CreateGuardrailRequest, CreateGuardrailResponse, DeleteGuardrailRequest, DeleteGuardrailResponse,
    GetGuardrailRequest, GetGuardrailResponse, GuardrailStatus, GuardrailSummary, ListGuardrailsRequest,
    ListGuardrailsResponse, UpdateGuardrailRequest, UpdateGuardrailResponse,
};
use outcrop_resources::tags::pairs;
use outcrop_resources::{ClientToken, Create, Op, Order, Page, Resource, Scope, Tag};

use crate::definition::{Definition, Given, profile};
use crate::error::{GuardrailsError, refusal};
use crate::kept::{self, DRAFT, Entry, GUARDRAIL, Guardrail, Version};
use crate::service::{Guardrails, TRIES, scope};

/// Guardrails of an account in a Region (AWS's quota).
pub const MAX_GUARDRAILS: i64 = 100;
/// Counts an account's guardrails.
pub(crate) const COUNTER: &str = "guardrails";

/// Creates a guardrail: its draft.
pub async fn create(
    cx: &Context,
    guardrails: &Guardrails,
    mut input: CreateGuardrailRequest,
) -> Result<CreateGuardrailResponse, GuardrailsError> {
    let scope = scope(cx);
    let tags: Vec<_> = input.tags.take().unwrap_or_default();
    let tags: Vec<_> = tags.into_iter().map(|tag| Tag { key: tag.key, value: tag.value }).collect();
    let new = GUARDRAIL.arn(scope, "*");
    let ask = |action| cx.ask(action).request_tags(pairs(&tags));
    ask("bedrock:CreateGuardrail").on(&new).check()?;
    if !tags.is_empty() {
        ask("bedrock:TagResource").on(&new).check()?;
    }
    let definition = Given::from(&mut input).checked(scope)?;
    let sealed_by = input.kms_key_id.as_deref().map(|key| guardrails.resources().kms().name(scope, key)).transpose()?;
    let guardrail = Guardrail {
        description: input.description,
        profile: definition.profile.clone(),
        kms_key: input.kms_key_id.as_deref().map(|key| kms_arn(scope, key)),
        hash: hash(&definition)?,
        edited: None,
        last_version: 0,
        versions: Vec::new(),
    };
    let also = |arn: &str| {
        let id = GUARDRAIL.id_in(scope, arn).unwrap_or_default();
        let count = Op::Add { scope: scope.owned(), counter: COUNTER.into(), by: 1, min: 0, max: MAX_GUARDRAILS };
        let contents = kept::insert(kept::contents_key(scope, id, DRAFT), &definition, sealed_by.clone())?;
        Ok(vec![count, contents, guardrails.index().insert(arn, &Entry::of(&guardrail))?])
    };
    let token = input.client_request_token.as_deref();
    let new = Create {
        name: Some(&input.name),
        tags: &tags,
        client_token: token.map(|token| ClientToken { operation: "CreateGuardrail", token }),
        kms_key: input.kms_key_id.as_deref(),
        also: Some(&also),
        ..Create::new(&guardrail)
    };
    let made = guardrails.collection().create(scope, new).await.map_err(refusal)?;
    guardrails.index().catch_up().await?;
    Ok(CreateGuardrailResponse {
        guardrail_id: made.id,
        guardrail_arn: made.arn,
        version: DRAFT.to_owned(),
        created_at: made.created,
    })
}

/// Tells a guardrail, as the draft or a version has it.
pub async fn get(
    cx: &Context,
    guardrails: &Guardrails,
    input: GetGuardrailRequest,
) -> Result<GetGuardrailResponse, GuardrailsError> {
    let (owner, id) = guardrails.may(cx, "bedrock:GetGuardrail", &input.guardrail_identifier).await?;
    let version = input.guardrail_version.as_deref().unwrap_or(DRAFT);
    for _ in 0..TRIES {
        let found = guardrails.collection().get(owner, id).await?;
        let summary = summary(owner, &found, kept::version_of(&found, version)?);
        // Edited or removed in between: it is read anew.
        let Some(contents) = guardrails.contents(owner, id, version).await? else { continue };
        let hash = hash(&contents)?;
        if version == DRAFT && hash != found.value.hash {
            continue;
        }
        let kms_key_arn = match found.value.version(version) {
            Some(version) => version.kms_key.clone(),
            None => found.value.kms_key.clone(),
        };
        return Ok(GetGuardrailResponse {
            name: summary.name,
            description: summary.description,
            guardrail_id: summary.id,
            guardrail_arn: summary.arn,
            version: summary.version,
            status: summary.status,
            topic_policy: contents.show_topics(),
            content_policy: contents.show_filters(),
            word_policy: contents.show_words(),
            sensitive_information_policy: contents.show_sensitive(),
            contextual_grounding_policy: contents.show_grounding(),
            automated_reasoning_policy: None,
            cross_region_details: summary.cross_region_details,
            created_at: summary.created_at,
            updated_at: summary.updated_at,
            status_reasons: None,
            failure_recommendations: None,
            blocked_input_messaging: contents.blocked_input,
            blocked_outputs_messaging: contents.blocked_output,
            kms_key_arn,
        });
    }
    Err(outcrop_resources::Error::Store(outcrop_store::Error::Busy).into())
}

/// Lists the drafts of all guardrails, the newest first, or the versions of one, its draft first.
// AWS documents no order; by creation, no walk over pages misses one because it was edited meanwhile.
pub async fn list(
    cx: &Context,
    guardrails: &Guardrails,
    input: ListGuardrailsRequest,
) -> Result<ListGuardrailsResponse, GuardrailsError> {
    let page = Page {
        operation: "ListGuardrails",
        max_results: input.max_results,
        next_token: input.next_token.as_deref(),
        order: Order::NewestFirst,
        ..Page::default()
    };
    let Some(identifier) = &input.guardrail_identifier else {
        cx.allow("bedrock:ListGuardrails", "*")?;
        let listed = guardrails.collection().list(scope(cx), &page, |_| true).await?;
        let listed = listed.map(|found| summary(scope(cx), &found, None));
        return Ok(ListGuardrailsResponse { guardrails: listed.items, next_token: listed.next_token });
    };
    let (owner, id) = guardrails.may(cx, "bedrock:ListGuardrails", identifier).await?;
    let found = guardrails.collection().get(owner, id).await?;
    let pager = guardrails.resources().pager(owner, &Page { parent: Some(id), ..page })?;
    // A place is the number of the last version that was shown; 0 is the draft.
    let after = pager.start().map(|place| place.parse::<u32>().map_err(|_| pager.invalid())).transpose()?;
    let draft = after.is_none().then_some(None);
    let numbered = found.value.versions.iter().rev().filter(|version| match after {
        None | Some(0) => true,
        Some(last) => version.number < last,
    });
    let mut rest = draft.into_iter().chain(numbered.map(Some));
    let shown: Vec<_> = rest.by_ref().take(pager.limit()).collect();
    let place = shown.last().and_then(|version| version.as_ref()).map_or(0, |version| version.number);
    let next_token = rest.next().map(|_| pager.seal(&place.to_string())).transpose()?;
    let shown = shown.into_iter().map(|version| summary(owner, &found, version)).collect();
    Ok(ListGuardrailsResponse { guardrails: shown, next_token })
}

/// Replaces the draft of a guardrail, its name and its description.
pub async fn update(
    cx: &Context,
    guardrails: &Guardrails,
    mut input: UpdateGuardrailRequest,
) -> Result<UpdateGuardrailResponse, GuardrailsError> {
    let identifier = std::mem::take(&mut input.guardrail_identifier);
    let (owner, id) = guardrails.may(cx, "bedrock:UpdateGuardrail", &identifier).await?;
    let definition = Given::from(&mut input).checked(owner)?;
    let sealed_by = input.kms_key_id.as_deref().map(|key| guardrails.resources().kms().name(owner, key)).transpose()?;
    let hash = hash(&definition)?;
    let change = |found: &mut Resource<Guardrail>| {
        found.name = Some(input.name.clone());
        let guardrail = &mut found.value;
        guardrail.description.clone_from(&input.description);
        guardrail.profile.clone_from(&definition.profile);
        guardrail.hash.clone_from(&hash);
        guardrail.edited = Some(Timestamp::now());
        let key = kept::contents_key(owner, &found.id, DRAFT);
        let mut ops = vec![guardrails.index().put(&found.arn, &Entry::of(guardrail))?];
        match (&input.kms_key_id, &sealed_by) {
            // A document stays sealed by the key that it was made with: another key, another document.
            (Some(given), Some(_)) => {
                guardrail.kms_key = Some(kms_arn(owner, given));
                ops.push(Op::Delete { key: key.clone(), expect: None });
                ops.push(kept::insert(key, &definition, sealed_by.clone())?);
            }
            _ => ops.push(Op::Put { key, expect: None, name: None, body: kept::body(&definition)? }),
        }
        Ok::<_, outcrop_resources::Error>(ops)
    };
    let updated = guardrails.collection().update_with(owner, id, change).await.map_err(refusal)?;
    guardrails.index().catch_up().await?;
    Ok(UpdateGuardrailResponse {
        guardrail_id: updated.id,
        guardrail_arn: updated.arn,
        version: DRAFT.to_owned(),
        updated_at: updated.value.edited.unwrap_or(updated.updated),
    })
}

/// Deletes one version, or a guardrail with all of them.
pub async fn delete(
    cx: &Context,
    guardrails: &Guardrails,
    input: DeleteGuardrailRequest,
) -> Result<DeleteGuardrailResponse, GuardrailsError> {
    let (owner, id) = guardrails.may(cx, "bedrock:DeleteGuardrail", &input.guardrail_identifier).await?;
    match input.guardrail_version {
        Some(version) => delete_version(guardrails, owner, id, &version).await?,
        None => delete_all(guardrails, owner, id).await?,
    }
    guardrails.index().catch_up().await?;
    Ok(DeleteGuardrailResponse {})
}

async fn delete_version(
    guardrails: &Guardrails,
    owner: Scope<'_>,
    id: &str,
    version: &str,
) -> Result<(), GuardrailsError> {
    let change = |found: &mut Resource<Guardrail>| {
        kept::version_of(found, version)?;
        found.value.versions.retain(|known| known.number.to_string() != version);
        let mut ops = Vec::from(kept::unused(owner, &found.id, version));
        ops.push(kept::count(owner, &found.id, -1));
        ops.push(Op::Discard { key: kept::contents_key(owner, &found.id, version) });
        ops.push(guardrails.index().put(&found.arn, &Entry::of(&found.value))?);
        Ok(ops)
    };
    match guardrails.collection().update_with(owner, id, change).await {
        Ok(_) => Ok(()),
        Err(GuardrailsError::Resource(error)) => Err(refusal(error)),
        Err(error) => Err(error),
    }
}

async fn delete_all(guardrails: &Guardrails, owner: Scope<'_>, id: &str) -> Result<(), GuardrailsError> {
    for _ in 0..TRIES {
        let found = guardrails.collection().get(owner, id).await?;
        let count = Op::Add { scope: owner.owned(), counter: COUNTER.into(), by: -1, min: 0, max: i64::MAX };
        let mut ops = vec![count, guardrails.index().discard(&found.arn)];
        ops.push(kept::uncount(owner, &found.id));
        ops.push(Op::Discard { key: kept::contents_key(owner, &found.id, DRAFT) });
        for version in &found.value.versions {
            let version = version.number.to_string();
            ops.extend(kept::unused(owner, &found.id, &version));
            ops.push(Op::Discard { key: kept::contents_key(owner, &found.id, &version) });
        }
        match guardrails.collection().delete_at(owner, &found, ops).await {
            // A version more: it goes with the others.
            Err(outcrop_resources::Error::Changed { .. }) => {}
            done => return done.map_err(refusal),
        }
    }
    Err(outcrop_resources::Error::Store(outcrop_store::Error::Busy).into())
}

/// The digest of contents.
pub(crate) fn hash(definition: &Definition) -> Result<String, GuardrailsError> {
    definition.hash().map_err(|error| outcrop_resources::Error::Internal(error.to_string()).into())
}

/// How a KMS key is told: whole, whichever way it was named.
fn kms_arn(scope: Scope<'_>, key: &str) -> String {
    match key {
        _ if key.starts_with("arn:") => key.to_owned(),
        _ if key.starts_with("alias/") => format!("arn:aws:kms:{}:{}:{key}", scope.region, scope.account),
        _ => format!("arn:aws:kms:{}:{}:key/{key}", scope.region, scope.account),
    }
}

/// A guardrail's draft, or one of its versions, in a list.
fn summary(owner: Scope<'_>, found: &Resource<Guardrail>, version: Option<&Version>) -> GuardrailSummary {
    let guardrail = &found.value;
    let draft = GuardrailSummary {
        id: found.id.clone(),
        arn: found.arn.clone(),
        status: GuardrailStatus::Ready,
        name: found.name.clone().unwrap_or_default(),
        description: guardrail.description.clone(),
        version: DRAFT.to_owned(),
        created_at: found.created,
        updated_at: guardrail.edited.unwrap_or(found.created),
        cross_region_details: profile(guardrail.profile.as_deref(), owner),
    };
    match version {
        None => draft,
        Some(version) => GuardrailSummary {
            name: version.name.clone(),
            description: version.description.clone(),
            version: version.number.to_string(),
            created_at: version.created,
            updated_at: version.created,
            cross_region_details: profile(version.profile.as_deref(), owner),
            ..draft
        },
    }
}

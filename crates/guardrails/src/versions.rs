//! Numbered versions: what the draft said at a moment, for ever.

#[cfg(test)]
mod tests;

use jiff::Timestamp;
use outcrop_access::Context;
use outcrop_api::bedrock::{CreateGuardrailVersionRequest, CreateGuardrailVersionResponse};
use outcrop_resources::Op;
use outcrop_store::{Batch, ClientToken, Error as StoreError, Receipt};
use sha2::{Digest, Sha256};

use crate::error::{GuardrailsError, refusal};
use crate::kept::{self, DRAFT, Entry, Version};
use crate::service::{Guardrails, TRIES};

/// Makes a version of the draft.
pub async fn create(
    cx: &Context,
    guardrails: &Guardrails,
    input: CreateGuardrailVersionRequest,
) -> Result<CreateGuardrailVersionResponse, GuardrailsError> {
    let (owner, id) = guardrails.may(cx, "bedrock:CreateGuardrailVersion", &input.guardrail_identifier).await?;
    let description = input.description;
    let asked = Sha256::digest(kept::body(&(id, &description))?).to_vec();
    for _ in 0..TRIES {
        let mut found = guardrails.collection().get(owner, id).await?;
        let Some(contents) = guardrails.contents(owner, id, DRAFT).await? else { continue };
        let guardrail = &mut found.value;
        if crate::control::hash(&contents)? != guardrail.hash {
            continue; // Edited between the two readings.
        }
        guardrail.last_version += 1;
        let number = guardrail.last_version;
        guardrail.versions.push(Version {
            number,
            name: found.name.clone().unwrap_or_default(),
            description: description.clone(),
            profile: guardrail.profile.clone(),
            kms_key: guardrail.kms_key.clone(),
            hash: guardrail.hash.clone(),
            created: Timestamp::now(),
        });
        let sealed_by = guardrail.kms_key.as_deref().map(|key| guardrails.resources().kms().name(owner, key));
        let key = kept::contents_key(owner, id, &number.to_string());
        let body = kept::body(guardrail)?;
        let ops = vec![
            kept::count(owner, id, 1),
            Op::Put { key: kept::key(owner, id), expect: Some(found.revision), name: found.name.clone(), body },
            kept::insert(key.clone(), &contents, sealed_by.transpose()?)?,
            guardrails.index().put(&found.arn, &Entry::of(&found.value))?,
        ];
        let token = input.client_request_token.as_deref().map(|token| ClientToken {
            scope: owner.owned(),
            operation: "CreateGuardrailVersion".to_owned(),
            token: token.to_owned(),
            fingerprint: asked.clone(),
            makes: key,
        });
        let version = match guardrails.resources().store().commit(Batch::new(ops).once(token)).await {
            Ok(Receipt::Done(_)) => number.to_string(),
            Ok(Receipt::Replayed(first)) => kept::version_in(&first).to_owned(),
            // Another version was made, or the draft edited, in between.
            Err(StoreError::Stale { .. } | StoreError::Missing { .. } | StoreError::Exists { .. }) => continue,
            Err(StoreError::OutOfBounds { .. }) => return Err(GuardrailsError::TooManyVersions(kept::MAX_VERSIONS)),
            Err(StoreError::TokenReused) => return Err(outcrop_resources::Error::TokenReused.into()),
            Err(error) => return Err(refusal(error.into())),
        };
        guardrails.index().catch_up().await?;
        return Ok(CreateGuardrailVersionResponse { guardrail_id: found.id, version });
    }
    Err(outcrop_resources::Error::Store(StoreError::Busy).into())
}

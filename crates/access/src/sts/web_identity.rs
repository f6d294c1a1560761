//! `AssumeRoleWithWebIdentity`: the token is the credential.

use super::assume::{Narrowing, check_session, packed_percent, seconds, session_keys};
use super::input::Problems;
use super::{Issued, Sts, StsError};
use crate::ask::keys::of_client;
use crate::directory::check_tags;
use crate::keys::{NewSession, SessionOf};
use crate::oidc::TokenError;
use crate::policy::{Decision, Keys as ConditionKeys, Principal, Request};
use crate::{ClientInfo, Secret};

const DENIED: &str = "Not authorized to perform sts:AssumeRoleWithWebIdentity";

/// The input of `AssumeRoleWithWebIdentity`.
#[derive(Debug, Clone)]
pub struct AssumeRoleWithWebIdentity {
    /// Which role.
    pub role_arn: String,
    /// What to call the session.
    pub session_name: String,
    /// The issuer's token.
    pub token: Secret,
    /// A provider of OAuth access tokens; OpenID tokens have none.
    pub provider_id: Option<String>,
    /// How long the session is to last.
    pub duration_seconds: Option<u32>,
    /// What it may at most.
    pub narrowing: Narrowing,
}

impl Sts {
    /// A session of a role for whoever holds an issuer's token.
    pub async fn assume_role_with_web_identity(
        &self,
        client: ClientInfo,
        input: AssumeRoleWithWebIdentity,
    ) -> Result<Issued, StsError> {
        let mut problems = Problems::default();
        check_session(&mut problems, &input.role_arn, &input.session_name, input.duration_seconds);
        problems.required(input.token.reveal(), "webIdentityToken");
        problems.secret_length(input.token.reveal(), "webIdentityToken", 4..=20_000);
        input.narrowing.check(&mut problems);
        problems.finish()?;
        if input.provider_id.is_some() {
            let told = "ProviderId is for OAuth 2.0 access tokens; this server takes OpenID Connect tokens only.";
            return Err(StsError::Validation(told.into()));
        }

        let directory = &self.directory;
        let (issuer, claims) = self.verifier.verify(directory, input.token.reveal()).await?;
        let role = directory.role_by_arn(&input.role_arn).ok_or_else(|| StsError::Denied(DENIED.into()))?;
        if let Some(claim) = &issuer.role_claim
            && !claims.texts(claim).any(|named| named == role.name || named == role.arn())
        {
            let told = format!("The claim {claim} of the token does not name the role {}.", role.name);
            return Err(StsError::RejectedClaim(told));
        }
        let (mut tags, transitive) = claims.demanded_tags()?;
        let demanded = !tags.is_empty();
        tags.extend(claims.configured_tags(&issuer)?);
        check_tags(&tags).map_err(|error| TokenError::Invalid(error.to_string()))?;
        let source_identity = claims.source_identity();

        let mut keys = ConditionKeys::new();
        of_client(&mut keys, &client);
        session_keys(&mut keys, &input.session_name, &tags, &transitive, source_identity);
        let name = issuer.name();
        for (claim, values) in claims.for_conditions() {
            keys.set_all(&format!("{name}:{claim}"), values);
        }
        keys.set(&format!("{name}:aud"), claims.audience.as_str());
        keys.set("aws:FederatedProvider", format!("arn:aws:iam::{}:oidc-provider/{name}", role.account));
        let arn = role.arn();
        let principal = Principal { federated: Some(name), ..Principal::default() };
        let mut actions = vec!["sts:AssumeRoleWithWebIdentity"];
        actions.extend(demanded.then_some("sts:TagSession"));
        actions.extend(source_identity.map(|_| "sts:SetSourceIdentity"));
        for action in actions {
            let request = Request { action, resource: &arn, principal, keys: &keys };
            if role.trust.evaluate(&request) != Decision::Allow {
                return Err(StsError::Denied(DENIED.into()));
            }
        }

        let seconds = seconds(&role, input.duration_seconds, false)?;
        let of = SessionOf::Role { role: role.name.clone(), name: input.session_name };
        let mut session = NewSession::new(&role.account, of);
        input.narrowing.put(&mut session, directory)?;
        session.tags = tags;
        session.transitive = transitive;
        session.source_identity = source_identity.map(str::to_owned);
        session.provider = Some(issuer.issuer.clone());
        let packed_percent = packed_percent(&session)?;
        let key = self.issue(session, seconds).await?;
        Ok(Issued { key, packed_percent, subject: Some(claims.subject), audience: Some(claims.audience) })
    }
}

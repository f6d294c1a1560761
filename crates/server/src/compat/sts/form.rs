//! Reading the form of an AWS Query call.

use outcrop_access::Secret;
use outcrop_access::sts::{AssumeRole, AssumeRoleWithWebIdentity, GetSessionToken, Narrowing, SessionTags, StsError};
use outcrop_wire::text::query_pairs;
use std::collections::BTreeMap;

/// The longest list that is read: its members are numbered by the caller.
const MAX_MEMBERS: usize = 1000;

/// The parameters of a call. A name that comes twice counts once, the first time.
pub(super) struct Form(BTreeMap<String, String>);

impl Form {
    pub fn read(text: &str) -> Self {
        let mut fields = BTreeMap::new();
        for (name, value) in query_pairs(text) {
            fields.entry(name.into_owned()).or_insert_with(|| value.into_owned());
        }
        Self(fields)
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    fn text(&self, name: &str) -> String {
        self.get(name).unwrap_or_default().to_owned()
    }

    fn optional(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }

    fn number(&self, name: &str) -> Result<Option<u32>, StsError> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let number = text.parse().map_err(|_| {
            let shown: String = text.chars().take(64).collect();
            StsError::Validation(format!("{name} must be a number, and is '{shown}'."))
        })?;
        Ok(Some(number))
    }

    /// The members of a list, `Tags.member.1.Key` and so on: what stands behind each number.
    fn members<'a>(&'a self, list: &'a str, member: &'a str) -> impl Iterator<Item = (String, &'a str)> {
        (1..=MAX_MEMBERS).map_while(move |n| {
            let prefix = format!("{list}.member.{n}");
            let name = if member.is_empty() { prefix.clone() } else { format!("{prefix}.{member}") };
            self.get(&name).map(|value| (prefix, value))
        })
    }

    fn narrowing(&self) -> Narrowing {
        Narrowing {
            policy: self.optional("Policy"),
            policy_arns: self.members("PolicyArns", "arn").map(|(_, arn)| arn.to_owned()).collect(),
        }
    }

    pub fn assume_role(&self) -> Result<AssumeRole, StsError> {
        for name in ["SerialNumber", "TokenCode", "ProvidedContexts.member.1.ProviderArn"] {
            if self.get(name).is_some() {
                return Err(StsError::Validation(format!("{name} is not taken by this server.")));
            }
        }
        let tag = |(prefix, key): (String, &str)| (key.to_owned(), self.text(&format!("{prefix}.Value")));
        Ok(AssumeRole {
            role_arn: self.text("RoleArn"),
            session_name: self.text("RoleSessionName"),
            duration_seconds: self.number("DurationSeconds")?,
            external_id: self.optional("ExternalId"),
            source_identity: self.optional("SourceIdentity"),
            narrowing: self.narrowing(),
            tags: SessionTags {
                tags: self.members("Tags", "Key").map(tag).collect(),
                transitive: self.members("TransitiveTagKeys", "").map(|(_, key)| key.to_owned()).collect(),
            },
        })
    }

    pub fn web_identity(&self) -> Result<AssumeRoleWithWebIdentity, StsError> {
        Ok(AssumeRoleWithWebIdentity {
            role_arn: self.text("RoleArn"),
            session_name: self.text("RoleSessionName"),
            token: Secret::new(self.text("WebIdentityToken")),
            provider_id: self.optional("ProviderId"),
            duration_seconds: self.number("DurationSeconds")?,
            narrowing: self.narrowing(),
        })
    }

    pub fn session_token(&self) -> Result<GetSessionToken, StsError> {
        for name in ["SerialNumber", "TokenCode"] {
            if self.get(name).is_some() {
                return Err(StsError::Validation(format!("{name} is not taken by this server.")));
            }
        }
        Ok(GetSessionToken { duration_seconds: self.number("DurationSeconds")? })
    }
}

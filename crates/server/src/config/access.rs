//! Who there is besides the owners of accounts, and what each may.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use outcrop_access::directory::{Directory, DirectoryError, NewRole, NewUser};
use outcrop_access::oidc::{Issuer, KeySource};
use serde::{Deserialize, Serialize};

use super::ConfigError;

/// `[access]`
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Access {
    /// What users of keys may that are not declared here.
    pub default_policies: Vec<String>,
    /// Policies, by name.
    pub policies: BTreeMap<String, PolicySource>,
    /// Users.
    pub users: Vec<User>,
    /// Roles.
    pub roles: Vec<Role>,
    /// Issuers of web identities.
    pub oidc: Vec<Oidc>,
}

impl Default for Access {
    fn default() -> Self {
        Self {
            default_policies: vec!["AmazonBedrockFullAccess".to_owned()],
            policies: BTreeMap::new(),
            users: Vec::new(),
            roles: Vec::new(),
            oidc: Vec::new(),
        }
    }
}

/// `[access.policies.NAME]`
#[derive(Debug, Clone, PartialEq, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct PolicySource {
    /// A file that holds the document.
    pub file: Option<PathBuf>,
    /// The document itself.
    pub json: Option<String>,
}

/// `[[access.users]]`
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// Twelve digits.
    pub account: String,
    /// As `outcrop keys create --user` has it.
    pub name: String,
    /// By name or ARN.
    #[serde(default)]
    pub policies: Vec<String>,
    /// `aws:PrincipalTag/…`.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

/// `[[access.roles]]`
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// Twelve digits.
    pub account: String,
    /// Its name.
    pub name: String,
    /// Who may assume it: the document.
    pub trust: Option<String>,
    /// Or a file that holds it.
    pub trust_file: Option<PathBuf>,
    /// By name or ARN.
    #[serde(default)]
    pub policies: Vec<String>,
    /// `aws:PrincipalTag/…`.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// The longest session.
    #[serde(default = "hour")]
    pub max_session_seconds: u32,
}

fn hour() -> u32 {
    3600
}

/// `[[access.oidc]]`
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Oidc {
    /// As the tokens' `iss` says it.
    pub issuer: String,
    /// What the tokens' `aud` may be.
    pub audiences: Vec<String>,
    /// Where its keys are, if not where its discovery document says.
    pub jwks_uri: Option<String>,
    /// A file with its keys, which are then not fetched.
    pub jwks_file: Option<PathBuf>,
    /// Certificates of the authority that its own comes from.
    pub ca_file: Option<PathBuf>,
    /// A claim that must name the role.
    pub role_claim: Option<String>,
    /// Session tags, by claim.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// How far its clock may be off.
    #[serde(default = "minute")]
    pub clock_skew_seconds: u32,
}

fn minute() -> u32 {
    60
}

impl Access {
    /// The directory that this declares. Reads the files that are named.
    pub fn directory(&self) -> Result<Directory, ConfigError> {
        let mut builder = Directory::builder().default_policies(self.default_policies.clone());
        for (name, source) in &self.policies {
            let key = format!("access.policies.{name}");
            builder =
                builder.policy(name, one_of(&key, ["file", "json"], source.file.as_deref(), source.json.as_ref())?);
        }
        for User { account, name, policies, tags } in self.users.iter().cloned() {
            builder = builder.user(NewUser { account, name, policies, tags });
        }
        for role in &self.roles {
            let key = format!("access.roles `{}`", role.name);
            let names = ["trust_file", "trust"];
            builder = builder.role(NewRole {
                account: role.account.clone(),
                name: role.name.clone(),
                trust: one_of(&key, names, role.trust_file.as_deref(), role.trust.as_ref())?,
                policies: role.policies.clone(),
                tags: role.tags.clone(),
                max_session_seconds: role.max_session_seconds,
            });
        }
        for oidc in &self.oidc {
            builder = builder.issuer(oidc.issuer()?);
        }
        builder.build().map_err(|error| ConfigError::Access { key: self.key_of(&error), what: error.to_string() })
    }

    /// Which setting, and which file behind it, is to blame.
    fn key_of(&self, error: &DirectoryError) -> String {
        let with = |key: String, file: Option<&PathBuf>| match file {
            Some(file) => format!("{key} ({})", file.display()),
            None => key,
        };
        match error {
            DirectoryError::BadPolicy { name, .. } | DirectoryError::ReservedPolicy(name) => {
                with(format!("access.policies.{name}"), self.policies.get(name).and_then(|p| p.file.as_ref()))
            }
            DirectoryError::BadTrust { role, .. } => {
                let declared = self.roles.iter().find(|declared| declared.name == *role);
                with("access.roles.trust".into(), declared.and_then(|role| role.trust_file.as_ref()))
            }
            DirectoryError::BadDuration { .. } => "access.roles.max_session_seconds".into(),
            DirectoryError::Twice { what, .. } => format!("access.{what}s.name"),
            DirectoryError::Root => "access.users.name".into(),
            DirectoryError::TwoIssuers(_) | DirectoryError::BadIssuer { .. } => "access.oidc".into(),
            _ => "access".into(),
        }
    }
}

impl Oidc {
    fn issuer(&self) -> Result<Issuer, ConfigError> {
        let keys = match (&self.jwks_uri, &self.jwks_file) {
            (None, None) => KeySource::Discovery,
            (Some(url), None) => KeySource::Url(url.clone()),
            (None, Some(file)) => KeySource::Document(self.read("jwks_file", file)?),
            (Some(_), Some(_)) => {
                let what = "jwks_uri and jwks_file are both set; keep one of them".to_owned();
                return Err(ConfigError::Access { key: format!("access.oidc `{}`", self.issuer), what });
            }
        };
        if let Some(file) = &self.ca_file {
            self.read("ca_file", file)?;
        }
        Ok(Issuer {
            issuer: self.issuer.clone(),
            audiences: self.audiences.clone(),
            keys,
            ca_file: self.ca_file.clone(),
            role_claim: self.role_claim.clone(),
            tags: self.tags.clone(),
            clock_skew_seconds: self.clock_skew_seconds,
        })
    }

    fn read(&self, name: &str, file: &Path) -> Result<String, ConfigError> {
        read(&format!("access.oidc `{}`", self.issuer), name, file)
    }
}

/// The text that is either in a file or in the configuration itself.
fn one_of(key: &str, names: [&str; 2], file: Option<&Path>, text: Option<&String>) -> Result<String, ConfigError> {
    match (file, text) {
        (Some(file), None) => read(key, names[0], file),
        (None, Some(text)) => Ok(text.clone()),
        _ => {
            let [file, text] = names;
            Err(ConfigError::Access { key: key.to_owned(), what: format!("set either `{file}` or `{text}`") })
        }
    }
}

/// The file that the setting `name` of `key` names.
fn read(key: &str, name: &str, file: &Path) -> Result<String, ConfigError> {
    let key = format!("{key}.{name}");
    std::fs::read_to_string(file).map_err(|source| ConfigError::UnreadableNamed { key, path: file.to_owned(), source })
}

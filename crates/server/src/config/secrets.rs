//! Secrets that data sources name by the ARNs of Secrets Manager.

use std::collections::BTreeMap;
use std::path::PathBuf;

use outcrop_access::Secret;
use outcrop_knowledge::secrets::{Named, Secrets};
use serde::{Deserialize, Serialize};

use super::{Config, ConfigError, SecretRef, impossible};

/// `[secrets.NAME]`
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct StoredSecret {
    /// Whose it is.
    #[serde(default)]
    pub account: Option<String>,
    /// A JSON object.
    pub value: SecretRef,
}

impl Config {
    /// The secrets that roles may read.
    pub(crate) fn stored_secrets(&self, dev: bool) -> Secrets {
        let named = self.secrets.iter().map(|(name, secret)| {
            let named = Named {
                account: secret.account.clone(),
                value: Secret::new(secret.value.expose()),
                file: secret.value.file().map(PathBuf::from),
            };
            (name.clone(), named)
        });
        Secrets::new(named.collect(), dev.then(|| self.dev.account.clone()))
    }
}

pub(super) fn check(secrets: &BTreeMap<String, StoredSecret>) -> Result<(), ConfigError> {
    for (name, secret) in secrets {
        let fits = |account: &String| account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        if let Some(account) = secret.account.as_ref().filter(|account| !fits(account)) {
            return Err(impossible(&format!("secrets.{name}.account"), account, "12 digits"));
        }
        let read = serde_json::from_str::<BTreeMap<String, String>>(secret.value.expose());
        if read.is_err() {
            let expected =
                r#"a JSON object of strings, as Secrets Manager has it: {"username": "...", "password": "..."}"#;
            return Err(impossible(&format!("secrets.{name}.value"), "something else", expected));
        }
    }
    Ok(())
}

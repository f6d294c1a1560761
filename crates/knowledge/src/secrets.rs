//! Secrets that data sources name: what Secrets Manager is to Bedrock, the operator's configuration is here.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use outcrop_access::{Context, Secret};
use outcrop_api::AwsError;
use serde_json::Value;
use tokio::sync::MutexGuard;

#[cfg(test)]
mod tests;

/// What Secrets Manager puts behind a name in an ARN: a dash and so many characters.
const SUFFIX: usize = 6;

/// The secrets of the configuration. Cheap to clone.
#[derive(Clone, Default)]
pub struct Secrets(Arc<Inner>);

#[derive(Default)]
struct Inner {
    named: BTreeMap<String, Named>,
    /// In `outcrop dev`: the account that secrets without one belong to, and programs' ARNs may name other accounts.
    dev: Option<String>,
    /// What services have put in the place of values: tokens that hold once.
    renewed: Mutex<BTreeMap<String, Fields>>,
    /// Whose turn it is to renew a secret, by its name.
    turns: BTreeMap<String, tokio::sync::Mutex<()>>,
}

/// A secret, as it is configured.
pub struct Named {
    /// Whose it is.
    pub account: Option<String>,
    /// A JSON object, as Secrets Manager has it.
    pub value: Secret,
    /// The file that it is from, if it is from one.
    pub file: Option<PathBuf>,
}

/// What is in a secret.
pub(crate) type Fields = BTreeMap<String, Secret>;

impl Secrets {
    /// These secrets, by their names. `dev` is the account that those without one belong to, where they do.
    pub fn new(named: BTreeMap<String, Named>, dev: Option<String>) -> Self {
        let turns = named.keys().map(|name| (name.clone(), tokio::sync::Mutex::default())).collect();
        Self(Arc::new(Inner { named, dev, renewed: Mutex::default(), turns }))
    }

    /// A secret by its ARN. Asks the role's permission `secretsmanager:GetSecretValue`.
    pub(crate) fn get(&self, acting: &Context, arn: &str) -> Result<Fields, String> {
        let account = &*acting.caller.account;
        let unknown = || {
            format!(
                "The secret {arn} is not known to this server. Its operator declares secrets in [secrets] of the \
                 configuration, each with the account that it belongs to."
            )
        };
        let (told, rest) = account_of(arn).ok_or_else(unknown)?;
        if self.0.dev.is_none() && told != account {
            return Err(unknown());
        }
        let (name, secret) = self.find(rest).ok_or_else(unknown)?;
        let owner = secret.account.as_deref().or(self.0.dev.as_deref());
        if owner != Some(account) && !(self.0.dev.is_some() && secret.account.is_none()) {
            return Err(unknown());
        }
        let own = arn.replacen(&format!(":{told}:secret:"), &format!(":{account}:secret:"), 1);
        acting.allow("secretsmanager:GetSecretValue", &own).map_err(|error| error.message())?;
        let renewed = self.0.renewed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(fields) = renewed.get(name) {
            return Ok(fields.clone());
        }
        drop(renewed);
        fields(secret.value.reveal()).ok_or_else(|| format!("The secret {arn} is no JSON object of strings."))
    }

    /// The turn to renew a secret that was read, and what others have put into it before. A token that renews it holds
    /// once, whoever uses it.
    pub(crate) async fn turn(&self, arn: &str) -> (Option<MutexGuard<'_, ()>>, Option<Fields>) {
        let Some((name, _)) = account_of(arn).and_then(|(_, rest)| self.find(rest)) else { return (None, None) };
        let turn = match self.0.turns.get(name) {
            Some(turn) => Some(turn.lock().await),
            None => None,
        };
        (turn, self.0.renewed.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned())
    }

    /// Puts other values into a secret that was read: into its file, where it is from one.
    pub(crate) fn renew(&self, arn: &str, fields: &Fields) {
        let Some((name, secret)) = account_of(arn).and_then(|(_, rest)| self.find(rest)) else { return };
        let mut renewed = self.0.renewed.lock().unwrap_or_else(PoisonError::into_inner);
        renewed.insert(name.to_owned(), fields.clone());
        match &secret.file {
            Some(file) => {
                if let Err(error) = write(file, fields) {
                    tracing::error!(secret = name, %error, "new tokens could not be written into the secret's file");
                }
            }
            None => tracing::warn!(
                secret = name,
                "a service has given new tokens for this secret, which is no file: they are lost when this server ends"
            ),
        }
    }

    /// With the suffix that Secrets Manager gives, or without.
    fn find(&self, told: &str) -> Option<(&str, &Named)> {
        let cut = told.len().checked_sub(SUFFIX + 1).and_then(|at| told.get(..at).zip(told.get(at..at + 1)));
        let short = cut.filter(|(_, dash)| *dash == "-").map(|(name, _)| name);
        let found = self.0.named.get_key_value(told).or_else(|| self.0.named.get_key_value(short?));
        found.map(|(name, secret)| (&**name, secret))
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.named.keys()).finish()
    }
}

/// The account of `arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME`, and the name.
fn account_of(arn: &str) -> Option<(&str, &str)> {
    let (place, name) = arn.split_once(":secret:")?;
    Some((place.rsplit(':').next()?, name))
}

fn fields(json: &str) -> Option<Fields> {
    let Ok(Value::Object(object)) = serde_json::from_str(json) else { return None };
    let field = |(key, value): (String, Value)| match value {
        Value::String(text) => Some((key, Secret::new(text))),
        _ => None,
    };
    object.into_iter().map(field).collect()
}

/// In one step, and for nobody else to read.
fn write(file: &std::path::Path, fields: &Fields) -> std::io::Result<()> {
    let whole: serde_json::Map<_, _> = fields.iter().map(|(key, value)| (key.clone(), value.reveal().into())).collect();
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut new = tempfile::NamedTempFile::new_in(folder.unwrap_or_else(|| std::path::Path::new(".")))?;
    std::io::Write::write_all(&mut new, Value::Object(whole).to_string().as_bytes())?;
    new.as_file().sync_all()?;
    new.persist(file).map_err(|error| error.error)?;
    Ok(())
}

//! Whose calls a budget counts, and which of its purses a call is paid from.

use std::borrow::Cow;
use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::Call;

/// A purse's name is never longer than its values are wide: who sends longer ones gets a digest.
const LONGEST: usize = 256;
/// The purse of all values beyond the number that a budget keeps apart. No list of values reads so.
pub(super) const OTHERS: &str = "*";

/// Whose calls count. All that is given must hold; what is not given does not matter, but that what tells callers apart
/// tells their accounts apart, too: another account's `user=ada` is somebody else.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Match {
    /// The account.
    pub account: Option<Which>,
    /// The access key or API key, by its id.
    pub key: Option<Which>,
    /// The caller's ARN.
    pub principal: Option<Which>,
    /// The catalogue's id of the model.
    pub model: Option<Which>,
    /// Tags of the application inference profile that is called, or of the caller.
    pub tags: BTreeMap<String, Which>,
    /// The call's own `requestMetadata`.
    pub metadata: BTreeMap<String, Which>,
}

/// Which values count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// This one.
    Is(String),
    /// Every one has a budget of its own; calls without any share one, so that leaving it out escapes nothing.
    Each,
}

impl Match {
    /// The purse of `call`: the values that are told apart, as JSON. None where the budget does not count it.
    pub(super) fn purse(&self, call: &Call<'_>) -> Option<String> {
        let mut apart = Vec::new();
        let mut counts = |which: &Which, found: Option<&str>| match which {
            Which::Is(value) => found == Some(value),
            Which::Each => {
                apart.push(found.map(|value| clipped(value).into_owned()));
                true
            }
        };
        let fixed = [
            (self.account(), Some(call.account)),
            (self.key.as_ref(), call.key),
            (self.principal.as_ref(), Some(call.principal)),
            (self.model.as_ref(), Some(call.model)),
        ];
        for (which, found) in fixed {
            if let Some(which) = which
                && !counts(which, found)
            {
                return None;
            }
        }
        for (key, which) in &self.tags {
            if !counts(which, call.tags.get(key).map(String::as_str)) {
                return None;
            }
        }
        for (key, which) in &self.metadata {
            if !counts(which, call.metadata.and_then(|map| map.get(key)).map(String::as_str)) {
                return None;
            }
        }
        if apart.is_empty() {
            return Some(String::new());
        }
        serde_json::to_string(&apart).ok()
    }

    fn account(&self) -> Option<&Which> {
        let callers = [&self.key, &self.principal].into_iter().flatten();
        let mut callers = callers.chain(self.tags.values()).chain(self.metadata.values());
        let apart = callers.any(|which| *which == Which::Each);
        self.account.as_ref().or(apart.then_some(&Which::Each))
    }

    fn parts(&self) -> impl Iterator<Item = (String, &Which)> {
        let fixed = [
            ("account", self.account()),
            ("key", self.key.as_ref()),
            ("principal", self.principal.as_ref()),
            ("model", self.model.as_ref()),
        ];
        let fixed = fixed.into_iter().filter_map(|(name, which)| Some((name.to_owned(), which?)));
        let tags = self.tags.iter().map(|(key, which)| (format!("tags.{key}"), which));
        let metadata = self.metadata.iter().map(|(key, which)| (format!("metadata.{key}"), which));
        fixed.chain(tags).chain(metadata)
    }

    /// What is told apart.
    pub(super) fn each(&self) -> Vec<String> {
        self.parts().filter(|(_, which)| **which == Which::Each).map(|(name, _)| name).collect()
    }

    /// Whose `purse` is, by name and value.
    pub(super) fn scope(&self, purse: &str) -> BTreeMap<String, String> {
        let values: Vec<Option<String>> = serde_json::from_str(purse).unwrap_or_default();
        let mut values = values.into_iter();
        let value = |which: &Which| match which {
            Which::Is(value) => value.clone(),
            Which::Each if purse == OTHERS => "(all others)".into(),
            Which::Each => values.next().flatten().unwrap_or_else(|| "(none)".into()),
        };
        let (names, which): (Vec<_>, Vec<_>) = self.parts().unzip();
        names.into_iter().zip(which.into_iter().map(value)).collect()
    }
}

fn clipped(value: &str) -> Cow<'_, str> {
    if value.len() <= LONGEST {
        return value.into();
    }
    let digest = Sha256::digest(value.as_bytes());
    let digest: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let begins: String = value.chars().take(64).collect();
    format!("{begins}…{digest}").into()
}

//! What differs between two configurations, key by key, for people.

use std::collections::BTreeMap;

use super::secret::PLAIN;
use super::{Config, Metrics};

/// One key with different values. Secrets show where they come from, never what they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its name, as `limits.connections`.
    pub key: String,
    /// The value before; none where it was not set.
    pub from: Option<String>,
    /// The value now.
    pub to: Option<String>,
}

impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "not set".into());
        write!(f, "{}: {} -> {}", self.key, shown(&self.from), shown(&self.to))
    }
}

impl Config {
    /// The keys whose values are others in `next`.
    pub fn changes(&self, next: &Self) -> Vec<Change> {
        let (before, after) = (self.flat(), next.flat());
        let keys: std::collections::BTreeSet<_> = before.keys().chain(after.keys()).collect();
        let changed = keys.into_iter().filter(|key| before.get(*key) != after.get(*key));
        changed
            .map(|key| {
                let shown = |values: &BTreeMap<String, String>| values.get(key).map(|value| without_userinfo(value));
                Change { key: key.clone(), from: shown(&before), to: shown(&after) }
            })
            .collect()
    }

    /// This configuration, with what only a start can set as it is in `running`.
    pub fn with_fixed_of(self, running: &Self) -> Self {
        Self {
            listen: running.listen.clone(),
            data: running.data.clone(),
            encryption: running.encryption.clone(),
            engine: running.engine.clone(),
            cost: super::Cost { keep_days: running.cost.keep_days, ..self.cost },
            local_models: running.local_models.clone(),
            // The runner of their work is made once.
            knowledge: super::Knowledge {
                jobs: running.knowledge.jobs,
                jobs_per_account: running.knowledge.jobs_per_account,
                ..self.knowledge
            },
            otlp: running.otlp.clone(),
            cloudwatch: running.cloudwatch.clone(),
            alarm_actions: running.alarm_actions.clone(),
            // What was counted by some labels cannot be shown by others.
            metrics: Metrics {
                labels: running.metrics.labels.clone(),
                label_values: running.metrics.label_values,
                ..self.metrics
            },
            // Other files are one thing, to begin or to end speaking TLS another.
            tls: if self.tls.is_some() == running.tls.is_some() { self.tls } else { running.tls.clone() },
            ..self
        }
    }

    /// The keys under which a secret stands as it is.
    pub fn plain_secrets(&self) -> Vec<String> {
        self.flat().into_iter().filter(|(_, value)| value.contains(PLAIN)).map(|(key, _)| key).collect()
    }

    fn flat(&self) -> BTreeMap<String, String> {
        let mut flat = BTreeMap::new();
        match serde_json::to_value(self) {
            Ok(whole) => flatten("", &whole, &mut flat),
            Err(error) => tracing::error!(%error, "the configuration cannot be written down"),
        }
        flat
    }
}

/// `value` with what stands before an `@` in its URLs hidden: it is refused where it is set, and must not be shown then.
fn without_userinfo(value: &str) -> String {
    let (mut shown, mut rest) = (String::with_capacity(value.len()), value);
    while let Some(at) = rest.find("://") {
        let (scheme, after) = rest.split_at(at + 3);
        shown.push_str(scheme);
        let end = after.find(['/', '"', '?', '#', ' ']).unwrap_or(after.len());
        let (authority, behind) = after.split_at(end);
        match authority.rsplit_once('@') {
            Some((_, host)) => shown.extend(["<hidden>@", host]),
            None => shown.push_str(authority),
        }
        rest = behind;
    }
    shown + rest
}

fn flatten(key: &str, value: &serde_json::Value, into: &mut BTreeMap<String, String>) {
    match value {
        serde_json::Value::Null => {}
        serde_json::Value::Object(table) => {
            for (name, value) in table {
                let key = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
                flatten(&key, value, into);
            }
        }
        // An empty list is as good as none.
        serde_json::Value::Array(items) if items.is_empty() => {}
        value => {
            into.insert(key.to_owned(), value.to_string());
        }
    }
}

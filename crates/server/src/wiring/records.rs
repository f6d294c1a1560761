//! The audit trail and the invocation logs: opened at the start, configured anew by every reload, closed at the end.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use outcrop_buckets::Buckets;
use outcrop_resources::Resources;
use outcrop_telemetry::audit::{Audit, Event, Who, folder_of};
use outcrop_telemetry::invocation_log::InvocationLogs;
use serde_json::json;

use super::{Parts, StartError, told};
use crate::config::Config;
use crate::pipeline::Pipeline;

/// How long a server that ends waits for its last records.
const LAST: Duration = Duration::from_secs(5);

pub(super) fn audit(config: &Config, folder: &Path) -> Result<Audit, StartError> {
    let root = folder_of(folder);
    let open = Audit::open(&root, "server", config.audit.on_failure, config.audit.retention_days);
    open.map_err(|error| StartError(format!("the audit trail in {} cannot be opened: {error}", root.display())))
}

pub(super) async fn invocation_logs(
    config: &Config,
    folder: &Path,
    resources: &Resources,
    buckets: &Buckets,
) -> Result<Arc<InvocationLogs>, StartError> {
    let bytes = config.invocation_logs.buffer_bytes.get();
    let logs = InvocationLogs::open(resources, config.destinations(folder), bytes).map_err(told)?;
    let logs = logs.with_buckets(buckets.clone());
    logs.catch_up().await.map_err(told)?;
    Ok(Arc::new(logs))
}

/// The first record of a process.
pub(super) fn started(dev: bool) -> Event {
    let facts = json!({ "version": env!("CARGO_PKG_VERSION"), "mode": if dev { "dev" } else { "serve" } });
    Event::of_server("StartServer", Who::Server, facts)
}

/// Has everything written that is over.
pub(super) async fn close(pipeline: &Pipeline, audit: Audit, logs: Arc<InvocationLogs>) {
    if let Some(audit) = &pipeline.audit {
        audit.record(Event::of_server("StopServer", Who::Server, json!({}))).await;
    }
    let closed = tokio::task::spawn_blocking(move || {
        if !(audit.flush(LAST) && logs.flush(LAST)) {
            tracing::error!("the last records may not have been written");
        }
    });
    if let Err(error) = closed.await {
        tracing::error!(%error, "the last records may not have been written");
    }
}

impl Parts {
    /// Puts other settings in force.
    pub(crate) fn keep_records(&self, config: &Config) {
        self.audit.configure(config.audit.on_failure, config.audit.retention_days);
        self.logs.configure(config.destinations(&self.folder), config.invocation_logs.buffer_bytes.get());
    }

    /// A new configuration is in force: which keys of it are others, never their values.
    pub(crate) fn record_reload(&self, before: &Config, after: &Config) {
        let changed: Vec<String> = before.changes(after).into_iter().map(|change| change.key).collect();
        if before.audit.enabled || after.audit.enabled {
            let event = Event::of_server("ReloadConfiguration", Who::Server, json!({ "changedKeys": changed }));
            // Reloads are rare, and a disk that fails must not hold up the one that mends it.
            let audit = self.audit.clone();
            tokio::spawn(async move { audit.record(event).await });
        }
    }
}

//! What a command changes goes into the audit trail, as what a server does.

use std::path::Path;
use std::time::Duration;

use outcrop_server::config::{Config, OnFailure};
use outcrop_telemetry::audit::{Audit, Event, Who, folder_of};
use serde_json::Value;

/// How long a command waits for its record to be written.
const PATIENCE: Duration = Duration::from_secs(5);
/// Where IAM's events are, which is of no Region.
const REGION: &str = "us-east-1";

/// The trail of a data folder. It is opened before the change, so that one that must be on record is not made without.
pub struct Trail {
    audit: Option<Audit>,
    refuse: bool,
}

impl Trail {
    /// Opens it, unless the configuration has it off.
    pub fn open(config: &Config, data: &Path) -> Result<Self, String> {
        let refuse = config.audit.on_failure == OnFailure::Refuse;
        if !config.audit.enabled {
            return Ok(Self { audit: None, refuse });
        }
        let root = folder_of(data);
        match Audit::open(&root, "cli", config.audit.on_failure, config.audit.retention_days) {
            Ok(audit) => Ok(Self { audit: Some(audit), refuse }),
            Err(error) if refuse => Err(format!("the audit trail in {} cannot be opened: {error}", root.display())),
            Err(error) => {
                eprintln!("outcrop: the audit trail in {} cannot be opened: {error}", root.display());
                Ok(Self { audit: None, refuse })
            }
        }
    }

    /// Records a change for `account`, by IAM's name for it.
    pub fn record(&self, name: &'static str, account: &str, facts: Value) -> Result<(), String> {
        let Some(audit) = &self.audit else { return Ok(()) };
        let who = Who::Operator { name: operator(), account: Some(account.to_owned()) };
        let event = Event {
            source: "iam.amazonaws.com",
            service: "iam",
            region: REGION.to_owned(),
            ..Event::of_server(name, who, facts)
        };
        audit.record_blocking(event);
        if audit.flush(PATIENCE) {
            return Ok(());
        }
        let told = "the change was made, but could not be written into the audit trail".to_owned();
        if self.refuse {
            return Err(told);
        }
        eprintln!("outcrop: {told}");
        Ok(())
    }
}

/// Who runs the command: the name that the environment says, and the number that nobody can change.
fn operator() -> String {
    // SAFETY: `getuid` takes nothing, touches no memory and cannot fail.
    let id = unsafe { libc::getuid() };
    let name = std::env::var("USER").or_else(|_| std::env::var("LOGNAME")).unwrap_or_else(|_| "unknown".to_owned());
    format!("{name} (uid {id})")
}

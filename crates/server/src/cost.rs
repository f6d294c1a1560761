//! The doors of cost: what was spent, what could be saved, and what became of tasks. `docs/cost.md` has their JSON.
//!
//! Callers see their own account only. To read a month is work: it is done beside the threads that answer calls, two
//! reports at a time.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use http::Response;
use jiff::Timestamp;
use outcrop_access::Context;
use outcrop_api::{Fault, Kind};
use outcrop_telemetry::Prices;
use outcrop_telemetry::advise::{Facts, advise};
use outcrop_telemetry::cost::{By, Filter, Query, QueryError, report, tasks};
use outcrop_telemetry::ledger::LedgerError;
use outcrop_telemetry::outcomes::{Marked, Outcomes, Subject};
use outcrop_wire::text::query_pairs;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::compat::Call;
use crate::doors::Door;
use crate::listen::Body;

/// The reports that one server makes at once.
const REPORTS: usize = 2;

/// What the doors work on.
pub struct Desk {
    /// The server's data folder.
    pub data: PathBuf,
    /// What things cost.
    pub prices: Arc<Prices>,
    /// What the catalogue knows of models.
    pub facts: Arc<HashMap<String, Facts>>,
    /// Where outcomes are kept.
    pub outcomes: Arc<Outcomes>,
    /// How many reports may yet be made at once.
    pub reports: Arc<Semaphore>,
}

/// As many as [`Desk::reports`] begins with.
pub fn reports() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(REPORTS))
}

impl Desk {
    /// Answers one call of one of these doors.
    pub async fn answer(&self, call: &Call<'_>) -> Result<Response<Body>, Fault> {
        let cx = &call.context;
        let answer = match call.door {
            Door::Outcomes => self.mark(cx, &call.body).await?,
            door => {
                cx.allow("outcrop:GetCost", "*").map_err(|error| Fault::of(&error))?;
                self.report(door, cx, call.query).await?
            }
        };
        let mut response = Response::new(Body::full(answer.to_string()));
        response.headers_mut().insert("content-type", http::HeaderValue::from_static("application/json"));
        if let Ok(id) = http::HeaderValue::from_str(&cx.request_id) {
            response.headers_mut().insert("x-amzn-requestid", id);
        }
        Ok(response)
    }

    async fn report(&self, door: Door, cx: &Context, query: &str) -> Result<Value, Fault> {
        let (query, what) = asked(query, &cx.caller.account)?;
        let Ok(permit) = Arc::clone(&self.reports).try_acquire_owned() else {
            let text = format!("{REPORTS} reports are being made; ask again when one of them is done.");
            return Err(Fault::new(Kind::Throttling, text));
        };
        let (data, prices, facts) = (self.data.clone(), Arc::clone(&self.prices), Arc::clone(&self.facts));
        let made = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            Ok::<_, LedgerError>(match (door, what) {
                (Door::CostAdvice, _) => advise(&data, &prices, &facts, &query)?.json(),
                (_, What::Spend) => report(&data, &prices, &query)?.json(),
                (_, What::Tasks { by_task }) => tasks::tasks(&data, &query, by_task)?.json(),
            })
        });
        made.await.map_err(|error| broken(&error))?.map_err(|error| broken(&error))
    }

    async fn mark(&self, cx: &Context, body: &[u8]) -> Result<Value, Fault> {
        cx.allow("outcrop:PutOutcome", "*").map_err(|error| Fault::of(&error))?;
        let asked: Outcome = serde_json::from_slice(body).map_err(|error| {
            Fault::validation(format!(
                "The body is no outcome: {error}. Send {{\"requestId\": \"...\", \"success\": true}}, or \
                 {{\"metadata\": {{\"key\": \"...\", \"value\": \"...\"}}, \"success\": true}}."
            ))
        })?;
        let marked = asked.marked(&cx.caller.account)?;
        let outcomes = Arc::clone(&self.outcomes);
        let written = tokio::task::spawn_blocking(move || outcomes.mark(&marked));
        written.await.map_err(|error| broken(&error))?.map_err(|error| broken(&error))?;
        Ok(json!({}))
    }
}

/// `POST /outcrop/outcomes`
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Outcome {
    request_id: Option<String>,
    metadata: Option<Pair>,
    success: bool,
    task: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pair {
    key: String,
    value: String,
}

/// Bedrock's own limit of a key or value of `requestMetadata`.
const LONGEST: usize = 256;

impl Outcome {
    fn marked(self, account: &str) -> Result<Marked, Fault> {
        let subject = match (self.request_id, self.metadata) {
            (Some(id), None) => Subject::RequestId(id),
            (None, Some(Pair { key, value })) => Subject::Metadata { key, value },
            _ => return Err(Fault::validation("An outcome is of either a requestId or a metadata key and value.")),
        };
        let texts = match &subject {
            Subject::RequestId(id) => [id.as_str(), "-"],
            Subject::Metadata { key, value } => [key.as_str(), value.as_str()],
        };
        let task = self.task.as_deref().unwrap_or("-");
        if texts.iter().chain([&task]).any(|text| text.is_empty() || text.len() > LONGEST || text.contains('\u{1f}')) {
            let text = format!("requestId, key, value and task have from 1 to {LONGEST} bytes.");
            return Err(Fault::validation(text));
        }
        Ok(Marked {
            at: Timestamp::now(),
            account: account.to_owned(),
            subject,
            success: self.success,
            task: self.task,
        })
    }
}

enum What {
    Spend,
    Tasks { by_task: bool },
}

/// Reads `from=…&to=…&by=day,model&filter=tag:team=search&tasks=true`, and narrows it to the caller's account.
fn asked(query: &str, account: &str) -> Result<(Query, What), Fault> {
    let (mut by, mut filters, mut from, mut to, mut by_tasks) = (String::new(), Vec::new(), None, None, false);
    for (name, value) in query_pairs(query) {
        match &*name {
            "by" => by = value.into_owned(),
            "filter" => filters.push(value.into_owned()),
            "from" => from = Some(value.into_owned()),
            "to" => to = Some(value.into_owned()),
            // A presigned request proves itself here.
            name if name.starts_with("X-Amz-") => {}
            "tasks" => by_tasks = !matches!(&*value, "false" | "0"),
            _ => {
                let text = format!("There is no parameter {name}: use from, to, by, filter and tasks.");
                return Err(Fault::validation(text));
            }
        }
    }
    let mut parts: Vec<&str> = by.split(',').map(str::trim).collect();
    let before = parts.len();
    if by_tasks {
        parts.retain(|part| *part != "task");
    }
    let by_task = parts.len() < before;
    let told = |error: QueryError| Fault::validation(format!("{error}."));
    let mut query =
        Query::parse(&parts.join(","), &filters, from.as_deref(), to.as_deref(), Timestamp::now()).map_err(told)?;
    if query.filters.iter().any(|filter| filter.by == By::Account && filter.value != account) {
        let text = format!("You see the calls of your own account, {account}, only.");
        return Err(Fault::new(Kind::AccessDenied, text));
    }
    query.filters.retain(|filter| filter.by != By::Account);
    query.filters.push(Filter { by: By::Account, value: account.to_owned() });
    Ok((query, if by_tasks { What::Tasks { by_task } } else { What::Spend }))
}

fn broken(error: &dyn std::fmt::Display) -> Fault {
    tracing::error!(%error, "the usage ledger failed");
    Fault::new(Kind::InternalServer, "The usage ledger could not be read or written.")
}

//! How budgets stand: for `GET /outcrop/budgets`, and for `outcrop budgets` where no server runs.

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

use http::{HeaderValue, Response};
use jiff::Timestamp;
use outcrop_access::Context;
use outcrop_admission::Budgets;
pub use outcrop_admission::budgets::{Report, Row, State, Unit};
use outcrop_api::Fault;
use outcrop_store::Sqlite;

use crate::config::Config;
use crate::listen::Body;
use crate::pipeline::{self, Pipeline};
use crate::wiring::{StartError, told};

/// How the budgets of `config` stand, by the store in `folder` alone: what is leased counts as spent.
pub async fn kept(folder: &Path, config: &Config) -> Result<Report, StartError> {
    // Looking at a folder that is not there would otherwise make it, and hide a mistyped path.
    if !folder.join("outcrop.db").exists() {
        return Err(StartError(format!("no server has used {}; name its folder with --data", folder.display())));
    }
    let settings = config.budgets().map_err(told)?;
    let store = Arc::new(Sqlite::open_beside(folder, &config.store()).map_err(told)?);
    let budgets = Budgets::open(store, settings, Arc::new(Timestamp::now)).await.map_err(told)?;
    budgets.report().await.map_err(told)
}

/// `GET /outcrop/budgets`: those of the caller's account, and those that count whoever calls.
pub(crate) async fn list(pipeline: &Pipeline, cx: &Context) -> Result<Response<Body>, Fault> {
    cx.allow("outcrop:ListBudgets", "*").map_err(|e| Fault::of(&e))?;
    let report = pipeline.budgets().await.map_err(|e| Fault::of(&e))?;
    let text = serde_json::to_string(&of_account(report, &cx.caller.account));
    let text = text.map_err(|e| Fault::new(outcrop_api::Kind::InternalServer, e.to_string()))?;
    let mut response = Response::new(Body::full(text));
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
    pipeline::identify(&mut response, &cx.request_id);
    Ok(response)
}

/// What does not name another account. How much is left out would tell of others, too.
fn of_account(mut report: Report, account: &str) -> Report {
    report.budgets.retain(|row| row.scope.get("account").is_none_or(|whose| whose == account));
    report.omitted = 0;
    report
}

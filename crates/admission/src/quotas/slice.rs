//! The part of Service Quotas that shows these quotas and raises them: signing name `servicequotas`, service code
//! `bedrock`.
//!
//! An increase to at most [`Settings::increase`](super::Settings) times what is configured is granted at once; what
//! goes beyond is `PENDING` until the operator configures as much. Either lasts in the store.

mod listing;
mod requests;
#[cfg(test)]
mod tests;

use async_trait::async_trait;
use outcrop_access::{AccessError, Context};
use outcrop_api::AwsError;
use outcrop_telemetry::{Slice, SliceError};
use serde_json::{Value, json};

use super::Quotas;
use listing::Entry;

const SERVICE: &str = "bedrock";
const SERVICE_NAME: &str = "Amazon Bedrock";
/// The most that a quota can say it is; what is not limited says so.
const UNLIMITED: u64 = 10_000_000_000;

/// The models that have quotas.
pub trait Models: Send + Sync {
    /// Those that can be called from `region`.
    fn offered(&self, region: &str) -> Vec<Offered>;
}

/// A model that has quotas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offered {
    /// Its base id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Who made it.
    pub maker: String,
    /// It can be called on demand.
    pub on_demand: bool,
    /// It can be called by a cross-Region profile.
    pub cross_region: bool,
}

/// The slice.
pub struct ServiceQuotas {
    quotas: Quotas,
    models: Box<dyn Models>,
}

impl ServiceQuotas {
    /// Shows `quotas` of `models`.
    pub fn new(quotas: Quotas, models: impl Models + 'static) -> Self {
        Self { quotas, models: Box::new(models) }
    }

    /// `ListServices`.
    fn services(&self, input: &Value) -> Result<Value, SliceError> {
        let services = vec![json!({ "ServiceCode": SERVICE, "ServiceName": SERVICE_NAME })];
        page(input, "Services", services, |_| SERVICE.to_owned())
    }

    /// `ListServiceQuotas`, and of the defaults.
    fn list(&self, cx: &Context, input: &Value, defaults: bool) -> Result<Value, SliceError> {
        of_service(input)?;
        let only = text(input, "QuotaCode").filter(|_| !defaults);
        let mut all: Vec<_> = self.entries(cx).into_iter().filter(|e| only.is_none_or(|code| e.code == code)).collect();
        all.sort_by(|one, other| one.name.cmp(&other.name));
        let shown = all.iter().map(|entry| self.shown(cx, entry, defaults)).collect();
        page(input, "Quotas", shown, |quota| token(quota.get("QuotaCode")))
    }

    /// `GetServiceQuota`, and of the default.
    fn get(&self, cx: &Context, input: &Value, default: bool) -> Result<Value, SliceError> {
        of_service(input)?;
        let entry = self.entry(cx, required(input, "QuotaCode")?)?;
        Ok(json!({ "Quota": self.shown(cx, &entry, default) }))
    }

    fn entry(&self, cx: &Context, code: &str) -> Result<Entry, SliceError> {
        let found = self.entries(cx).into_iter().find(|entry| entry.code == code);
        found.ok_or_else(|| no_such("The request failed because the specified quota does not exist."))
    }
}

#[async_trait]
impl Slice for ServiceQuotas {
    fn signing_name(&self) -> &'static str {
        "servicequotas"
    }

    fn target_prefix(&self) -> &'static str {
        "ServiceQuotasV20190624"
    }

    async fn call(&self, cx: &Context, operation: &str, input: Value) -> Result<Value, SliceError> {
        let Some(operation) = self.operations().iter().find(|known| **known == operation) else {
            return Err(SliceError::client("UnknownOperationException", format!("There is no operation {operation}.")));
        };
        let action = format!("servicequotas:{operation}");
        // The only operation whose permission is on a quota.
        if *operation == "RequestServiceQuotaIncrease" {
            return self.increase(cx, &action, &input).await;
        }
        cx.allow(&action, "*").map_err(denied)?;
        match *operation {
            "ListServices" => self.services(&input),
            "ListServiceQuotas" => self.list(cx, &input, false),
            "ListAWSDefaultServiceQuotas" => self.list(cx, &input, true),
            "GetServiceQuota" => self.get(cx, &input, false),
            "GetAWSDefaultServiceQuota" => self.get(cx, &input, true),
            "GetRequestedServiceQuotaChange" => self.requested(cx, &input),
            "ListRequestedServiceQuotaChangeHistory" => self.history(cx, &input, None),
            _ => self.history(cx, &input, Some(required(&input, "QuotaCode")?)),
        }
    }

    fn operations(&self) -> &'static [&'static str] {
        &[
            "GetAWSDefaultServiceQuota",
            "GetRequestedServiceQuotaChange",
            "GetServiceQuota",
            "ListAWSDefaultServiceQuotas",
            "ListRequestedServiceQuotaChangeHistory",
            "ListRequestedServiceQuotaChangeHistoryByQuota",
            "ListServiceQuotas",
            "ListServices",
            "RequestServiceQuotaIncrease",
        ]
    }

    fn timestamps(&self) -> &'static [&'static str] {
        &["Created", "LastUpdated"]
    }
}

fn text<'a>(input: &'a Value, member: &str) -> Option<&'a str> {
    input.get(member)?.as_str()
}

fn required<'a>(input: &'a Value, member: &str) -> Result<&'a str, SliceError> {
    text(input, member).filter(|value| !value.is_empty()).ok_or_else(|| illegal(format!("{member} is required.")))
}

fn of_service(input: &Value) -> Result<(), SliceError> {
    match required(input, "ServiceCode")? {
        SERVICE => Ok(()),
        _ => Err(no_such("The request failed because the specified service does not exist.")),
    }
}

fn illegal(message: impl Into<String>) -> SliceError {
    SliceError::client("IllegalArgumentException", message)
}

fn no_such(message: &str) -> SliceError {
    SliceError::client("NoSuchResourceException", message)
}

fn denied(error: AccessError) -> SliceError {
    SliceError::client("AccessDeniedException", error.message())
}

/// What a page token is made of: it may have no other signs than these.
fn token(value: Option<&Value>) -> String {
    let text = value.and_then(Value::as_str).unwrap_or_default();
    text.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// One page of `all`. The token is that of its last one.
fn page(
    input: &Value,
    member: &str,
    mut all: Vec<Value>,
    token: impl Fn(&Value) -> String,
) -> Result<Value, SliceError> {
    let most = match input.get("MaxResults") {
        None | Some(Value::Null) => 100,
        Some(most) => most
            .as_u64()
            .filter(|most| (1..=100).contains(most))
            .ok_or_else(|| illegal("MaxResults must be a whole number from 1 to 100."))?,
    };
    if let Some(after) = text(input, "NextToken") {
        let at = all.iter().position(|one| token(one) == after);
        let at = at.ok_or_else(|| SliceError::client("InvalidPaginationTokenException", "Invalid token was used."))?;
        all.drain(..=at);
    }
    let more = all.len() > most as usize;
    all.truncate(most as usize);
    let next = all.last().filter(|_| more).map(&token);
    let mut page = json!({ member: all });
    if let Some(next) = next {
        page["NextToken"] = next.into();
    }
    Ok(page)
}

//! Increases: asked for, granted, pending, and what became of them.

use jiff::Timestamp;
use outcrop_access::Context;
use outcrop_resources::Error;
use outcrop_telemetry::SliceError;
use serde_json::{Value, json};

use super::super::keep::{Asked, Increases, id, times};
use super::listing::Entry;
use super::{SERVICE, SERVICE_NAME, ServiceQuotas, UNLIMITED, denied, illegal, no_such, of_service, page, required};
use super::{text, token};

/// Requests that are remembered for an account in a Region.
const REMEMBERED: usize = 200;

/// Why a request is not taken.
enum No {
    /// One for the same quota is open.
    Open,
    Store(Error),
}

impl From<Error> for No {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

impl ServiceQuotas {
    fn increases(&self) -> Result<&Increases, SliceError> {
        let nowhere =
            || SliceError { code: "ServiceException", message: "Increases are not kept.".into(), status: 500 };
        self.quotas.shared.increases.as_ref().ok_or_else(nowhere)
    }

    /// `RequestServiceQuotaIncrease`.
    pub(super) async fn increase(&self, cx: &Context, action: &str, input: &Value) -> Result<Value, SliceError> {
        let code = required(input, "QuotaCode")?;
        let (region, account) = (&cx.region, &cx.caller.account);
        cx.allow(action, &format!("arn:aws:servicequotas:{region}:{account}:{SERVICE}/{code}")).map_err(denied)?;
        of_service(input)?;
        let entry = self.entry(cx, code)?;
        let wanted = input.get("DesiredValue").and_then(Value::as_f64);
        let wanted = wanted.filter(|wanted| (0.0..=UNLIMITED as f64).contains(wanted) && wanted.fract() == 0.0);
        let value = wanted.ok_or_else(|| illegal("DesiredValue must be a whole number from 0 to 10000000000."))? as u64;
        let quota = entry.quota();
        let configured = quota.value(&self.configured(quota.model));
        let (Some(configured), Some(applied)) = (configured, quota.value(&self.applied(cx, quota.model))) else {
            return Err(illegal(
                "This quota is not limited by this server's configuration: there is nothing to raise.",
            ));
        };
        if !quota.adjustable() {
            return Err(illegal("This quota is not adjustable: it follows from the tokens of a minute."));
        }
        if value <= applied {
            return Err(illegal(format!(
                "You must provide a quota value greater than the current quota value: {applied}."
            )));
        }
        let asked = Asked {
            id: uuid::Uuid::new_v4().simple().to_string(),
            code: entry.code.clone(),
            name: entry.name.clone(),
            value,
            granted: value <= times(configured, self.quotas.settings.increase),
            at: Timestamp::now(),
            by: cx.caller.arn.clone(),
        };
        let place = id(account, region);
        let taken = self.increases()?.kept.update(&place, |kept| {
            if kept.asked.iter().any(|other| other.code == asked.code && !other.granted && other.value > applied) {
                return Err(No::Open);
            }
            if asked.granted {
                quota.set(kept.granted.entry(quota.model.to_owned()).or_default(), asked.value);
            }
            kept.asked.push(asked.clone());
            let beyond = kept.asked.len().saturating_sub(REMEMBERED);
            kept.asked.drain(..beyond);
            Ok(())
        });
        match taken.await {
            Ok(()) => Ok(json!({ "RequestedQuota": self.request(cx, &entry.name, Some(&entry), &asked) })),
            Err(No::Open) => Err(SliceError::client(
                "ResourceAlreadyExistsException",
                "Only one open service quota increase request is allowed per quota.",
            )),
            Err(No::Store(error)) => {
                tracing::error!(%error, "an increase of a quota could not be kept");
                let message = "Something went wrong; nothing was changed. Try again.".to_owned();
                Err(SliceError { code: "ServiceException", message, status: 500 })
            }
        }
    }

    /// `GetRequestedServiceQuotaChange`.
    pub(super) fn requested(&self, cx: &Context, input: &Value) -> Result<Value, SliceError> {
        let wanted = required(input, "RequestId")?;
        let found = self.asked(cx)?.into_iter().find(|asked| asked.id == wanted);
        let asked = found.ok_or_else(|| no_such("The request failed because the specified request does not exist."))?;
        let entry = self.entry(cx, &asked.code).ok();
        Ok(json!({ "RequestedQuota": self.request(cx, &asked.name, entry.as_ref(), &asked) }))
    }

    /// `ListRequestedServiceQuotaChangeHistory`, and of one quota.
    pub(super) fn history(&self, cx: &Context, input: &Value, code: Option<&str>) -> Result<Value, SliceError> {
        if code.is_some() || input.get("ServiceCode").is_some_and(|code| !code.is_null()) {
            of_service(input)?;
        }
        let entries = self.entries(cx);
        let mut shown = Vec::new();
        // Newest first.
        for asked in self.asked(cx)?.iter().rev().filter(|asked| code.is_none_or(|code| asked.code == code)) {
            let entry = entries.iter().find(|entry| entry.code == asked.code);
            shown.push(self.request(cx, &asked.name, entry, asked));
        }
        if let Some(status) = text(input, "Status") {
            shown.retain(|request| request["Status"] == status);
        }
        page(input, "RequestedQuotas", shown, |request| token(request.get("Id")))
    }

    fn asked(&self, cx: &Context) -> Result<Vec<Asked>, SliceError> {
        let kept = self.increases()?.kept.get(&id(&cx.caller.account, &cx.region));
        Ok(kept.map(|kept| kept.asked.clone()).unwrap_or_default())
    }

    /// A request in the service's own words. One that was not granted at once is approved when the operator has
    /// configured as much.
    fn request(&self, cx: &Context, name: &str, entry: Option<&Entry>, asked: &Asked) -> Value {
        let applied = entry.and_then(|entry| entry.quota().value(&self.applied(cx, &entry.model.id)));
        let approved = asked.granted || applied.is_some_and(|applied| applied >= asked.value);
        let (region, account) = (&cx.region, &cx.caller.account);
        json!({
            "Id": asked.id,
            "ServiceCode": SERVICE,
            "ServiceName": SERVICE_NAME,
            "QuotaCode": asked.code,
            "QuotaName": name,
            "QuotaArn": format!("arn:aws:servicequotas:{region}:{account}:{SERVICE}/{}", asked.code),
            "DesiredValue": asked.value as f64,
            "Status": if approved { "APPROVED" } else { "PENDING" },
            "Created": asked.at.as_second(),
            "LastUpdated": asked.at.as_second(),
            "Requester": json!({ "accountId": account, "callerArn": asked.by }).to_string(),
            "GlobalQuota": false,
            "Unit": "None",
            "QuotaRequestedAtLevel": "ACCOUNT",
        })
    }
}

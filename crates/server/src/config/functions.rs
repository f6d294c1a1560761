//! Functions that callers name as they name AWS Lambda's.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use outcrop_functions::{Binding, Executor, Functions};
use outcrop_outbound::Outbound;
use outcrop_wire::arn::Arn;
use serde::{Deserialize, Serialize};

use super::{ConfigError, impossible};

/// `[functions."ARN"]`
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Function {
    /// An endpoint that gets the event by POST.
    pub url: Option<String>,
    /// A program that reads the event.
    pub command: Option<Vec<String>>,
    /// How long it may take.
    #[serde(default = "timeout")]
    pub timeout_seconds: NonZeroU32,
}

const fn timeout() -> NonZeroU32 {
    const { NonZeroU32::new(60).unwrap() }
}

pub(super) fn check(functions: &BTreeMap<String, Function>) -> Result<(), ConfigError> {
    for (arn, function) in functions {
        if !Arn::parse(arn).is_some_and(|arn| arn.service == "lambda" && arn.resource.starts_with("function:")) {
            return Err(impossible(
                "functions",
                arn,
                "the ARN of a function: arn:aws:lambda:REGION:ACCOUNT:function:NAME",
            ));
        }
        let program = function.command.as_ref().is_some_and(|command| !command.is_empty());
        if function.url.is_some() == program {
            return Err(impossible("functions", arn, "either url or command"));
        }
    }
    Ok(())
}

/// The functions, called by `outbound`.
pub(crate) fn functions(
    functions: &BTreeMap<String, Function>,
    outbound: &Outbound,
) -> Result<Functions, outcrop_outbound::OutboundError> {
    let mut all = BTreeMap::new();
    for (arn, function) in functions {
        let executor = match (&function.url, &function.command) {
            (Some(url), _) => Executor::Endpoint(outbound.endpoint(url)?),
            (None, command) => Executor::Command(command.clone().unwrap_or_default()),
        };
        let timeout = Duration::from_secs(function.timeout_seconds.get().into());
        all.insert(arn.clone(), Binding { executor, timeout });
    }
    Ok(Functions::new(all))
}

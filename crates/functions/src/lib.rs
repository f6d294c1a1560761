//! Functions that an operator lends: an HTTP endpoint or a local command, bound to the ARN of a Lambda function.
//!
//! Does: finds what is bound to an ARN, asks `lambda:InvokeFunction` of whoever acts, hands it a JSON event and brings
//! its JSON answer back, within a time and a size. Never: runs what no configuration has bound, knows what an event is
//! about, tries again.
//!
//! Start at [`Functions::invoke`]. `endpoint` and `command` are the two kinds of executor.

mod command;
mod endpoint;
mod error;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use outcrop_access::Context;
use outcrop_outbound::Endpoint;
use serde_json::Value;

pub use error::FunctionError;

/// The most bytes of an event and of an answer (Lambda's limit for a synchronous call).
pub const LARGEST: usize = 6 * 1024 * 1024;

/// What does a function's work.
#[derive(Clone)]
pub enum Executor {
    /// It gets the event by POST.
    Endpoint(Endpoint),
    /// A program and its arguments. It reads the event from its standard input and answers on its standard output.
    Command(Vec<String>),
}

/// A function.
#[derive(Clone)]
pub struct Binding {
    /// What does its work.
    pub executor: Executor,
    /// How long it may take.
    pub timeout: Duration,
}

/// All functions, by ARN. Cheap to clone; the default has none.
#[derive(Clone, Default)]
pub struct Functions(Arc<BTreeMap<String, Binding>>);

impl Functions {
    /// These functions. An ARN without a version or an alias stands for all of them.
    pub fn new(bindings: BTreeMap<String, Binding>) -> Self {
        Self(Arc::new(bindings))
    }

    /// What is bound to a function.
    fn of(&self, arn: &str) -> Result<&Binding, FunctionError> {
        // arn:aws:lambda:REGION:ACCOUNT:function:NAME[:VERSION]
        let plain = arn.split(':').take(7).map(str::len).sum::<usize>() + 6;
        let found = self.0.get(arn).or_else(|| self.0.get(arn.get(..plain)?));
        found.ok_or_else(|| FunctionError::Unbound(arn.to_owned()))
    }

    /// [`FunctionError::Unbound`] where nothing is bound to a function.
    pub fn check(&self, arn: &str) -> Result<(), FunctionError> {
        self.of(arn).map(drop)
    }

    /// Calls a function as `cx`. Asks `lambda:InvokeFunction`.
    pub async fn invoke(&self, cx: &Context, arn: &str, event: &Value) -> Result<Value, FunctionError> {
        cx.allow("lambda:InvokeFunction", arn)?;
        let binding = self.of(arn)?;
        let failed = |why: String| FunctionError::Failed { arn: arn.to_owned(), why };
        let event = serde_json::to_vec(event).map_err(|error| failed(error.to_string()))?;
        if event.len() > LARGEST {
            return Err(failed(format!("its event has {} bytes; at most {LARGEST} are sent", event.len())));
        }
        let answer = async {
            match &binding.executor {
                Executor::Endpoint(endpoint) => endpoint::call(endpoint, event).await,
                Executor::Command(command) => command::run(command, event).await,
            }
        };
        let late = || failed(format!("it did not answer within {} seconds", binding.timeout.as_secs_f32()));
        let answer = tokio::time::timeout(binding.timeout, answer).await.map_err(|_| late())?.map_err(failed)?;
        serde_json::from_slice(&answer).map_err(|error| failed(format!("its answer is no JSON: {error}")))
    }
}

//! From an operation's marker to the function that answers it.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Response};
use outcrop_access::Context;
use outcrop_api::{AwsError, Events, Fault, Operation, Reply, Service, Spec};

use super::{bind, encode};
use crate::listen::Body;

/// One proven request, not yet decoded.
pub struct Call<'a> {
    /// The operation.
    pub spec: &'static Spec,
    /// The labels of its path by name, raw.
    pub labels: Vec<(&'static str, &'a str)>,
    /// The raw query.
    pub query: &'a str,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The body.
    pub body: Bytes,
    /// Who calls, where, how long.
    pub context: Context,
}

type Running = Pin<Box<dyn Future<Output = Result<Response<Body>, Fault>> + Send>>;

/// Decodes, runs and encodes one operation. What it needs of the call it takes before it waits.
pub type Handler = Arc<dyn Fn(Call<'_>) -> Running + Send + Sync>;

/// The operations that are built.
#[derive(Default)]
pub struct Table(HashMap<(Service, &'static str), Handler>);

impl Table {
    /// The handler of `spec`, if it is built.
    pub fn get(&self, spec: &Spec) -> Option<Handler> {
        self.0.get(&(spec.service, spec.name)).cloned()
    }

    /// Binds `O` to a handler made by [`run`] or [`run_stream`].
    pub fn on<O: Operation>(&mut self, handler: Handler) -> &mut Self {
        self.0.insert((O::SPEC.service, O::SPEC.name), handler);
        self
    }
}

/// A handler for an operation that answers with one response.
pub fn run<O, R, E, F, Fut>(function: F) -> Handler
where
    O: Operation,
    R: Into<Reply<O::Output>> + 'static,
    E: AwsError,
    F: Fn(Context, O::Input) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<R, E>> + Send + 'static,
{
    handler::<O, R, E, F, Fut>(function, |answer, request_id| {
        let reply = answer.into();
        encode::response(O::SPEC, &reply.output, &reply.headers, request_id)
    })
}

/// A handler for an operation that answers with an event stream.
pub fn run_stream<O, E, F, Fut>(function: F) -> Handler
where
    O: Operation,
    E: AwsError,
    F: Fn(Context, O::Input) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(Reply<O::Output>, Events<O::Event>), E>> + Send + 'static,
{
    handler::<O, _, E, F, Fut>(function, |(head, events), request_id| {
        encode::stream::<O::Event>(O::SPEC, &head.output, &head.headers, request_id, events)
    })
}

/// Decodes, runs `function`, encodes.
fn handler<O, A, E, F, Fut>(function: F, encode: fn(A, &str) -> Response<Body>) -> Handler
where
    O: Operation,
    A: 'static,
    E: AwsError,
    F: Fn(Context, O::Input) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<A, E>> + Send + 'static,
{
    Arc::new(move |call: Call<'_>| {
        let mut input = O::Input::default();
        if let Err(fault) = bind::request(&call, &mut input) {
            return Box::pin(std::future::ready(Err(fault)));
        }
        let request_id = call.context.request_id.clone();
        // In a box of its own: it is some kilobytes, and would be moved twice.
        let running = Box::pin(function(call.context, input));
        Box::pin(async move {
            match running.await {
                Ok(answer) => Ok(encode(answer, &request_id)),
                Err(error) => Err(Fault::of(&error)),
            }
        })
    })
}

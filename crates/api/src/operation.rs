//! What the generated markers say of their operations.

use outcrop_wire::shape::{Shape, Slot, Structure, View};

/// The four services behind one port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Service {
    /// Models, guardrails, jobs: the control plane.
    Bedrock,
    /// Inference.
    BedrockRuntime,
    /// Agents, knowledge bases, flows, prompts: the control plane.
    BedrockAgent,
    /// Agents, knowledge bases and flows at work.
    BedrockAgentRuntime,
}

impl Service {
    /// All four.
    pub const ALL: [Self; 4] = [Self::Bedrock, Self::BedrockRuntime, Self::BedrockAgent, Self::BedrockAgentRuntime];

    /// The endpoint prefix: first label of the AWS host name, and an optional first segment of the path here.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Bedrock => "bedrock",
            Self::BedrockRuntime => "bedrock-runtime",
            Self::BedrockAgent => "bedrock-agent",
            Self::BedrockAgentRuntime => "bedrock-agent-runtime",
        }
    }

    /// The exceptions that the service's model declares, with their status: they differ between services.
    pub const fn errors(self) -> &'static [(&'static str, u16)] {
        match self {
            Self::Bedrock => crate::bedrock::ERRORS,
            Self::BedrockRuntime => crate::bedrock_runtime::ERRORS,
            Self::BedrockAgent => crate::bedrock_agent::ERRORS,
            Self::BedrockAgentRuntime => crate::bedrock_agent_runtime::ERRORS,
        }
    }

    /// The HTTP status of `kind` in this service.
    pub fn status(self, kind: crate::Kind) -> u16 {
        let name = kind.name();
        self.errors().iter().find(|(n, _)| *n == name).map_or(kind.default_status(), |(_, status)| *status)
    }
}

/// One operation, as data.
#[derive(Debug)]
pub struct Spec {
    /// Whose operation it is.
    pub service: Service,
    /// The name in the service model.
    pub name: &'static str,
    /// The HTTP method.
    pub method: &'static str,
    /// The path with its `{labels}`.
    pub uri: &'static str,
    /// The status of success.
    pub status: u16,
    /// The IAM action that permits it.
    pub action: &'static str,
    /// The exceptions that it declares.
    pub errors: &'static [&'static str],
    /// The request.
    pub input: &'static Shape,
    /// The response, without an event stream.
    pub output: &'static Shape,
    /// The answer is an event stream.
    pub streams: bool,
    /// The members of its events that are exceptions: `throttlingException`.
    pub stream_errors: &'static [&'static str],
    /// The request is an event stream.
    pub streams_input: bool,
}

/// A generated marker: `bedrock_runtime::Converse`.
pub trait Operation: Send + Sync + 'static {
    /// The request.
    type Input: Structure + Default + std::fmt::Debug + Send + 'static;
    /// The response; of a streaming operation, what its head carries.
    type Output: Structure + Default + std::fmt::Debug + Send + 'static;
    /// One event of the answer; [`Never`] where the operation does not stream.
    type Event: Structure + Send + 'static;
    /// The operation as data.
    const SPEC: &'static Spec;
}

/// The event of operations that send none.
#[derive(Debug)]
pub enum Never {}

impl Structure for Never {
    fn shape(&self) -> &'static Shape {
        match *self {}
    }
    fn slot(&mut self, _: usize) -> Slot<'_> {
        Slot::None
    }
    fn view(&self, _: usize) -> View<'_> {
        View::Absent
    }
}

/// All operations of the four services, in the order of [`Service::ALL`].
pub fn operations() -> impl Iterator<Item = &'static Spec> + Clone {
    use crate::{bedrock, bedrock_agent, bedrock_agent_runtime, bedrock_runtime};
    [bedrock::OPERATIONS, bedrock_runtime::OPERATIONS, bedrock_agent::OPERATIONS, bedrock_agent_runtime::OPERATIONS]
        .into_iter()
        .flatten()
        .copied()
}

/// What an operation answers: its output and headers beside those of the contract.
#[derive(Debug)]
pub struct Reply<T> {
    /// The response.
    pub output: T,
    /// Name in lower case, value.
    pub headers: Vec<(&'static str, String)>,
}

impl<T> From<T> for Reply<T> {
    fn from(output: T) -> Self {
        Self { output, headers: Vec::new() }
    }
}

impl<T> Reply<T> {
    /// The same with one more header.
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }
}

/// The events of a streaming answer. An `Err` is told to the client in the stream and ends it; a stream that just
/// ends is complete.
pub type Events<E> = futures_core::stream::BoxStream<'static, Result<E, crate::Fault>>;

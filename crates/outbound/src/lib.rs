//! The one gate for every connection that the server opens, and the pooled HTTP client behind it.
//!
//! Where the server may call out to, through which proxy, believing which authorities: [`Settings`] say it once, and
//! [`Outbound`] holds every connection to it. An address is named by configuration ([`Outbound::endpoint`]);
//! what its name resolves to is checked before each connection, so that a public name cannot lead into the own
//! network or to a cloud's metadata service.
//!
//! Never: follows a redirect, shows a password or a signed URL in an error, a log or `Debug`, retries a request of which a
//! byte may have left ([`OutboundError::before_sent`] says which).
//! Addresses that callers name have a way of their own, which leads to the public network only
//! ([`Outbound::for_callers`]).
//!
//! Start at [`Endpoint::send`]; [`Outbound::dial`] is for what does not speak HTTP. [`Sse`] and [`collect`] read answers,
//! both within limits. `gate` decides, `connect` carries out.

mod address;
mod body;
mod connect;
mod dial;
mod endpoint;
mod error;
mod gate;
mod proxy;
mod resolve;
mod rule;
mod settings;
mod sse;
mod stream;
#[cfg(test)]
mod tests;
mod tls;
mod tunnel;

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};

pub use body::{beginning, collect};
pub use dial::{Line, TlsLine};
pub use endpoint::Endpoint;
pub use error::{Location, OutboundError};
/// What an answer's body is, streamed as it comes.
pub use hyper::body::Incoming as Body;
pub use proxy::ProxyUrl;
pub use resolve::{Resolve, SystemResolver};
pub use rule::HostRule;
pub use settings::Settings;
pub use sse::{DEFAULT_MAX_LINE, Decoder, Event, Sse};

use connect::Connector;
use gate::Gate;
use tls::Trust;

/// The way out. Cheap to clone; all clones share their idle connections.
#[derive(Clone)]
pub struct Outbound {
    gate: Arc<Gate>,
    settings: Arc<Settings>,
    resolver: Arc<dyn Resolve>,
    connector: Connector,
    client: Client<Connector, Full<Bytes>>,
}

impl Outbound {
    /// The way out as `settings` have it. Reads the certificates that they name.
    pub fn new(settings: Settings) -> Result<Self, OutboundError> {
        Self::with_resolver(settings, Arc::new(SystemResolver))
    }

    /// The same with another source of addresses.
    pub fn with_resolver(settings: Settings, resolver: Arc<dyn Resolve>) -> Result<Self, OutboundError> {
        let trust = Trust::system_and(settings.ca_file.as_deref())?;
        let gate = Arc::new(Gate::new(&settings)?);
        Ok(Self::assemble(gate, Arc::new(settings), resolver, trust))
    }

    /// The same way out, for endpoints whose certificates come from the authorities in `ca_file` and from no others.
    /// Its connections are its own.
    pub fn trusting(&self, ca_file: &Path) -> Result<Self, OutboundError> {
        let trust = Trust::only(ca_file)?;
        Ok(Self::assemble(self.gate.clone(), self.settings.clone(), self.resolver.clone(), trust))
    }

    /// The same way out for addresses that callers name, web pages to be read: only the public network may be called,
    /// and what `also` names. Private, loopback and link-local addresses are refused however they are come by, as
    /// what a name resolves to, too. Plain `http` is fine. Its connections are its own.
    pub fn for_callers(&self, also: Vec<HostRule>) -> Result<Self, OutboundError> {
        let trust = Trust::system_and(self.settings.ca_file.as_deref())?;
        let gate = Arc::new(self.gate.for_callers(also));
        Ok(Self::assemble(gate, self.settings.clone(), self.resolver.clone(), trust))
    }

    /// An endpoint that configuration names: checked once, then called often.
    ///
    /// `url` is a base URL, `https://host[:port][/path]`. Plain `http` is for hosts of this machine or a private
    /// network, and for those that an allow rule beginning with `http://` names.
    pub fn endpoint(&self, url: &str) -> Result<Endpoint, OutboundError> {
        Endpoint::new(&self.gate, self.client.clone(), url)
    }

    /// Whether only this machine may be called.
    pub fn offline(&self) -> bool {
        self.settings.offline
    }

    fn assemble(gate: Arc<Gate>, settings: Arc<Settings>, resolver: Arc<dyn Resolve>, trust: Trust) -> Self {
        let connector = Connector::new(gate.clone(), resolver.clone(), trust, settings.connect_timeout);
        let client = Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(settings.idle_timeout)
            .pool_max_idle_per_host(settings.idle_per_host)
            .build(connector.clone());
        Self { gate, settings, resolver, connector, client }
    }
}

impl std::fmt::Debug for Outbound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Outbound").field(&self.settings).finish()
    }
}

//! Opening connections. Nothing else in the program does.

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use http::Uri;
use hyper_util::client::proxy::matcher::Intercept;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tower_service::Service;

use crate::address::is_localhost;
use crate::gate::{Gate, Target};
use crate::stream::Stream;
use crate::tls::Trust;
use crate::{OutboundError, Resolve, tunnel};

/// RFC 8305's pause before the next address is tried beside the last.
const STAGGER: Duration = Duration::from_millis(250);

/// Connects to what the gate lets through.
#[derive(Clone)]
pub(crate) struct Connector(Arc<Inner>);

struct Inner {
    gate: Arc<Gate>,
    resolver: Arc<dyn Resolve>,
    trust: Trust,
    patience: Duration,
}

impl Connector {
    pub(crate) fn new(gate: Arc<Gate>, resolver: Arc<dyn Resolve>, trust: Trust, patience: Duration) -> Self {
        Self(Arc::new(Inner { gate, resolver, trust, patience }))
    }

    /// A connection for a protocol of its own. What will be encrypted may go through a proxy's tunnel; a proxy that
    /// would read requests is of no use to what is not HTTP.
    pub(crate) async fn dial(&self, target: &Target) -> Result<TcpStream, OutboundError> {
        let this = &self.0;
        let dialled = async {
            this.gate.judge(target)?;
            let uri = Uri::builder().scheme("https").authority(authority(target)).path_and_query("/").build();
            let proxy = uri.ok().filter(|_| target.secure).and_then(|uri| this.gate.proxy(target, &uri));
            match proxy {
                Some(proxy) => this.through(&proxy, target).await,
                None => this.direct(target).await,
            }
        };
        match tokio::time::timeout(this.patience, dialled).await {
            Ok(tcp) => tcp,
            Err(_) => Err(OutboundError::ConnectTimeout { host: target.host.clone(), after: this.patience }),
        }
    }

    /// Encrypts a connection, the other side held to be `host`.
    pub(crate) async fn encrypt(
        &self,
        host: &str,
        protocol: &[u8],
        tcp: TcpStream,
    ) -> Result<TlsStream<TcpStream>, OutboundError> {
        let failed = |why: String| OutboundError::Tls { host: host.to_owned(), why };
        let mut config = ClientConfig::clone(&*self.0.trust.config().await.map_err(failed)?);
        config.alpn_protocols = vec![protocol.to_vec()];
        let name = ServerName::try_from(host.to_owned()).map_err(|error| failed(error.to_string()))?;
        let connecting = TlsConnector::from(Arc::new(config)).connect(name, tcp);
        match tokio::time::timeout(self.0.patience, connecting).await {
            Ok(tls) => tls.map_err(|error| failed(error.to_string())),
            Err(_) => Err(OutboundError::ConnectTimeout { host: host.to_owned(), after: self.0.patience }),
        }
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Stream>;
    type Error = OutboundError;
    type Future = Pin<Box<dyn Future<Output = Result<TokioIo<Stream>, OutboundError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), OutboundError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let this = self.0.clone();
        Box::pin(async move {
            let target = Target::of(&uri).ok_or_else(|| OutboundError::Url("the URL names no host".into()))?;
            match tokio::time::timeout(this.patience, this.connect(&target, &uri)).await {
                Ok(stream) => stream.map(TokioIo::new),
                Err(_) => Err(OutboundError::ConnectTimeout { host: target.host, after: this.patience }),
            }
        })
    }
}

impl Inner {
    async fn connect(&self, target: &Target, uri: &Uri) -> Result<Stream, OutboundError> {
        self.gate.judge(target)?;
        let proxy = self.gate.proxy(target, uri);
        let proxied = proxy.is_some();
        let tcp = match proxy {
            Some(proxy) => self.through(&proxy, target).await?,
            None => self.direct(target).await?,
        };
        if !target.secure {
            return Ok(Stream::Plain { tcp, proxied });
        }
        let failed = |why: String| OutboundError::Tls { host: target.host.clone(), why };
        let config = self.trust.config().await.map_err(failed)?;
        let name = ServerName::try_from(target.host.clone()).map_err(|error| failed(error.to_string()))?;
        let tls = TlsConnector::from(config).connect(name, tcp).await.map_err(|error| failed(error.to_string()))?;
        Ok(Stream::Tls(Box::new(tls)))
    }

    async fn direct(&self, target: &Target) -> Result<TcpStream, OutboundError> {
        let tcp = race(self.permitted(target).await?, target.port).await;
        tcp.map_err(|error| OutboundError::Connect { host: target.host.clone(), why: error.to_string() })
    }

    /// The addresses of the target that may be connected to; the reason, if none may.
    async fn permitted(&self, target: &Target) -> Result<Vec<IpAddr>, OutboundError> {
        if let Some(address) = target.address() {
            return Ok(vec![address]);
        }
        // Nobody is asked about this machine (RFC 6761): most servers on it listen on the first.
        if is_localhost(&target.host) {
            return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
        }
        let mut refusal = OutboundError::Dns { host: target.host.clone(), why: "the name is not known".into() };
        let mut permitted = Vec::new();
        for address in self.addresses(&target.host).await? {
            match self.gate.admit(target, address) {
                Ok(()) => permitted.push(address),
                Err(error) => refusal = error,
            }
        }
        if permitted.is_empty() { Err(refusal) } else { Ok(permitted) }
    }

    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, OutboundError> {
        let found = self.resolver.addresses(host).await;
        found.map_err(|error| OutboundError::Dns { host: host.to_owned(), why: error.to_string() })
    }

    /// A connection to the proxy, which for an encrypted endpoint leads on to it. A proxy is taken as meant.
    async fn through(&self, proxy: &Intercept, target: &Target) -> Result<TcpStream, OutboundError> {
        let host = proxy.uri().host().unwrap_or_default().trim_matches(['[', ']']);
        let port = proxy.uri().port_u16().unwrap_or(80);
        let failed =
            |why: String| OutboundError::Proxy { proxy: format!("{host}:{port}"), host: target.host.clone(), why };
        let addresses = match host.parse() {
            Ok(address) => vec![address],
            Err(_) => self.resolver.addresses(host).await.map_err(|error| failed(error.to_string()))?,
        };
        let mut tcp = race(addresses, port).await.map_err(|error| failed(error.to_string()))?;
        if target.secure {
            tunnel::open(&mut tcp, target, proxy.basic_auth()).await.map_err(failed)?;
        }
        Ok(tcp)
    }
}

/// As a URL writes it.
fn authority(target: &Target) -> String {
    match target.address() {
        Some(IpAddr::V6(address)) => format!("[{address}]:{}", target.port),
        _ => format!("{}:{}", target.host, target.port),
    }
}

/// Connects to whichever address answers first, the families in turn, each begun a little after the one before.
async fn race(addresses: Vec<IpAddr>, port: u16) -> io::Result<TcpStream> {
    let mut waiting = in_turn(addresses).into_iter();
    let mut attempts = FuturesUnordered::new();
    let mut last = io::Error::new(io::ErrorKind::NotFound, "it has no address");
    let mut due = true;
    loop {
        if due && let Some(address) = waiting.next() {
            attempts.push(TcpStream::connect(SocketAddr::new(address, port)));
        }
        if attempts.is_empty() {
            return Err(last);
        }
        due = tokio::select! {
            attempt = attempts.next() => match attempt {
                Some(Ok(tcp)) => {
                    tcp.set_nodelay(true)?;
                    return Ok(tcp);
                }
                Some(Err(error)) => {
                    last = error;
                    true
                }
                None => true,
            },
            () = tokio::time::sleep(STAGGER), if waiting.len() > 0 => true,
        };
    }
}

/// The first family first, then one of each in turn.
fn in_turn(addresses: Vec<IpAddr>) -> Vec<IpAddr> {
    let Some(first) = addresses.first().map(IpAddr::is_ipv6) else { return addresses };
    let (mut one, mut other): (Vec<_>, Vec<_>) = addresses.into_iter().partition(|a| a.is_ipv6() == first);
    let mut turns = Vec::with_capacity(one.len() + other.len());
    one.reverse();
    other.reverse();
    while !one.is_empty() || !other.is_empty() {
        turns.extend(one.pop());
        turns.extend(other.pop());
    }
    turns
}

//! Connections: opened through the way out, kept while they work.

use std::future::Future;
use std::io;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use outcrop_outbound::{Line, Outbound, TlsLine};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::tls::{ChannelBinding, NoTls, TlsConnect, TlsStream};
use tokio_postgres::{Client, Config};

use crate::{Result, VectorError};

/// Connections that are open at once.
const MOST: usize = 16;
/// How long one waits for a connection of those, and for the server's greeting.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long the server may work at one statement.
const STATEMENT: &str = "-c statement_timeout=60000";

/// Connections to one database.
pub(super) struct Pool {
    config: Config,
    host: String,
    port: u16,
    secure: bool,
    outbound: Outbound,
    idle: Arc<Mutex<Vec<Client>>>,
    room: Arc<Semaphore>,
}

/// A connection that is used; given back when it is dropped.
pub(super) struct Lease {
    client: Option<Client>,
    idle: Arc<Mutex<Vec<Client>>>,
    _room: OwnedSemaphorePermit,
}

impl Pool {
    pub fn new(url: &str, password: Option<&str>, outbound: Outbound) -> Result<Self> {
        let bad =
            |why: &str| VectorError::Invalid(format!("the URL {why}; expected postgres://user@host:5432/database"));
        // What is wrong with it may be the secret in it: it is not repeated.
        let mut config: Config = url.parse().map_err(|_| bad("cannot be read"))?;
        if config.get_password().is_some() {
            return Err(bad("holds a password, which belongs into `password`"));
        }
        let [Host::Tcp(host)] = config.get_hosts() else { return Err(bad("names no host, or several")) };
        let (host, port) = (host.clone(), config.get_ports().first().copied().unwrap_or(5432));
        let secure = config.get_ssl_mode() == SslMode::Require;
        // Encryption that ends where nobody encrypts is none.
        config.ssl_mode(if secure { SslMode::Require } else { SslMode::Disable });
        config.application_name("outcrop").options(STATEMENT);
        if let Some(password) = password {
            config.password(password);
        }
        Ok(Self { config, host, port, secure, outbound, idle: Arc::default(), room: Arc::new(Semaphore::new(MOST)) })
    }

    /// The same server, another database.
    pub fn to(&self, database: &str) -> Self {
        let mut config = self.config.clone();
        config.dbname(database);
        Self {
            config,
            host: self.host.clone(),
            port: self.port,
            secure: self.secure,
            outbound: self.outbound.clone(),
            idle: Arc::default(),
            room: Arc::new(Semaphore::new(MOST)),
        }
    }

    pub fn database(&self) -> Option<&str> {
        self.config.get_dbname()
    }

    pub fn shown(&self) -> String {
        format!("{}:{}{}", self.host, self.port, self.database().map(|name| format!("/{name}")).unwrap_or_default())
    }

    /// A connection: one that is open and idle, else a new one.
    pub async fn take(&self) -> Result<Lease> {
        let room = tokio::time::timeout(PATIENCE, self.room.clone().acquire_owned()).await;
        let Ok(Ok(room)) = room else { return Err(VectorError::Failed("all connections are in use".to_owned())) };
        let idle = {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            idle.retain(|client| !client.is_closed());
            idle.pop()
        };
        let client = match idle {
            Some(client) => client,
            None => match tokio::time::timeout(PATIENCE, self.connect()).await {
                Ok(client) => client?,
                Err(_) => return Err(VectorError::Failed("the database does not answer".to_owned())),
            },
        };
        Ok(Lease { client: Some(client), idle: self.idle.clone(), _room: room })
    }

    async fn connect(&self) -> Result<Client> {
        let line = self.outbound.dial(&self.host, self.port, self.secure).await.map_err(|error| {
            // Where it is, is the operator's to know.
            tracing::warn!(%error, at = self.shown(), "the database cannot be reached");
            VectorError::Failed("the database cannot be reached".to_owned())
        })?;
        let shown = self.shown();
        if self.secure {
            let upgrade = Upgrade { outbound: self.outbound.clone(), host: self.host.clone() };
            let (client, connection) = self.config.connect_raw(line, upgrade).await.map_err(failed)?;
            tokio::spawn(log(connection, shown));
            return Ok(client);
        }
        let (client, connection) = self.config.connect_raw(line, NoTls).await.map_err(failed)?;
        tokio::spawn(log(connection, shown));
        Ok(client)
    }
}

/// Carries a connection until it ends.
async fn log(connection: impl Future<Output = std::result::Result<(), tokio_postgres::Error>>, at: String) {
    if let Err(error) = connection.await {
        tracing::debug!(%error, at, "a connection to the database ended");
    }
}

impl Deref for Lease {
    type Target = Client;

    #[allow(clippy::expect_used, reason = "only dropping it takes the client")]
    fn deref(&self) -> &Client {
        self.client.as_ref().expect("a lease has its client")
    }
}

impl DerefMut for Lease {
    #[allow(clippy::expect_used, reason = "only dropping it takes the client")]
    fn deref_mut(&mut self) -> &mut Client {
        self.client.as_mut().expect("a lease has its client")
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(client) = self.client.take().filter(|client| !client.is_closed()) {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(client);
        }
    }
}

/// What the server said, which `Display` of the error leaves out.
pub(super) fn failed(error: tokio_postgres::Error) -> VectorError {
    match error.as_db_error() {
        Some(said) => VectorError::Failed(format!("{}: {} ({})", said.severity(), said.message(), said.code().code())),
        None if error.is_closed() => VectorError::Failed("the connection to the database was lost".to_owned()),
        None => VectorError::Failed(format!("the database: {error}")),
    }
}

/// Encrypts a connection when the server is ready for it.
struct Upgrade {
    outbound: Outbound,
    host: String,
}

impl TlsConnect<Line> for Upgrade {
    type Stream = Encrypted;
    type Error = outcrop_outbound::OutboundError;
    type Future = Pin<Box<dyn Future<Output = std::result::Result<Encrypted, Self::Error>> + Send>>;

    fn connect(self, line: Line) -> Self::Future {
        Box::pin(async move {
            let tls = self.outbound.encrypt(&self.host, b"postgresql", line).await?;
            Ok(Encrypted(Box::new(tls)))
        })
    }
}

struct Encrypted(Box<TlsLine>);

impl TlsStream for Encrypted {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl AsyncRead for Encrypted {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Encrypted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_shutdown(cx)
    }
}

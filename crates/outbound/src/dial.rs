//! Connections for protocols that are not HTTP, under the same rules.

use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::gate::Target;
use crate::{Outbound, OutboundError};

/// A connection as it was opened.
pub type Line = TcpStream;
/// A connection that was encrypted.
pub type TlsLine = TlsStream<TcpStream>;

impl Outbound {
    /// Connects to a host that configuration names. `secure`: it will be encrypted, which [`Self::encrypt`] does when
    /// the protocol is ready for it. What will not be is held to the rules of plain HTTP: this machine, a private
    /// network, or a rule for it.
    pub async fn dial(&self, host: &str, port: u16, secure: bool) -> Result<Line, OutboundError> {
        let host = host.trim_matches(['[', ']']).to_ascii_lowercase();
        self.connector.dial(&Target { secure, host, port }).await
    }

    /// Encrypts a connection to `host`, saying that `protocol` will be spoken (ALPN).
    pub async fn encrypt(&self, host: &str, protocol: &[u8], line: Line) -> Result<TlsLine, OutboundError> {
        self.connector.encrypt(host.trim_matches(['[', ']']), protocol, line).await
    }
}

//! Where a request came from.

use std::net::IpAddr;

/// What is known of the other end of the connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ClientInfo {
    /// `aws:SourceIp`: the client's address, behind trusted proxies too; none on a Unix socket.
    pub ip: Option<IpAddr>,
    /// `aws:SecureTransport`: whether it came over TLS.
    pub secure: bool,
}

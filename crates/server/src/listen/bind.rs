//! Where to listen, and plain sentences for where one cannot.

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpListener;

/// Why the server does not listen. The text is for the terminal.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Other machines could reach a server that checks no credentials.
    #[error(
        "refusing to listen on {0}, which is not a loopback address: `outcrop dev` checks no credentials. Listen on \
         127.0.0.1"
    )]
    Unauthenticated(SocketAddr),
    /// Other machines could reach it, and nothing hides what they send.
    #[error(
        "refusing to listen on {0}, which is not a loopback address: this version speaks no TLS, so prompts would \
         cross the network in the open. Listen on 127.0.0.1 behind a proxy that speaks TLS and leaves paths as they \
         are"
    )]
    Unencrypted(SocketAddr),
    /// Somebody else listens there.
    #[error(
        "{0} is already in use. Stop the other program, or choose another port with --listen (port 0 picks a free one)"
    )]
    InUse(SocketAddr),
    /// The system forbids it.
    #[error("not permitted to listen on {0}: ports below 1024 need privileges. Choose a higher port with --listen")]
    Forbidden(SocketAddr),
    /// The address is not one of this machine.
    #[error("cannot listen on {0}: this machine has no such address")]
    NoSuchAddress(SocketAddr),
    /// Anything else the system says.
    #[error("cannot listen on {0}: {1}")]
    Other(SocketAddr, #[source] io::Error),
}

/// Refuses an address that other machines can reach: in `dev` nothing is authenticated, and without TLS nothing is
/// hidden.
pub fn check_bind(addr: SocketAddr, dev: bool) -> Result<(), BindError> {
    match (addr.ip().to_canonical().is_loopback(), dev) {
        (true, _) => Ok(()),
        (false, true) => Err(BindError::Unauthenticated(addr)),
        (false, false) => Err(BindError::Unencrypted(addr)),
    }
}

/// Binds `addr`.
pub async fn bind(addr: SocketAddr) -> Result<TcpListener, BindError> {
    TcpListener::bind(addr).await.map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => BindError::InUse(addr),
        io::ErrorKind::PermissionDenied => BindError::Forbidden(addr),
        io::ErrorKind::AddrNotAvailable => BindError::NoSuchAddress(addr),
        _ => BindError::Other(addr, error),
    })
}

//! Where to listen, and plain sentences for where one cannot.

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpListener;

/// Why the server does not listen. The text is for the terminal.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Other machines could reach a server that checks no credentials.
    #[error(
        "refusing to listen on {0}: other machines could reach it and requests are not authenticated. \
         Listen on 127.0.0.1, or use `outcrop serve` with keys made by `outcrop keys create`"
    )]
    Unauthenticated(SocketAddr),
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

/// Refuses an address that other machines can reach unless every request is authenticated.
pub fn check_bind(addr: SocketAddr, authenticated: bool) -> Result<(), BindError> {
    if authenticated || addr.ip().to_canonical().is_loopback() {
        return Ok(());
    }
    Err(BindError::Unauthenticated(addr))
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

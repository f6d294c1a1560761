//! Binding, and plain sentences for where one cannot.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use tokio::net::{TcpListener, UnixListener};

use super::Address;
use super::unix::{self, SocketFile};

/// Why the server does not listen. The text is for the terminal.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Other machines could reach a server that checks no credentials.
    #[error(
        "refusing to listen on {0}, which is not a loopback address: `outcrop dev` checks no credentials. Listen on \
         127.0.0.1, or use `outcrop serve`"
    )]
    Unauthenticated(SocketAddr),
    /// Other machines could reach it, and nothing hides what they send.
    #[error(
        "refusing to listen on {0}, which is not a loopback address: without TLS prompts would cross the network in \
         the open. Set cert and key under [tls], or listen on 127.0.0.1 or a Unix socket behind a proxy that speaks \
         TLS and leaves paths as they are"
    )]
    Unencrypted(SocketAddr),
    /// TLS and a Unix socket.
    #[error(
        "refusing to listen on {0} with TLS: what passes a Unix socket never leaves this machine. Leave TLS away, or \
         listen on an address and a port"
    )]
    EncryptedSocket(Address),
    /// Somebody else listens there.
    #[error(
        "{0} is already in use. Stop the other program, or choose another port with --listen (port 0 picks a free one)"
    )]
    InUse(SocketAddr),
    /// Somebody else listens on that socket.
    #[error("{} is held by a running server. Stop that server, or choose another path with --listen", .0.display())]
    Held(PathBuf),
    /// A file that is no socket would be lost.
    #[error("{} exists and is not a socket; it was left as it is. Remove it, or choose another path", .0.display())]
    NotASocket(PathBuf),
    /// The system's structure for the path has few bytes.
    #[error("the path {} is too long for a Unix socket: systems take about 100 bytes. Choose a shorter one", .0.display())]
    PathTooLong(PathBuf),
    /// The socket's file cannot be made.
    #[error("cannot listen on {}: {source}. Its folder must exist and be writable", path.display())]
    Socket {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
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

/// A socket that is bound.
#[derive(Debug)]
pub enum Listener {
    /// TCP.
    Tcp(TcpListener),
    /// A Unix socket, whose file goes when this does.
    Unix(UnixListener, SocketFile),
}

impl Listener {
    /// Where it listens, with the port that the system picked.
    pub fn address(&self) -> io::Result<Address> {
        match self {
            Self::Tcp(listener) => listener.local_addr().map(Address::Tcp),
            Self::Unix(_, file) => Ok(Address::Unix(file.path().to_owned())),
        }
    }
}

/// Refuses an address that other machines can reach: in `dev` nothing is authenticated, and without TLS nothing is
/// hidden.
pub fn check_bind(address: &Address, dev: bool, tls: bool) -> Result<(), BindError> {
    match address {
        Address::Unix(_) if tls => Err(BindError::EncryptedSocket(address.clone())),
        Address::Unix(_) => Ok(()),
        Address::Tcp(addr) if addr.ip().to_canonical().is_loopback() => Ok(()),
        Address::Tcp(addr) if dev => Err(BindError::Unauthenticated(*addr)),
        Address::Tcp(addr) if !tls => Err(BindError::Unencrypted(*addr)),
        Address::Tcp(_) => Ok(()),
    }
}

/// Binds `address`.
pub async fn bind(address: &Address) -> Result<Listener, BindError> {
    let addr = match address {
        Address::Unix(path) => return unix::bind(path).map(|(listener, file)| Listener::Unix(listener, file)),
        Address::Tcp(addr) => *addr,
    };
    TcpListener::bind(addr).await.map(Listener::Tcp).map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => BindError::InUse(addr),
        io::ErrorKind::PermissionDenied => BindError::Forbidden(addr),
        io::ErrorKind::AddrNotAvailable => BindError::NoSuchAddress(addr),
        _ => BindError::Other(addr, error),
    })
}

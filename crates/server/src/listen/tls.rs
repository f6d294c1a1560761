//! TLS with certificates from files, and new ones without a restart.
//!
//! rustls does the protocol, with `ring` for the arithmetic: it builds with a C compiler alone and in seconds, where
//! aws-lc-rs needs a minute and more tools. A new connection takes the configuration of that moment; connections that
//! are open keep theirs. Start at [`Tls::open`]; `files` reads and judges, [`authority`] makes the local authority
//! of `outcrop dev --tls`.

use std::fs;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::pki_types::CertificateDer;
use tokio::net::TcpStream;
use tokio::time::interval;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use x509_parser::prelude::{FromDer, X509Certificate};

pub mod authority;
mod error;
mod files;
#[cfg(test)]
mod tests;

pub use error::TlsError;
pub use files::{ClientAuth, TlsFiles};

/// How often the files are looked at. A change is taken once two looks agree: certificate and key are two files, and
/// between the two writes they do not fit.
pub const LOOK: Duration = Duration::from_secs(2);

/// What new connections are given.
pub struct Tls {
    now: ArcSwap<Loaded>,
}

/// Files that were read and fit together.
#[derive(Debug)]
pub struct Loaded {
    files: TlsFiles,
    config: Arc<ServerConfig>,
    seen: Stamps,
}

/// What tells that a file has changed, without reading it.
type Stamps = Vec<Option<(SystemTime, u64, u64)>>;

impl Tls {
    /// Reads `files`. A certificate that has expired is told in the log: at the start it is better than none, for the
    /// machine's clock may be the one that is wrong.
    pub fn open(files: TlsFiles) -> Result<Arc<Self>, TlsError> {
        let loaded = match Self::load(files.clone()) {
            Err(error @ TlsError::Expired { .. }) => {
                tracing::warn!("{error}");
                Self::load_whatever_its_age(files)?
            }
            loaded => loaded?,
        };
        Ok(Arc::new(Self { now: ArcSwap::from_pointee(loaded) }))
    }

    /// Reads and judges `files`, and changes nothing yet.
    pub fn load(files: TlsFiles) -> Result<Loaded, TlsError> {
        let loaded = Self::load_whatever_its_age(files)?;
        loaded.files.check_age()?;
        Ok(loaded)
    }

    fn load_whatever_its_age(files: TlsFiles) -> Result<Loaded, TlsError> {
        // Stamps first: a change during the reading is then seen as one.
        let seen = stamps(&files);
        let config = Arc::new(files.read()?);
        Ok(Loaded { files, config, seen })
    }

    /// Gives `loaded` to every connection that comes from now on.
    pub fn set(&self, loaded: Loaded) {
        self.now.store(Arc::new(loaded));
    }

    /// Looks at the files until it is dropped, and takes what is new and good.
    pub async fn watch(&self, every: Duration) {
        let mut clock = interval(every);
        let mut last: Stamps = Vec::new();
        let mut refused: Stamps = Vec::new();
        loop {
            clock.tick().await;
            let now = self.now.load_full();
            let found = stamps(&now.files);
            let settled = std::mem::replace(&mut last, found.clone()) == found;
            if !settled || found == now.seen || found == refused {
                continue;
            }
            match Self::load(now.files.clone()) {
                Ok(loaded) => {
                    tracing::info!(cert = %now.files.cert.display(), "new connections use the new TLS certificate");
                    self.set(loaded);
                }
                Err(error) => {
                    tracing::error!("the TLS files have changed and cannot be used; the old ones stay in use: {error}");
                    refused = found;
                }
            }
        }
    }

    /// The handshake.
    pub(super) async fn accept(&self, stream: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        TlsAcceptor::from(self.now.load().config.clone()).accept(stream).await
    }
}

fn stamps(files: &TlsFiles) -> Stamps {
    use std::os::unix::fs::MetadataExt;
    files.paths().map(|path| fs::metadata(path).and_then(|m| Ok((m.modified()?, m.len(), m.ino()))).ok()).collect()
}

/// Whom a verified client certificate names, for the log.
pub(super) fn subject(stream: &TlsStream<TcpStream>) -> Option<Arc<str>> {
    let certificate = stream.get_ref().1.peer_certificates()?.first()?;
    Some(subject_of(certificate).into())
}

fn subject_of(certificate: &CertificateDer<'_>) -> String {
    match X509Certificate::from_der(certificate) {
        Ok((_, parsed)) => parsed.subject().to_string().chars().take(256).collect(),
        Err(_) => "unreadable".into(),
    }
}

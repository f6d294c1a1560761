//! The files of `[tls]`: read, judged, made into what rustls takes.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use serde::{Deserialize, Serialize};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::TlsError;

/// `[tls]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TlsFiles {
    /// The server's certificate, then the intermediate ones.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// The authorities of client certificates.
    pub client_ca: Option<PathBuf>,
    /// Whether a client must have one.
    pub client_auth: Option<ClientAuth>,
}

/// What is asked of clients, where there is a `client_ca`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ClientAuth {
    /// A connection without a certificate is refused.
    #[default]
    Required,
    /// A certificate that is shown must be good.
    Optional,
}

impl TlsFiles {
    pub(super) fn paths(&self) -> impl Iterator<Item = &Path> {
        [Some(&self.cert), Some(&self.key), self.client_ca.as_ref()].into_iter().flatten().map(PathBuf::as_path)
    }

    /// Reads everything anew.
    pub(super) fn read(&self) -> Result<ServerConfig, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let chain = certificates(&self.cert, "tls.cert")?;
        let key = PrivateKeyDer::from_pem_file(&self.key)
            .map_err(|error| unreadable("private key", "tls.key", &self.key, error))?;
        let builder = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| self.unusable(&error))?;
        let builder = match &self.client_ca {
            None if self.client_auth.is_some() => return Err(TlsError::NoAuthority),
            None => builder.with_no_client_auth(),
            Some(path) => {
                let mut roots = RootCertStore::empty();
                for authority in certificates(path, "tls.client_ca")? {
                    roots.add(authority).map_err(|e| unusable(path, &e))?;
                }
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                let verifier = match self.client_auth.unwrap_or_default() {
                    ClientAuth::Required => verifier,
                    ClientAuth::Optional => verifier.allow_unauthenticated(),
                };
                builder.with_client_cert_verifier(verifier.build().map_err(|e| unusable(path, &e))?)
            }
        };
        let mut config = builder.with_single_cert(chain, key).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => TlsError::Mismatch { cert: self.cert.clone(), key: self.key.clone() },
            // So rustls calls a key that the provider cannot load.
            rustls::Error::General(why) => TlsError::UnusableKey { path: self.key.clone(), why },
            error => self.unusable(&error),
        })?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }

    /// Refuses a certificate whose time is over.
    pub(super) fn check_age(&self) -> Result<(), TlsError> {
        let until = expiry(&self.cert, "tls.cert")?;
        if until <= Timestamp::now() {
            return Err(TlsError::Expired { path: self.cert.clone(), since: until });
        }
        Ok(())
    }

    fn unusable(&self, why: &dyn std::error::Error) -> TlsError {
        unusable(&self.cert, why)
    }
}

/// When the first certificate in `path` expires.
pub(super) fn expiry(path: &Path, key: &'static str) -> Result<Timestamp, TlsError> {
    let chain = certificates(path, key)?;
    let first = chain.first().map(|first| X509Certificate::from_der(first));
    match first {
        Some(Ok((_, parsed))) => {
            Timestamp::from_second(parsed.validity().not_after.timestamp()).map_err(|e| unusable(path, &e))
        }
        Some(Err(error)) => Err(unusable(path, &error)),
        None => Err(TlsError::Empty { what: "certificate", key, path: path.to_owned() }),
    }
}

fn certificates(path: &Path, key: &'static str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let what = "certificate";
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let found = read.map_err(|error| unreadable(what, key, path, error))?;
    if found.is_empty() {
        return Err(TlsError::Empty { what, key, path: path.to_owned() });
    }
    Ok(found)
}

fn unreadable(what: &'static str, key: &'static str, path: &Path, error: pem::Error) -> TlsError {
    let path = path.to_owned();
    match error {
        pem::Error::Io(source) => TlsError::Unreadable { what, key, path, source },
        pem::Error::NoItemsFound => TlsError::Empty { what, key, path },
        other => {
            let source = std::io::Error::new(std::io::ErrorKind::InvalidData, other);
            TlsError::Unreadable { what, key, path, source }
        }
    }
}

fn unusable(path: &Path, why: &dyn std::error::Error) -> TlsError {
    TlsError::Unusable { path: path.to_owned(), why: why.to_string() }
}

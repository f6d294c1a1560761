//! Why TLS cannot start with the files that it was given.

use std::io;
use std::path::PathBuf;

use jiff::Timestamp;

/// Which file, what is wrong with it, what to do.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the text of each says it")]
pub enum TlsError {
    #[error("cannot read {what} {} (set as {key}): {source}", path.display())]
    Unreadable { what: &'static str, key: &'static str, path: PathBuf, source: io::Error },
    #[error(
        "{} (set as {key}) holds no {what} in PEM form, which begins with -----BEGIN. A file in DER form is converted \
         with openssl", path.display()
    )]
    Empty { what: &'static str, key: &'static str, path: PathBuf },
    #[error(
        "the private key in {} does not belong to the certificate in {}. Set tls.key to the key with which that \
         certificate was requested; the server's own certificate comes first in its file, the intermediate ones after",
        key.display(), cert.display()
    )]
    Mismatch { cert: PathBuf, key: PathBuf },
    #[error("the certificate in {} cannot be used: {why}. Have a new one issued", path.display())]
    Unusable { path: PathBuf, why: String },
    #[error("the private key in {} cannot be used: {why}. RSA, ECDSA and Ed25519 keys without a password can", path.display())]
    UnusableKey { path: PathBuf, why: String },
    #[error("the certificate in {} expired at {since}. Put a renewed one in its place", path.display())]
    Expired { path: PathBuf, since: Timestamp },
    #[error(
        "tls.client_auth needs tls.client_ca: the certificates of the authorities that clients are verified against"
    )]
    NoAuthority,
    #[error("the local authority in {} cannot be used: {why}. Remove that folder to have a new one made", folder.display())]
    Authority { folder: PathBuf, why: String },
}

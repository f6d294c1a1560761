//! Whom to believe.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio::sync::OnceCell;

use crate::OutboundError;

/// The authorities, gathered when first needed: reading a system's takes longer than a start should.
pub(crate) struct Trust {
    system: bool,
    own: Vec<CertificateDer<'static>>,
    config: OnceCell<Arc<ClientConfig>>,
}

impl Trust {
    /// The system's authorities, and those in `file`.
    pub(crate) fn system_and(file: Option<&Path>) -> Result<Self, OutboundError> {
        let own = file.map(read).transpose()?.unwrap_or_default();
        Ok(Self { system: true, own, config: OnceCell::new() })
    }

    /// Those in `file` and no others.
    pub(crate) fn only(file: &Path) -> Result<Self, OutboundError> {
        Ok(Self { system: false, own: read(file)?, config: OnceCell::new() })
    }

    pub(crate) async fn config(&self) -> Result<Arc<ClientConfig>, String> {
        self.config.get_or_try_init(|| self.gather()).await.cloned()
    }

    async fn gather(&self) -> Result<Arc<ClientConfig>, String> {
        let mut roots = RootCertStore::empty();
        if self.system {
            let system = tokio::task::spawn_blocking(rustls_native_certs::load_native_certs);
            // Systems carry certificates that rustls does not take; those are left out.
            roots.add_parsable_certificates(system.await.map_err(|error| error.to_string())?.certs);
        }
        roots.add_parsable_certificates(self.own.iter().cloned());
        if roots.is_empty() {
            return Err("this system has no certificates of authorities (Debian: ca-certificates); \
                        name some in outbound.ca_file"
                .to_owned());
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let mut config = config.map_err(|error| error.to_string())?.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

fn read(file: &Path) -> Result<Vec<CertificateDer<'static>>, OutboundError> {
    let bad = |why: String| OutboundError::Settings(format!("the certificates in {}: {why}", file.display()));
    let found = CertificateDer::pem_file_iter(file).map_err(|error| bad(error.to_string()))?;
    let found: Vec<_> = found.collect::<Result<_, _>>().map_err(|error| bad(error.to_string()))?;
    let mut roots = RootCertStore::empty();
    for certificate in &found {
        roots.add(certificate.clone()).map_err(|error| bad(error.to_string()))?;
    }
    if found.is_empty() { Err(bad("there are none".into())) } else { Ok(found) }
}

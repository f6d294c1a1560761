//! Certificates while a server runs: those that are given, and those of the local authority.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::listen::{Tls, tls};

/// Where the local authority and its certificate lie.
pub(super) fn authority_folder(data: &Path) -> PathBuf {
    data.join("tls")
}

/// Reads certificates anew when their files change.
pub(super) async fn watch_tls(tls: Option<Arc<Tls>>) {
    match tls {
        Some(tls) => tls.watch(tls::LOOK).await,
        None => std::future::pending().await,
    }
}

/// A server that runs for months renews its own certificate, too.
pub(super) async fn renew(folder: PathBuf, local_tls: bool) {
    let mut daily = tokio::time::interval(Duration::from_secs(24 * 60 * 60));
    loop {
        daily.tick().await;
        if local_tls && let Err(error) = tls::authority::prepare(&folder) {
            tracing::error!(%error, "cannot renew the certificate");
        }
    }
}

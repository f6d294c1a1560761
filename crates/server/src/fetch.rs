//! Fetching the documents of configured token issuers. The server calls nobody else by itself.
//!
//! One GET for each connection, over HTTPS, or plain HTTP where the issuer is on this machine. Bounded in size and
//! time; an answer other than 200 is a failure, so that no redirect is ever followed.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::rt::TokioIo;
use outcrop_access::oidc::{Fetch, FetchError};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

#[cfg(test)]
mod tests;

/// Ten times what the largest issuers publish.
const MAX_BYTES: usize = 512 * 1024;
/// A caller of STS waits for it.
const PATIENCE: Duration = Duration::from_secs(5);

/// Fetches over the network.
#[derive(Debug, Default)]
pub struct HttpFetch;

#[async_trait]
impl Fetch for HttpFetch {
    async fn get(&self, url: &str, ca: Option<&Path>) -> Result<Vec<u8>, FetchError> {
        match tokio::time::timeout(PATIENCE, get(url, ca)).await {
            Ok(answer) => answer,
            Err(_) => Err(FetchError::Unreachable(format!("{url} did not answer within {} s", PATIENCE.as_secs()))),
        }
    }
}

async fn get(url: &str, ca: Option<&Path>) -> Result<Vec<u8>, FetchError> {
    let unusable = |what: String| FetchError::Unusable(format!("{url}: {what}"));
    let unreachable = |what: String| FetchError::Unreachable(format!("{url}: {what}"));
    let uri: Uri = url.parse().map_err(|_| unusable("it is not a URL".into()))?;
    let secure = uri.scheme_str() != Some("http");
    let authority = uri.authority().ok_or_else(|| unusable("it names no host".into()))?;
    let host = authority.host().trim_matches(['[', ']']);
    let port = authority.port_u16().unwrap_or(if secure { 443 } else { 80 });
    let stream = TcpStream::connect((host, port)).await.map_err(|error| unreachable(error.to_string()))?;
    if !secure {
        return ask(stream, &uri, authority.as_str(), url).await;
    }
    let config = client_config(ca.map(Path::to_owned)).await.map_err(unusable)?;
    let name = ServerName::try_from(host.to_owned()).map_err(|_| unusable("it names no host".into()))?;
    let stream = TlsConnector::from(config).connect(name, stream).await;
    ask(stream.map_err(|error| unreachable(error.to_string()))?, &uri, authority.as_str(), url).await
}

async fn ask<S>(stream: S, uri: &Uri, host: &str, url: &str) -> Result<Vec<u8>, FetchError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let unusable = |what: String| FetchError::Unusable(format!("{url}: {what}"));
    let broken = |error: hyper::Error| FetchError::Unreachable(format!("{url}: {error}"));
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let connection = tokio::spawn(connection);
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let request = Request::get(path)
        .header(header::HOST, host)
        .header(header::ACCEPT, "application/json")
        .header(header::USER_AGENT, concat!("outcrop/", env!("CARGO_PKG_VERSION")))
        .header(header::CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|error| unusable(error.to_string()))?;
    let response = sender.send_request(request).await.map_err(broken)?;
    let status = response.status();
    if status.is_server_error() {
        return Err(FetchError::Unreachable(format!("{url} answers {status}")));
    }
    if status != StatusCode::OK {
        return Err(unusable(format!("it answers {status}; redirects are not followed")));
    }
    let body = Limited::new(response.into_body(), MAX_BYTES).collect().await;
    connection.abort();
    let body = body.map_err(|error| unusable(format!("its answer could not be read whole: {error}")))?;
    Ok(body.to_bytes().to_vec())
}

/// Whom to believe: the given authorities, or those of the system. Read for every fetch, which are few: a renewed
/// file counts.
async fn client_config(ca: Option<std::path::PathBuf>) -> Result<Arc<ClientConfig>, String> {
    let load = move || {
        let mut roots = RootCertStore::empty();
        match ca {
            Some(file) => {
                let said = |error: &dyn std::fmt::Display| format!("the certificates in {}: {error}", file.display());
                for certificate in CertificateDer::pem_file_iter(&file).map_err(|error| said(&error))? {
                    roots.add(certificate.map_err(|error| said(&error))?).map_err(|error| said(&error))?;
                }
            }
            None => {
                // Systems carry certificates that rustls does not take; those are left out.
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            }
        }
        if roots.is_empty() {
            return Err("no authority is known to check its certificate with; name one in ca_file".to_owned());
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.map_err(|error| error.to_string())?;
        Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
    };
    tokio::task::spawn_blocking(load).await.map_err(|error| error.to_string())?
}

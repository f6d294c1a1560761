use std::sync::Arc;

use outcrop_outbound::Settings;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

fn fetch() -> HttpFetch {
    HttpFetch::new(Outbound::new(Settings::default()).unwrap())
}

/// A server that gives one answer to one caller, over TLS where it has a certificate. Its URL and what it was asked.
async fn serve(answer: Vec<u8>, tls: Option<tokio_rustls::TlsAcceptor>) -> (String, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let scheme = if tls.is_some() { "https" } else { "http" };
    let url = format!("{scheme}://{}/keys?x=1", listener.local_addr().unwrap());
    let task = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        match tls {
            Some(tls) => match tls.accept(stream).await {
                Ok(stream) => speak(stream, &answer).await,
                Err(_) => String::new(),
            },
            None => speak(stream, &answer).await,
        }
    });
    (url, task)
}

async fn speak(mut stream: impl AsyncReadExt + AsyncWriteExt + Unpin, answer: &[u8]) -> String {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let byte = stream.read_u8().await.unwrap();
        request.push(byte);
    }
    // A client that has seen enough hangs up.
    let _ = stream.write_all(answer).await;
    let _ = stream.shutdown().await;
    String::from_utf8(request).unwrap()
}

fn ok(body: &[u8]) -> Vec<u8> {
    let mut answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len()).into_bytes();
    answer.extend_from_slice(body);
    answer
}

#[tokio::test]
async fn a_document_is_fetched() {
    let (url, asked) = serve(ok(b"{}"), None).await;
    assert_eq!(fetch().get(&url, None).await.unwrap(), b"{}");
    let request = asked.await.unwrap();
    assert!(request.starts_with("GET /keys?x=1 HTTP/1.1\r\n") && request.contains("host: 127.0.0.1:"), "{request}");
}

#[tokio::test]
async fn what_is_not_a_document_is_refused() {
    let huge = ok(&vec![b' '; MAX_BYTES + 1]);
    let endless = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nx".to_vec();
    let redirect = b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n".to_vec();
    for (answer, said) in
        [(huge, "cannot be used"), (endless, "cannot be used"), (redirect, "redirects are not followed")]
    {
        let (url, _) = serve(answer, None).await;
        let error = fetch().get(&url, None).await.unwrap_err();
        assert!(
            matches!(&error, FetchError::Unusable(text) if text.contains(said) && text.contains(&url)),
            "{error:?}"
        );
    }
    for answer in [b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n".to_vec(), b"SSH-2.0-x\r\n".to_vec(), Vec::new()] {
        let (url, _) = serve(answer, None).await;
        let error = fetch().get(&url, None).await.unwrap_err();
        assert!(matches!(error, FetchError::Unreachable(_)), "{error:?}");
    }
    // A port where nobody listens.
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error = fetch().get(&format!("http://{free}/"), None).await.unwrap_err();
    assert!(matches!(error, FetchError::Unreachable(_)), "{error:?}");
}

#[tokio::test]
async fn a_certificate_is_believed_only_where_its_authority_is_named() {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let acceptor = || {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
        let config = config.unwrap().with_no_client_auth().with_single_cert(vec![cert.der().clone()], key).unwrap();
        Some(tokio_rustls::TlsAcceptor::from(Arc::new(config)))
    };
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, cert.pem()).unwrap();

    let (url, asked) = serve(ok(b"{}"), acceptor()).await;
    assert_eq!(fetch().get(&url, Some(&ca)).await.unwrap(), b"{}");
    asked.await.unwrap();
    let other = generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    std::fs::write(&ca, other.cert.pem()).unwrap();
    let (url, _) = serve(ok(b"{}"), acceptor()).await;
    let error = fetch().get(&url, Some(&ca)).await.unwrap_err();
    assert!(matches!(error, FetchError::Unreachable(_)), "{error:?}");
    let error = fetch().get(&url, Some(&folder.path().join("absent"))).await.unwrap_err();
    assert!(matches!(error, FetchError::Unusable(_)) || matches!(error, FetchError::Unreachable(_)), "{error:?}");
}

#[tokio::test]
async fn the_gate_decides_and_can_be_changed() {
    let (url, _) = serve(ok(b"{}"), None).await;
    let fetch = fetch();
    let offline = Settings { offline: true, ..Settings::default() };
    fetch.set(Outbound::new(offline).unwrap());
    let error = fetch.get("https://issuer.example.com/", None).await.unwrap_err();
    assert!(matches!(&error, FetchError::Unusable(text) if text.contains("offline is on")), "{error:?}");
    assert_eq!(fetch.get(&url, None).await.unwrap(), b"{}");
}

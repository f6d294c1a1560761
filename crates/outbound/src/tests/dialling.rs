//! Connections that do not speak HTTP.

use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::outbound;
use super::support::{Authority, Proxy, Server};
use crate::{Outbound, OutboundError, Settings};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";

async fn says(mut line: impl AsyncReadExt + AsyncWrite + Unpin) -> String {
    line.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut said = [0; 15];
    line.read_exact(&mut said).await.unwrap();
    String::from_utf8(said.to_vec()).unwrap()
}

#[tokio::test]
async fn they_are_held_to_the_same_rules() {
    let server = Server::answering(OK).await;
    let line = outbound().dial("127.0.0.1", server.address().port(), false).await.unwrap();
    assert_eq!(says(line).await, "HTTP/1.1 200 OK");
    let refused = outbound().dial("8.8.8.8", 5432, false).await.unwrap_err();
    assert!(matches!(refused, OutboundError::PlainHttp { .. }), "{refused:?}");
    let offline = Outbound::new(Settings { offline: true, ..Settings::default() }).unwrap();
    let refused = offline.dial("db.example.com", 5432, true).await.unwrap_err();
    assert!(matches!(refused, OutboundError::Offline { .. }), "{refused:?}");
}

#[tokio::test]
async fn what_is_encrypted_goes_through_a_tunnel_to_whom_it_was_meant_for() {
    let authority = Authority::new("db.example.com");
    let server = Server::answering_tls(OK, &authority).await;
    let proxy = Proxy::to(server.address(), "HTTP/1.1 200 Connection established\r\n\r\n").await;
    let folder = tempfile::tempdir().unwrap();
    let ca_file = folder.path().join("ca.pem");
    std::fs::write(&ca_file, &authority.pem).unwrap();
    let through = Some(proxy.url("").parse().unwrap());
    let settings = Settings { ca_file: Some(ca_file), proxy: through, ..Settings::default() };
    let outbound = Outbound::new(settings).unwrap();
    let line = outbound.dial("DB.example.com", 5432, true).await.unwrap();
    assert!(proxy.asked()[0].starts_with("CONNECT db.example.com:5432 "), "{:?}", proxy.asked());
    let tls = outbound.encrypt("db.example.com", b"postgresql", line).await.unwrap();
    assert_eq!(says(tls).await, "HTTP/1.1 200 OK");
    let line = outbound.dial("other.example.com", 5432, true).await.unwrap();
    let refused = outbound.encrypt("other.example.com", b"postgresql", line).await.unwrap_err();
    assert!(matches!(refused, OutboundError::Tls { .. }), "{refused:?}");
}

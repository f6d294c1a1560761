//! What happens until a request can be written.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use tokio::net::TcpListener;

use super::support::{Authority, Server};
use super::{get, outbound};
use crate::{Outbound, OutboundError, Resolve, Settings, collect};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// Says the same of every name.
struct Always(Vec<&'static str>);

#[async_trait]
impl Resolve for Always {
    async fn addresses(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        Ok(self.0.iter().map(|address| address.parse().unwrap()).collect())
    }
}

fn resolving(settings: Settings, addresses: &[&'static str]) -> Outbound {
    Outbound::with_resolver(settings, Arc::new(Always(addresses.to_vec()))).unwrap()
}

fn allowing(rules: &[&str]) -> Settings {
    Settings { allow: rules.iter().map(|rule| rule.parse().unwrap()).collect(), ..Settings::default() }
}

async fn fails(outbound: &Outbound, url: &str) -> OutboundError {
    outbound.endpoint(url).unwrap().send(get("/")).await.unwrap_err()
}

#[tokio::test]
async fn a_public_name_that_leads_here_is_not_called() {
    let server = Server::answering(OK).await;
    let port = server.address().port();
    for addresses in [&["127.0.0.1"][..], &["::ffff:127.0.0.1"], &["169.254.169.254", "10.0.0.1", "127.0.0.1"]] {
        let outbound = resolving(Settings::default(), addresses);
        let error = fails(&outbound, &format!("https://api.example.com:{port}")).await;
        assert!(matches!(error, OutboundError::Rebound { .. }) && error.before_sent(), "{error:?}");
    }
    assert_eq!(server.connections(), 0);
    // What is meant is called: by its name, or by its range.
    for rule in ["vllm.example.com", "127.0.0.0/8"] {
        let outbound = resolving(allowing(&[rule]), &["127.0.0.1"]);
        let endpoint = outbound.endpoint(&format!("http://vllm.example.com:{port}")).unwrap();
        assert_eq!(collect(endpoint.send(get("/")).await.unwrap().into_body(), 9).await.unwrap(), "ok");
    }
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn among_several_addresses_only_permitted_ones_are_called() {
    let server = Server::answering(OK).await;
    let outbound = resolving(allowing(&["127.0.0.1"]), &["10.0.0.1", "169.254.169.254", "127.0.0.1"]);
    let endpoint = outbound.endpoint(&format!("http://vllm.example.com:{}", server.address().port())).unwrap();
    endpoint.send(get("/")).await.unwrap();
}

#[tokio::test]
async fn a_name_without_address_is_told() {
    let error = fails(&resolving(Settings::default(), &[]), "https://api.example.com").await;
    assert!(matches!(error, OutboundError::Dns { .. }) && error.before_sent(), "{error:?}");
}

#[tokio::test]
async fn this_machine_needs_nobody_to_know_its_name() {
    let server = Server::answering(OK).await;
    let outbound = resolving(Settings { offline: true, ..Settings::default() }, &[]);
    let endpoint = outbound.endpoint(&format!("http://localhost:{}", server.address().port())).unwrap();
    endpoint.send(get("/")).await.unwrap();
    assert!(matches!(outbound.endpoint("https://api.example.com"), Err(OutboundError::Offline { .. })));
}

#[tokio::test]
async fn only_the_named_authority_is_believed() {
    let authority = Authority::new("localhost");
    let server = Server::answering_tls(OK, &authority).await;
    let folder = tempfile::tempdir().unwrap();
    let ca_file = folder.path().join("ca.pem");
    std::fs::write(&ca_file, &authority.pem).unwrap();
    let port = server.address().port();
    let url = format!("https://localhost:{port}");

    let trusting = Outbound::new(Settings { ca_file: Some(ca_file.clone()), ..Settings::default() }).unwrap();
    for trusting in [trusting.clone(), outbound().trusting(&ca_file).unwrap()] {
        let answer = trusting.endpoint(&url).unwrap().send(get("/")).await.unwrap();
        assert_eq!(collect(answer.into_body(), 9).await.unwrap(), "ok");
    }
    // Its certificate is for another name.
    let error = fails(&trusting, &format!("https://127.0.0.1:{port}")).await;
    assert!(matches!(error, OutboundError::Tls { .. }) && error.before_sent(), "{error:?}");
    std::fs::write(&ca_file, &Authority::new("localhost").pem).unwrap();
    let error = fails(&outbound().trusting(&ca_file).unwrap(), &url).await;
    assert!(matches!(error, OutboundError::Tls { .. }), "{error:?}");
    assert_eq!(server.seen().len(), 2);

    std::fs::write(&ca_file, "no certificates").unwrap();
    assert!(matches!(outbound().trusting(&ca_file), Err(OutboundError::Settings(_))));
    assert!(matches!(outbound().trusting(&folder.path().join("absent")), Err(OutboundError::Settings(_))));
}

#[tokio::test]
async fn a_handshake_without_an_answer_ends() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let ca_file = folder.path().join("ca.pem");
    std::fs::write(&ca_file, &Authority::new("localhost").pem).unwrap();
    let settings =
        Settings { connect_timeout: Duration::from_millis(100), ca_file: Some(ca_file), ..Settings::default() };
    let error = fails(&Outbound::new(settings).unwrap(), &format!("https://{}", silent.local_addr().unwrap())).await;
    assert!(matches!(error, OutboundError::ConnectTimeout { .. }) && error.before_sent(), "{error:?}");
}

/// A port whose queue is full, so that the system does not answer who wants to connect.
#[cfg(target_os = "linux")]
fn unanswering(address: SocketAddr) -> (socket2::Socket, SocketAddr, Vec<TcpStream>) {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&address.into()).unwrap();
    socket.listen(0).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    let connect = || TcpStream::connect_timeout(&address, Duration::from_millis(100)).ok();
    let waiting = std::iter::from_fn(connect).take(64).collect::<Vec<_>>();
    assert!(waiting.len() < 64);
    (socket, address, waiting)
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_connection_without_an_answer_ends() {
    let (_socket, address, _waiting) = unanswering("127.0.0.1:0".parse().unwrap());
    let settings = Settings { connect_timeout: Duration::from_millis(100), ..Settings::default() };
    let error = fails(&Outbound::new(settings).unwrap(), &format!("http://{address}")).await;
    assert!(matches!(error, OutboundError::ConnectTimeout { .. }) && error.before_sent(), "{error:?}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_next_address_does_not_wait_for_one_without_an_answer() {
    let server = Server::answering(OK).await;
    let port = server.address().port();
    let (_socket, _, _waiting) = unanswering(SocketAddr::new("127.0.0.2".parse().unwrap(), port));
    let outbound = resolving(allowing(&["127.0.0.0/8"]), &["127.0.0.2", "127.0.0.1"]);
    let begun = Instant::now();
    outbound.endpoint(&format!("http://vllm.example.com:{port}")).unwrap().send(get("/")).await.unwrap();
    assert!(begun.elapsed() < Settings::default().connect_timeout);
}

#[tokio::test]
async fn a_name_that_leads_home_when_it_is_connected_to_is_refused_to_callers() {
    let server = Server::answering(OK).await;
    let outbound = resolving(Settings::default(), &["127.0.0.1"]);
    let url = format!("http://docs.example.com:{}", server.address().port());
    let error = fails(&outbound.for_callers(Vec::new()).unwrap(), &url).await;
    assert!(matches!(error, OutboundError::NotPublic { .. }) && error.before_sent(), "{error:?}");
    assert_eq!(server.connections(), 0);
    let meant = outbound.for_callers(vec!["docs.example.com".parse().unwrap()]).unwrap();
    let answer = meant.endpoint(&url).unwrap().send(get("/")).await.unwrap();
    assert_eq!(collect(answer.into_body(), 9).await.unwrap(), "ok");
}

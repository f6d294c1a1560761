//! Through a proxy.

use super::get;
use super::support::{Authority, Proxy, Server};
use crate::{Outbound, OutboundError, Settings, collect};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
/// `user:secret`
const CREDENTIALS: &str = "basic dxnlcjpzzwnyzxq=";

fn through(proxy: &str) -> Settings {
    let proxy = Some(proxy.parse().unwrap());
    Settings { proxy: proxy.clone(), http_proxy: proxy, ..Settings::default() }
}

#[tokio::test]
async fn an_encrypted_endpoint_is_reached_by_connect() {
    let authority = Authority::new("api.example.com");
    let server = Server::answering_tls(OK, &authority).await;
    let proxy = Proxy::to(server.address(), "HTTP/1.1 200 Connection established\r\n\r\n").await;
    let folder = tempfile::tempdir().unwrap();
    let ca_file = folder.path().join("ca.pem");
    std::fs::write(&ca_file, &authority.pem).unwrap();
    let settings = Settings { ca_file: Some(ca_file), ..through(&proxy.url("user:secret@")) };
    // The proxy knows the name; nobody here has to.
    let endpoint = Outbound::new(settings).unwrap().endpoint("https://api.example.com:8443").unwrap();
    for _ in 0..2 {
        let answer = endpoint.send(get("/x")).await.unwrap();
        assert_eq!(collect(answer.into_body(), 9).await.unwrap(), "ok");
    }
    let asked = proxy.asked();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert!(asked[0].starts_with("CONNECT api.example.com:8443 HTTP/1.1\r\n"), "{asked:?}");
    assert!(asked[0].to_ascii_lowercase().contains(CREDENTIALS), "{asked:?}");
    // Between endpoint and client the proxy is not there.
    assert!(server.seen().iter().all(|request| !request.to_ascii_lowercase().contains("proxy")));
}

#[tokio::test]
async fn a_proxy_that_refuses_is_told_without_its_password() {
    let cases = [
        ("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", "a user and a password"),
        ("HTTP/1.1 403 Forbidden\r\n\r\n", "403"),
        ("SSH-2.0-x\r\n\r\n", "does not speak HTTP"),
        ("", "closed the connection"),
    ];
    for (answer, said) in cases {
        let proxy = Proxy::refusing(answer).await;
        let outbound = Outbound::new(through(&proxy.url("user:secret@"))).unwrap();
        let error = outbound.endpoint("https://api.example.com").unwrap().send(get("/")).await.unwrap_err();
        assert!(matches!(error, OutboundError::Proxy { .. }) && error.before_sent(), "{error:?}");
        for shown in [error.to_string(), format!("{error:?} {outbound:?}")] {
            assert!(!shown.contains("secret"), "{shown}");
        }
        assert!(error.to_string().contains(said), "{error}");
    }
}

#[tokio::test]
async fn a_plain_endpoint_is_asked_of_the_proxy_itself() {
    let proxy = Server::answering(OK).await;
    let settings = through(&format!("http://user:secret@{}", proxy.address()));
    let outbound = Outbound::new(settings).unwrap();
    outbound.endpoint("http://vllm.internal:8000/v1").unwrap().send(get("/models")).await.unwrap();
    let seen = proxy.seen().remove(0);
    assert!(seen.starts_with("GET http://vllm.internal:8000/v1/models HTTP/1.1\r\n"), "{seen}");
    assert!(seen.to_ascii_lowercase().contains(CREDENTIALS), "{seen}");
    assert!(seen.contains("host: vllm.internal:8000\r\n"), "{seen}");
}

#[tokio::test]
async fn exceptions_and_this_machine_need_no_proxy() {
    let server = Server::answering(OK).await;
    let nobody = Proxy::refusing("").await;
    let settings = Settings { no_proxy: vec!["127.0.0.0/8".into(), "corp".into()], ..through(&nobody.url("")) };
    let port = server.address().port();
    for host in ["127.0.0.1", "localhost"] {
        let endpoint = Outbound::new(settings.clone()).unwrap().endpoint(&format!("http://{host}:{port}")).unwrap();
        let seen = server.seen().len();
        endpoint.send(get("/")).await.unwrap();
        assert!(server.seen()[seen].starts_with("GET / HTTP/1.1\r\n"));
    }
    assert!(nobody.asked().is_empty());
    // An exception is judged by its addresses again.
    struct Here;
    #[async_trait::async_trait]
    impl crate::Resolve for Here {
        async fn addresses(&self, _: &str) -> std::io::Result<Vec<std::net::IpAddr>> {
            Ok(vec![[127, 0, 0, 1].into()])
        }
    }
    let outbound = Outbound::with_resolver(settings, std::sync::Arc::new(Here)).unwrap();
    outbound.endpoint(&format!("http://vllm.corp:{port}")).unwrap().send(get("/")).await.unwrap();
    assert!(nobody.asked().is_empty());
}

#[tokio::test]
async fn a_proxy_does_not_lead_past_the_rules() {
    let proxy = Proxy::refusing("").await;
    let settings = Settings { allow: vec!["api.example.com".parse().unwrap()], ..through(&proxy.url("")) };
    let error = Outbound::new(settings).unwrap().endpoint("https://other.example.com").unwrap_err();
    assert!(matches!(error, OutboundError::NotAllowed { .. }), "{error:?}");
}

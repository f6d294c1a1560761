//! The client against servers on this machine. `support` has the servers.

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::BodyExt;

use crate::{Outbound, OutboundError, Settings, Sse, beginning, collect};

mod connecting;
mod dialling;
mod proxies;
mod support;

use support::Server;

fn outbound() -> Outbound {
    Outbound::new(Settings::default()).unwrap()
}

fn get(path: &str) -> Request<Bytes> {
    Request::get(path).body(Bytes::new()).unwrap()
}

#[tokio::test]
async fn a_request_and_its_answer() {
    let server = Server::answering("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello").await;
    let endpoint = outbound().endpoint(&server.url("/v1/")).unwrap();
    let request = Request::post("/chat?x=1").body(Bytes::from_static(b"{}")).unwrap();
    let answer = endpoint.send(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(collect(answer.into_body(), 5).await.unwrap(), "hello");
    let seen = server.seen().remove(0);
    assert!(seen.starts_with("POST /v1/chat?x=1 HTTP/1.1\r\n"), "{seen}");
    assert!(seen.contains(&format!("host: {}\r\n", server.address())), "{seen}");
    assert!(seen.ends_with("\r\n\r\n{}"), "{seen}");
}

#[tokio::test]
async fn an_idle_connection_is_used_again() {
    let server = Server::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let endpoint = outbound().endpoint(&server.url("")).unwrap();
    for _ in 0..3 {
        let answer = endpoint.send(get("/a")).await.unwrap();
        collect(answer.into_body(), 10).await.unwrap();
    }
    assert_eq!(server.seen().len(), 3);
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn events_arrive_as_they_are_sent() {
    let server = Server::answering(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\ndata: one\n\nevent: x\ndata: two\n\n",
    )
    .await;
    let endpoint = outbound().endpoint(&server.url("")).unwrap();
    let mut events = Sse::new(endpoint.send(get("/")).await.unwrap().into_body(), 100);
    assert_eq!(events.next().await.unwrap().unwrap().data, "one");
    let second = events.next().await.unwrap().unwrap();
    assert_eq!((second.name, second.data), (Bytes::from("x"), Bytes::from("two")));
    assert_eq!(events.next().await, None);
}

#[tokio::test]
async fn no_redirect_is_followed() {
    let server = Server::answering(
        "HTTP/1.1 302 Found\r\nLocation: https://elsewhere.example/x?signature=secret\r\nContent-Length: 0\r\n\r\n",
    )
    .await;
    let endpoint = outbound().endpoint(&server.url("")).unwrap();
    let error = endpoint.send(get("/")).await.unwrap_err();
    let OutboundError::Redirect { to, .. } = &error else { panic!("{error:?}") };
    assert_eq!(to.expose(), "https://elsewhere.example/x?signature=secret");
    for shown in [error.to_string(), format!("{error:?}")] {
        assert!(shown.contains("elsewhere.example"), "{shown}");
        assert!(!shown.contains("secret"), "{shown}");
    }
}

#[tokio::test]
async fn a_refused_connection_sent_nothing() {
    let server = Server::answering("").await;
    let url = server.url("");
    drop(server);
    let endpoint = outbound().endpoint(&url).unwrap();
    let error = endpoint.send(get("/")).await.unwrap_err();
    assert!(matches!(error, OutboundError::Connect { .. }), "{error:?}");
    assert!(error.before_sent());
}

#[tokio::test]
async fn an_answer_larger_than_allowed_is_an_error() {
    let server = Server::answering("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello").await;
    let endpoint = outbound().endpoint(&server.url("")).unwrap();
    let answer = endpoint.send(get("/")).await.unwrap();
    assert_eq!(collect(answer.into_body(), 4).await, Err(OutboundError::TooLarge { limit: 4 }));
    let answer = endpoint.send(get("/")).await.unwrap();
    assert_eq!(beginning(answer.into_body(), 4).await.unwrap(), "hell");
    let answer = endpoint.send(get("/")).await.unwrap();
    assert_eq!(beginning(answer.into_body(), 9).await.unwrap(), "hello");
    let answer = endpoint.send(get("/")).await.unwrap();
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "hello");
}

#[tokio::test]
async fn a_path_is_put_behind_the_base() {
    let endpoint = outbound().endpoint("https://api.example.com:443/v1/").unwrap();
    let uri = |path: &str| endpoint.uri(path).to_string();
    assert_eq!(uri("/chat/completions"), "https://api.example.com:443/v1/chat/completions");
    assert_eq!(uri("models/a b:c#d%20e?x=é"), "https://api.example.com:443/v1/models/a%20b:c%23d%20e?x=%C3%A9");
    assert_eq!(uri(""), "https://api.example.com:443/v1");
    assert_eq!(outbound().endpoint("https://api.example.com").unwrap().uri("").to_string(), "https://api.example.com/");
    let error = endpoint.send(get("https://other.example.com/v1/x")).await.unwrap_err();
    assert_eq!(error, OutboundError::NotAllowed { host: "other.example.com".into() });
    let error = endpoint.send(get("http://api.example.com:443/v1/x")).await.unwrap_err();
    assert!(matches!(error, OutboundError::NotAllowed { .. }), "{error:?}");
}

#[test]
fn an_endpoint_is_a_base_url_and_no_secret_is_shown() {
    let urls = [
        "ftp://h",
        "https://u:secret@h",
        "//h/secret",
        "https://h/?key=secret",
        "https://h/#secret",
        "",
        "https:// secret",
    ];
    for url in urls {
        let error = outbound().endpoint(url).unwrap_err();
        assert!(matches!(error, OutboundError::Url(_)), "{url}: {error:?}");
        assert!(!error.to_string().contains("secret") && error.before_sent(), "{error}");
    }
    let endpoint = outbound().endpoint("https://api.example.com/key-in-path").unwrap();
    assert_eq!(format!("{endpoint:?}"), "Endpoint(https://api.example.com)");
}

#[tokio::test]
async fn a_request_that_may_have_been_read_is_not_sent_again() {
    // It reads the first request of each connection and hangs up at the second.
    let server = Server::hanging_up_after(1, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let endpoint = outbound().endpoint(&server.url("")).unwrap();
    collect(endpoint.send(get("/1")).await.unwrap().into_body(), 10).await.unwrap();
    let error = endpoint.send(get("/2")).await.unwrap_err();
    assert!(matches!(error, OutboundError::Io { .. }) && !error.before_sent(), "{error:?}");
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn a_connection_that_was_closed_in_between_costs_no_request() {
    let server = Server::closing_after_each("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let endpoint = outbound().endpoint(&server.url("")).unwrap();
    for path in ["/1", "/2", "/3"] {
        let answer = endpoint.send(get(path)).await.unwrap();
        collect(answer.into_body(), 10).await.unwrap();
        server.closed().await;
    }
    assert_eq!((server.seen().len(), server.connections()), (3, 3));
}

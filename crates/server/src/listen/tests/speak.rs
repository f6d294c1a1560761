//! What a well-behaved client sees, and what hyper would have answered by itself.

use http_body::Frame;
use http_body_util::StreamBody;

use super::*;

#[tokio::test]
async fn one_port_speaks_both_protocols() {
    let server = start(Limits::default(), echo).await;
    for mut client in Client::both(server.addr).await {
        for n in 0..3 {
            let response = client.post("/model/a%2Fb//c/", vec![b'x'; n * 40_000]).await.unwrap();
            assert_eq!(text(response).await, format!("POST /model/a%2Fb//c/ {}", n * 40_000));
        }
    }
}

#[tokio::test]
async fn the_preface_may_come_byte_by_byte() {
    let server = start(Limits::default(), echo).await;
    let mut stream = TcpStream::connect(server.addr).await.unwrap();
    stream.set_nodelay(true).unwrap();
    // The preface and an empty SETTINGS frame.
    for byte in b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0" {
        stream.write_all(&[*byte]).await.unwrap();
    }
    let mut head = [0; 9];
    timeout(PATIENCE, stream.read_exact(&mut head)).await.unwrap().unwrap();
    assert_eq!(head[3], 4, "the server's SETTINGS come first");
}

#[tokio::test]
async fn streams_arrive_piece_by_piece_and_whole() {
    let server = start(Limits::default(), |request: Request<Body>| async move {
        if request.uri().path() == "/channel" {
            let (sender, body) = channel();
            tokio::spawn(async move {
                for _ in 0..100 {
                    sender.send(Bytes::from_static(&[b'y'; 5000])).await.unwrap();
                }
                sender.send(Bytes::new()).await.unwrap();
            });
            return Response::new(body);
        }
        let pieces = (0..100).map(|_| Ok(Bytes::from_static(&[b'y'; 5000])));
        Response::new(Body::stream(futures_util::stream::iter(pieces)))
    })
    .await;
    for mut client in Client::both(server.addr).await {
        for path in ["/channel", "/stream"] {
            assert_eq!(text(client.post(path, "").await.unwrap()).await.len(), 500_000);
        }
    }
}

#[tokio::test]
async fn a_stream_that_breaks_is_not_taken_for_complete() {
    let server = start(Limits::default(), |request: Request<Body>| async move {
        match request.uri().path() {
            "/dropped" => {
                let (sender, body) = channel();
                sender.send(Bytes::from_static(b"half")).await.unwrap();
                Response::new(body)
            }
            _ => Response::new(Body::stream(futures_util::stream::poll_fn({
                let mut polls = 0;
                move |_| {
                    polls += 1;
                    if polls > 1 {
                        panic!("in mid-stream")
                    }
                    std::task::Poll::Ready(Some(Ok(Bytes::from_static(b"half"))))
                }
            }))),
        }
    })
    .await;
    for path in ["/dropped", "/panics"] {
        for mut client in Client::both(server.addr).await {
            // The first piece may have been flushed or not; what must never be seen is a proper end.
            if let Ok(response) = client.post(path, "").await {
                assert!(response.into_body().collect().await.is_err(), "{path}");
            }
        }
    }
}

#[tokio::test]
async fn a_panic_is_an_internal_error_and_the_connection_lives() {
    let server = start(Limits::default(), |request: Request<Body>| async move {
        assert!(!request.uri().path().ends_with("/panic"), "on purpose");
        echo(request).await
    })
    .await;
    for mut client in Client::both(server.addr).await {
        let response = client.post("/panic", "").await.unwrap();
        assert_eq!(response.status(), 500);
        assert_eq!(response.headers()["x-amzn-errortype"], "InternalServerException");
        assert!(text(response).await.contains("message"));
        for (path, begins) in [("/v1/panic", "{\"error\":"), ("/anthropic/panic", "{\"type\":\"error\"")] {
            let response = client.post(path, "").await.unwrap();
            assert_eq!(response.status(), 500);
            let said = text(response).await;
            assert!(said.starts_with(begins), "{path}: {said}");
        }
        assert_eq!(text(client.post("/well", "").await.unwrap()).await, "POST /well 0");
    }
}

#[tokio::test]
async fn unreadable_heads_are_answered_in_json() {
    let server = start(Limits::default(), echo).await;
    let long = format!("GET / HTTP/1.1\r\nhost: x\r\na: {}\r\n\r\n", "a".repeat(200_000));
    let path = format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "a".repeat(66_000));
    let many = format!("GET / HTTP/1.1\r\nhost: x\r\n{}\r\n", "a: b\r\n".repeat(5_000));
    for (sent, status) in [
        ("this is not HTTP\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nno colon here\r\n\r\n", 400),
        ("GET / HTTP/9.7\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: many\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\n", 400),
        ("GET /\u{0}\u{7} HTTP/1.1\r\nhost: x\r\n\r\n", 400),
        ("PRI * HTTP/2.0\r\n\r\nnonsense\r\n\r\n", 400),
        (&path, 431),
        (&long, 431),
        (&many, 431),
    ] {
        let answer = raw(server.addr, sent.as_bytes()).await;
        assert_eq!(json_error(&answer).0, status, "{}", &sent[..sent.len().min(60)]);
    }
}

#[tokio::test]
async fn a_request_knows_its_peer() {
    let server = start(Limits::default(), |request: Request<Body>| async move {
        Response::new(Body::full(request.extensions().get::<Peer>().unwrap().address.unwrap().ip().to_string()))
    })
    .await;
    let mut client = Client::one(server.addr).await;
    assert_eq!(text(client.post("/", "").await.unwrap()).await, "127.0.0.1");
}

#[tokio::test]
async fn binding_says_what_is_wrong() {
    let (_taken, addr) = bound().await;
    let error = bind(&Address::Tcp(addr)).await.unwrap_err();
    assert!(matches!(error, BindError::InUse(_)) && error.to_string().contains("already in use"), "{error}");
    let elsewhere = bind(&"192.0.2.1:0".parse().unwrap()).await.unwrap_err();
    assert!(matches!(elsewhere, BindError::NoSuchAddress(_)), "{elsewhere}");

    // Off loopback: `serve` with TLS and nothing else.
    for (addr, near) in [
        ("127.0.0.1:1", true),
        ("127.9.9.9:1", true),
        ("[::1]:1", true),
        ("[::ffff:127.0.0.1]:1", true),
        ("0.0.0.0:1", false),
        ("[::]:1", false),
        ("10.0.0.1:1", false),
    ] {
        for (dev, tls) in [(true, true), (true, false), (false, true), (false, false)] {
            let checked = check_bind(&addr.parse().unwrap(), dev, tls);
            assert_eq!(checked.is_ok(), near || (tls && !dev), "{addr} {dev} {tls}");
            assert!(checked.err().is_none_or(|e| e.to_string().contains("loopback")), "{addr}");
        }
    }
    assert!(check_bind(&"unix:/x".parse().unwrap(), true, false).is_ok());
    assert!(check_bind(&"unix:/x".parse().unwrap(), false, true).is_err());
}

#[tokio::test]
async fn a_body_that_ends_at_once_is_none() {
    let server = start(Limits::default(), |mut request: Request<Body>| async move {
        let has_content = request.body_mut().has_content(PATIENCE).await;
        let bytes = collect(request.into_body(), 1_000_000, PATIENCE).await.unwrap();
        Response::new(Body::full(format!("{has_content} {}", bytes.len())))
    })
    .await;
    let io = TokioIo::new(TcpStream::connect(server.addr).await.unwrap());
    let (mut sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(connection);
    for (frames, announced, said) in [
        (vec![], None, "false 0"),
        (vec![""], None, "false 0"),
        (vec![""], Some("0"), "false 0"),
        (vec!["", "ab", "c"], None, "true 3"),
        (vec!["ab"], Some("2"), "true 2"),
    ] {
        let mut request = Request::post("http://localhost/agents/A/");
        if let Some(length) = announced {
            request = request.header("content-length", length);
        }
        let frames: Vec<_> = frames.iter().map(|f| hyper::Result::Ok(Frame::data(Bytes::from(*f)))).collect();
        let body = StreamBody::new(futures_util::stream::iter(frames));
        let answer = timeout(PATIENCE, sender.send_request(request.body(body).unwrap())).await.unwrap();
        assert_eq!(text(answer.unwrap()).await, said);
    }
}

//! Clients that send too much, too slowly, or do not read.

use super::*;

fn short() -> Limits {
    Limits {
        header_timeout: Duration::from_millis(200),
        idle_timeout: Duration::from_millis(200),
        stall_timeout: Duration::from_millis(300),
        ..Limits::default()
    }
}

#[tokio::test]
async fn silent_and_dripping_heads_are_closed() {
    let server = start(short(), echo).await;
    // Nothing; part of a preface; a head without its end; a preface and then nothing.
    for sent in ["", "PRI * HT", "GET / HTTP/1.1\r\nhost: x\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
        let answer = raw(server.addr, sent.as_bytes()).await;
        assert!(!answer.contains("HTTP/1.1"), "{answer}");
    }
    // A drip does not extend the time.
    let mut stream = TcpStream::connect(server.addr).await.unwrap();
    let drip = async {
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        while stream.write_all(b"a").await.is_ok() {
            tick.tick().await;
        }
    };
    timeout(PATIENCE, drip).await.expect("a dripping head is never cut");
}

#[tokio::test]
async fn idle_connections_are_closed_and_busy_ones_are_not() {
    let server = start(short(), |request: Request<Body>| async move {
        if request.uri().path() == "/slow" {
            tokio::time::sleep(Duration::from_millis(700)).await;
        }
        echo(request).await
    })
    .await;
    // One after the other: waiting for its turn, the second would itself be idle.
    assert_eq!(text(Client::one(server.addr).await.post("/slow", "").await.unwrap()).await, "POST /slow 0");
    assert_eq!(text(Client::two(server.addr).await.post("/slow", "").await.unwrap()).await, "POST /slow 0");
    let mut stream = TcpStream::connect(server.addr).await.unwrap();
    stream.write_all(b"GET /a HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    assert!(until_closed(&mut stream).await.ends_with("GET /a 0"));
}

#[tokio::test]
async fn a_slow_body_is_refused_in_json() {
    let server = start(Limits::default(), echo).await;
    let answer = raw(server.addr, b"POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nsome").await;
    let (status, body) = json_error(&answer);
    assert_eq!((status, body["message"].as_str().unwrap()), (400, "the request body did not arrive in time"));

    // Nor does a drip below the least progress keep it open.
    let (mut read, mut write) = TcpStream::connect(server.addr).await.unwrap().into_split();
    write.write_all(b"POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n").await.unwrap();
    let drip = tokio::spawn(async move {
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        while write.write_all(b"a").await.is_ok() {
            tick.tick().await;
        }
    });
    let mut answer = vec![0; 4096];
    let n = timeout(PATIENCE, read.read(&mut answer)).await.unwrap().unwrap();
    assert_eq!(json_error(&String::from_utf8_lossy(&answer[..n])).0, 400);
    drip.abort();
}

#[tokio::test]
async fn a_body_over_the_limit_gets_its_413_while_it_is_still_being_sent() {
    let server = start(Limits::default(), echo).await;
    for mut client in Client::both(server.addr).await {
        let response = client.post("/a", vec![b'x'; 1_000_001]).await.unwrap();
        assert_eq!(response.status(), 413);
        assert!(text(response).await.contains("too large"));
    }
    // As Python does it: write all of it first, then read. Without lingering this ends in a reset.
    let mut stream = TcpStream::connect(server.addr).await.unwrap();
    stream.write_all(b"POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 30000000\r\n\r\n").await.unwrap();
    stream.write_all(&vec![b'x'; 30_000_000]).await.unwrap();
    assert_eq!(json_error(&until_closed(&mut stream).await).0, 413);
    // Without a Content-Length it is noticed when it happens.
    let mut stream = TcpStream::connect(server.addr).await.unwrap();
    stream.write_all(b"POST /a HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n").await.unwrap();
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    for _ in 0..40 {
        stream.write_all(chunk.as_bytes()).await.unwrap();
    }
    assert_eq!(json_error(&until_closed(&mut stream).await).0, 413);
}

#[tokio::test]
async fn bodies_share_one_memory() {
    let limits = Limits { body_memory: 1024 * 1024, ..Limits::default() };
    let holding = Alive::default();
    let release = CancellationToken::new();
    let server = start(limits, {
        let (holding, release) = (holding.clone(), release.clone());
        move |request: Request<Body>| {
            let (holding, release) = (holding.clone(), release.clone());
            async move {
                match collect(request.into_body(), 2_000_000, PATIENCE).await {
                    Ok(bytes) => {
                        let _life = holding.new_life();
                        release.cancelled().await;
                        Response::new(Body::full(bytes.len().to_string()))
                    }
                    Err(error) => refusal(crate::doors::Speaks::Aws, outcrop_api::Kind::Throttling, &error.to_string()),
                }
            }
        }
    })
    .await;
    let mut first = Client::two(server.addr).await;
    let first = tokio::spawn(async move { text(first.post("/", vec![0; 900_000]).await.unwrap()).await });
    holding.becomes(1).await;
    let mut second = Client::two(server.addr).await;
    assert_eq!(second.post("/", vec![0; 900_000]).await.unwrap().status(), 429);
    release.cancel();
    assert_eq!(first.await.unwrap(), "900000");
    assert_eq!(second.post("/", vec![0; 900_000]).await.unwrap().status(), 200);
}

/// A body that goes on for ever, and dies with its connection.
fn endless(alive: &Alive) -> Response<Body> {
    let life = alive.new_life();
    Response::new(Body::stream(futures_util::stream::repeat_with(move || {
        let _ = &life;
        Ok(Bytes::from_static(&[b'z'; 16 * 1024]))
    })))
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut() {
    let alive = Alive::default();
    let server = start(short(), {
        let alive = alive.clone();
        move |_| {
            let response = endless(&alive);
            async { response }
        }
    })
    .await;
    let mut one = TcpStream::connect(server.addr).await.unwrap();
    one.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    alive.becomes(1).await;
    alive.becomes(0).await;

    // The flow-control window of HTTP/2 stays shut, the socket itself does not.
    let mut two = Client::two(server.addr).await;
    let held = two.post("/", "").await.unwrap();
    alive.becomes(1).await;
    alive.becomes(0).await;
    drop(held);
}

#[tokio::test]
async fn a_large_answer_is_let_go_when_it_is_not_read() {
    let server = start(short(), |_| async { Response::new(Body::full(vec![b'q'; 32 * 1024 * 1024])) }).await;
    let mut one = TcpStream::connect(server.addr).await.unwrap();
    one.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut two = Client::two(server.addr).await;
    let held = two.post("/", "").await.unwrap();
    // Shutting down waits for every connection: it can only be quick if both were cut.
    server.shutdown.cancel();
    timeout(PATIENCE, server.task).await.expect("an unread answer is held").unwrap();
    drop(held);
}

#[tokio::test]
async fn too_many_requests_are_throttled_and_health_is_not() {
    let holding = Alive::default();
    let limits = Limits { requests: 1, ..Limits::default() };
    let server = start(limits, {
        let holding = holding.clone();
        move |request: Request<Body>| {
            let holding = holding.clone();
            async move {
                if request.uri().path() == "/hold" {
                    let _life = holding.new_life();
                    std::future::pending::<()>().await;
                }
                echo(request).await
            }
        }
    })
    .await;
    let mut holder = Client::two(server.addr).await;
    let held = tokio::spawn(async move { holder.post("/hold", "").await });
    holding.becomes(1).await;
    for mut client in Client::both(server.addr).await {
        let response = client.post("/outcrop/health", "").await.unwrap();
        assert_eq!(response.status(), 200);
        text(response).await;
        let response = client.post("/a", "").await.unwrap();
        assert_eq!(
            (response.status().as_u16(), &response.headers()["x-amzn-errortype"]),
            (429, &"ThrottlingException".parse().unwrap())
        );
    }
    held.abort();
    holding.becomes(0).await;
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_and_idle_ones_make_room() {
    let server = start(Limits { connections: 2, ..Limits::default() }, echo).await;
    let mut idle = Vec::new();
    for _ in 0..2 {
        let mut client = Client::one(server.addr).await;
        text(client.post("/a", "").await.unwrap()).await;
        idle.push(client);
    }
    let mut third = Client::one(server.addr).await;
    assert_eq!(text(third.post("/b", "").await.unwrap()).await, "POST /b 0");
}

//! Who goes away stops costing anything.

use super::*;

async fn holding_server() -> (Server, Alive) {
    let alive = Alive::default();
    let server = start(Limits::default(), {
        let alive = alive.clone();
        move |request: Request<Body>| {
            let alive = alive.clone();
            async move {
                let life = alive.new_life();
                match request.uri().path() {
                    "/handler" => {
                        let _life = life;
                        std::future::pending().await
                    }
                    "/channel" => {
                        let (sender, body) = channel();
                        tokio::spawn(async move {
                            let _life = life;
                            sender.send(Bytes::from_static(b"first")).await.unwrap();
                            sender.closed().await;
                        });
                        Response::new(body)
                    }
                    _ => {
                        let mut first = Some(Ok(Bytes::from_static(b"first")));
                        Response::new(Body::stream(futures_util::stream::poll_fn(move |_| {
                            let _ = &life;
                            first.take().map_or(std::task::Poll::Pending, |piece| std::task::Poll::Ready(Some(piece)))
                        })))
                    }
                }
            }
        }
    })
    .await;
    (server, alive)
}

#[tokio::test]
async fn a_closed_http1_connection_drops_the_handler() {
    let (server, alive) = holding_server().await;
    for path in ["/handler", "/channel", "/stream"] {
        let mut stream = TcpStream::connect(server.addr).await.unwrap();
        stream
            .write_all(format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{{}}").as_bytes())
            .await
            .unwrap();
        alive.becomes(1).await;
        if path != "/handler" {
            let mut byte = [0];
            timeout(PATIENCE, stream.read_exact(&mut byte)).await.unwrap().unwrap();
        }
        drop(stream);
        alive.becomes(0).await;
    }
}

#[tokio::test]
async fn a_reset_http2_stream_drops_only_its_handler() {
    let (server, alive) = holding_server().await;
    let Client::Two(sender) = Client::two(server.addr).await else { unreachable!() };
    let ask = |path: &str| {
        let mut sender = sender.clone();
        let request = Request::post(format!("http://localhost{path}")).body(Full::new(Bytes::new())).unwrap();
        async move { sender.send_request(request).await }
    };
    let stays = tokio::spawn(ask("/handler"));
    alive.becomes(1).await;
    let goes = tokio::spawn(ask("/handler"));
    alive.becomes(2).await;
    goes.abort();
    alive.becomes(1).await;
    for path in ["/channel", "/stream"] {
        let mut response = timeout(PATIENCE, ask(path)).await.unwrap().unwrap();
        assert_eq!(response.body_mut().frame().await.unwrap().unwrap().into_data().unwrap(), "first");
        alive.becomes(2).await;
        drop(response);
        alive.becomes(1).await;
    }
    assert!(!stays.is_finished());
    stays.abort();
    alive.becomes(0).await;
}

#[tokio::test]
async fn a_closed_http2_connection_drops_everything() {
    let (server, alive) = holding_server().await;
    // A runtime of its own, so that the client can die at once and whole.
    let client = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    client.spawn(async move {
        let Client::Two(sender) = Client::two(server.addr).await else { unreachable!() };
        for path in ["/handler", "/channel", "/stream"] {
            let mut sender = sender.clone();
            let request = Request::post(format!("http://localhost{path}")).body(Full::new(Bytes::new())).unwrap();
            tokio::spawn(async move {
                let response = sender.send_request(request).await;
                if let Ok(response) = response {
                    response.into_body().collect().await.ok();
                }
            });
        }
    });
    alive.becomes(3).await;
    client.shutdown_background();
    alive.becomes(0).await;
}

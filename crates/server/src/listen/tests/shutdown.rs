//! Going down: nothing new, what is open finishes, and not for ever.

use super::*;

/// A stream that ends when told to.
async fn streaming_server(grace: Duration) -> (Server, CancellationToken) {
    let finish = CancellationToken::new();
    let server = start(Limits { grace, ..Limits::default() }, {
        let finish = finish.clone();
        move |_| {
            let finish = finish.clone();
            async move {
                let (sender, body) = channel();
                tokio::spawn(async move {
                    sender.send(Bytes::from_static(b"first,")).await.unwrap();
                    finish.cancelled().await;
                    if sender.send(Bytes::from_static(b"last")).await.is_ok() {
                        sender.send(Bytes::new()).await.ok();
                    }
                });
                Response::new(body)
            }
        }
    })
    .await;
    (server, finish)
}

#[tokio::test]
async fn streams_are_drained() {
    let (server, finish) = streaming_server(PATIENCE).await;
    let mut idle = Client::one(server.addr).await;
    let mut open = Vec::new();
    for mut client in Client::both(server.addr).await {
        let mut response = client.post("/", "").await.unwrap();
        assert_eq!(response.body_mut().frame().await.unwrap().unwrap().into_data().unwrap(), "first,");
        open.push((client, response));
    }
    server.shutdown.cancel();
    // The idle connection is closed, the port is free, and the two streams still run.
    if let Client::One(sender) = &mut idle {
        timeout(PATIENCE, async {
            while sender.ready().await.is_ok() {
                tokio::task::yield_now().await
            }
        })
        .await
        .unwrap();
    }
    timeout(PATIENCE, async { while TcpStream::connect(server.addr).await.is_ok() {} }).await.unwrap();
    assert!(!server.task.is_finished());
    finish.cancel();
    for (_client, response) in open {
        assert_eq!(text(response).await, "last");
    }
    timeout(PATIENCE, server.task).await.expect("the listener did not end").unwrap();
}

#[tokio::test]
async fn the_grace_period_ends() {
    let (server, _finish) = streaming_server(Duration::from_millis(200)).await;
    let mut open = Vec::new();
    for mut client in Client::both(server.addr).await {
        let response = client.post("/", "").await.unwrap();
        open.push((client, response));
    }
    server.shutdown.cancel();
    timeout(PATIENCE, server.task).await.expect("the listener did not end").unwrap();
    for (_client, response) in open {
        assert!(response.into_body().collect().await.is_err(), "a cut stream must not look complete");
    }
}

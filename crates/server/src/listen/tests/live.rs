//! Limits that change under a running listener.

use super::*;

#[tokio::test]
async fn limits_change_under_a_running_listener() {
    let finish = CancellationToken::new();
    let (server, limits) = start_with(Limits { requests: 3, ..Limits::default() }, None, {
        let finish = finish.clone();
        move |request: Request<Body>| {
            let finish = finish.clone();
            async move {
                if request.uri().path() == "/wait" {
                    finish.cancelled().await;
                }
                echo(request).await
            }
        }
    })
    .await;
    let Client::Two(sender) = Client::two(server.addr).await else { unreachable!() };
    let ask = |path: &str| {
        let mut sender = sender.clone();
        let request = Request::post(format!("http://localhost{path}")).body(Full::new(Bytes::new())).unwrap();
        async move { timeout(PATIENCE, sender.send_request(request)).await.unwrap().unwrap().status().as_u16() }
    };
    let waiting: Vec<_> = (0..2).map(|_| tokio::spawn(ask("/wait"))).collect();
    let in_use = async {
        while limits.requests.permits.available_permits() != 1 {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, in_use).await.unwrap();
    assert_eq!(ask("/a").await, 200);

    // Two are open, one is allowed: nothing new until both are gone but one.
    limits.set(Limits { requests: 1, ..Limits::default() });
    let taken = async {
        while limits.requests.permits.available_permits() != 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, taken).await.unwrap();
    assert_eq!(ask("/a").await, 429);
    finish.cancel();
    for one in waiting {
        assert_eq!(one.await.unwrap(), 200);
    }
    let free = async { while ask("/a").await != 200 {} };
    timeout(PATIENCE, free).await.expect("the bound never opens again");
    assert_eq!(limits.requests.permits.available_permits(), 1);

    limits.set(Limits { requests: 5, ..Limits::default() });
    assert_eq!(limits.requests.permits.available_permits(), 5);
}

#[tokio::test]
async fn time_limits_hold_for_connections_that_come_after() {
    let (server, limits) = start_with(Limits::default(), None, echo).await;
    let mut before = TcpStream::connect(server.addr).await.unwrap();
    // Answered once, so that it is surely served by the old limits.
    before.write_all(b"GET /a HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut first = [0; 12];
    before.read_exact(&mut first).await.unwrap();
    let short = Duration::from_millis(500);
    limits.set(Limits { header_timeout: short, idle_timeout: short, ..Limits::default() });
    let mut after = TcpStream::connect(server.addr).await.unwrap();
    after.write_all(b"GET /b HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    assert!(until_closed(&mut after).await.ends_with("GET /b 0"));
    before.write_all(b"GET /c HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    assert!(until_closed(&mut before).await.ends_with("GET /c 0"));
}

use super::{Fault, Options, Upstream, text};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Longer than anything here takes, except what never ends.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a client without any library sees: the bytes until the upstream closes, and how it did.
struct Seen {
    bytes: Vec<u8>,
    end: End,
}

#[derive(Debug, PartialEq)]
enum End {
    Closed,
    Reset,
    /// Nothing more came, and the connection is open.
    Open,
}

async fn ask(upstream: &Upstream, streamed: bool, key: &str) -> Seen {
    ask_for(PATIENCE, upstream, streamed, key).await
}

async fn ask_for(patience: Duration, upstream: &Upstream, streamed: bool, key: &str) -> Seen {
    let address = upstream.url().strip_prefix("http://").unwrap().strip_suffix("/v1").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let body =
        json!({"model": "m", "stream": streamed, "messages": [{"role": "user", "content": "call 7"}]}).to_string();
    let head = format!("POST /v1/chat/completions HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {key}\r\n");
    let request = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    loop {
        match tokio::time::timeout(patience, stream.read_buf(&mut bytes)).await {
            Ok(Ok(0)) => return Seen { bytes, end: End::Closed },
            Ok(Ok(_)) if bytes.len() > 1_000_000 => return Seen { bytes, end: End::Open },
            Ok(Ok(_)) if finished(&bytes) => return Seen { bytes, end: End::Open },
            Ok(Ok(_)) => (),
            Ok(Err(_)) => return Seen { bytes, end: End::Reset },
            Err(_) => return Seen { bytes, end: End::Open },
        }
    }
}

/// Whether the answer has come to the end that it named itself.
fn finished(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    match head.lines().find_map(|line| line.strip_prefix("content-length: ")) {
        Some(length) => body.len() == length.parse::<usize>().unwrap(),
        // The endless one is recognised by how often it said nothing.
        None => body.ends_with("\r\n0\r\n\r\n") || body.matches("\r\n").count() > 20 && !body.contains("data"),
    }
}

impl Seen {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    fn status(&self) -> u16 {
        self.text().split(' ').nth(1).unwrap().parse().unwrap()
    }

    fn json(&self) -> Value {
        serde_json::from_str(self.text().split_once("\r\n\r\n").unwrap().1).unwrap()
    }

    /// The texts of a stream's deltas, joined.
    fn deltas(&self) -> String {
        let events = self.text();
        let chunks = events.lines().filter_map(|line| line.strip_prefix("data: {"));
        let chunks = chunks.filter_map(|chunk| serde_json::from_str::<Value>(&format!("{{{chunk}")).ok());
        chunks.filter_map(|chunk| Some(chunk["choices"][0]["delta"]["content"].as_str()?.to_owned())).collect()
    }
}

#[tokio::test]
async fn a_healthy_one_answers_whole_and_counts() {
    let upstream = Upstream::start(Options::healthy()).await.unwrap();
    let seen = ask(&upstream, false, "k").await;
    assert_eq!(seen.json()["choices"][0]["message"]["content"], text("call 7"));
    let seen = ask(&upstream, true, "k").await;
    assert_eq!(seen.deltas(), text("call 7"));
    assert!(seen.text().contains("data: [DONE]"));
    assert_eq!((upstream.calls(), upstream.whole()), (2, 2));
}

#[tokio::test]
async fn each_fault_breaks_as_it_says() {
    for fault in Fault::ALL {
        for streamed in [false, true] {
            let upstream = Upstream::start(Options { line_bytes: 5_000, ..Options::always(fault) }).await.unwrap();
            // To see that nothing comes is to wait a little.
            let patience = if fault == Fault::Hang { Duration::from_millis(100) } else { PATIENCE };
            let seen = ask_for(patience, &upstream, streamed, "k").await;
            while upstream.broken(fault) == 0 {
                tokio::task::yield_now().await;
            }
            let (text, context) = (seen.text(), format!("{fault:?}, streamed: {streamed}"));
            match fault {
                Fault::Refuse => assert!(seen.end == End::Reset && text.is_empty(), "{context}"),
                Fault::Hang => assert!(seen.end == End::Open && text.is_empty(), "{context}"),
                Fault::Reset => assert_eq!((seen.end, seen.bytes.is_empty()), (End::Reset, false), "{context}"),
                Fault::Throttle => assert!(seen.status() == 429 && !text.contains("retry-after"), "{context}"),
                Fault::ThrottleRetryAfter => {
                    assert!(seen.status() == 429 && text.contains("retry-after: 1\r\n"), "{context}");
                }
                Fault::ServerError => assert_eq!(seen.status(), 500, "{context}"),
                Fault::Malformed => assert!(seen.status() == 200 && !text.contains("that is all"), "{context}"),
                Fault::HalfChunk => assert!(seen.end == End::Closed && !finished(&seen.bytes), "{context}"),
                Fault::WrongType => assert!(text.contains("text/html"), "{context}"),
                Fault::Endless => assert!(seen.end == End::Open && !text.contains("word"), "{context}"),
                Fault::LongLine => assert!(text.contains(&"x".repeat(5_000)), "{context}"),
            }
            assert_eq!((upstream.calls(), upstream.whole(), upstream.broken(fault)), (1, 0, 1), "{context}");
        }
    }
}

#[tokio::test]
async fn a_stream_breaks_after_the_pieces_it_was_told_to_send() {
    let options = Options { pieces_before: 3, ..Options::always(Fault::HalfChunk) };
    let upstream = Upstream::start(options).await.unwrap();
    let seen = ask(&upstream, true, "k").await;
    // The first event has the role alone.
    assert_eq!(seen.deltas(), "You said \"call 7\": word-00");
    assert_eq!(seen.end, End::Closed);
}

#[tokio::test]
async fn another_key_is_refused_and_repeated() {
    let upstream = Upstream::start(Options { key: Some("right".into()), ..Options::healthy() }).await.unwrap();
    let seen = ask(&upstream, false, "wrong-1234").await;
    assert_eq!(seen.status(), 401);
    assert!(seen.json()["error"]["message"].as_str().unwrap().contains("wrong-1234"));
    assert_eq!(ask(&upstream, false, "right").await.status(), 200);
    assert_eq!((upstream.refused(), upstream.whole()), (1, 1));
}

#[test]
fn the_seed_decides_and_the_probability_holds() {
    let options = Options { seed: 5, probability: 0.3, ..Options::default() };
    let drawn: Vec<_> = (0..10_000).map(|call| options.fault(call)).collect();
    assert_eq!(drawn, (0..10_000).map(|call| options.fault(call)).collect::<Vec<_>>());
    let other = Options { seed: 6, ..options };
    assert_ne!(drawn, (0..10_000).map(|call| other.fault(call)).collect::<Vec<_>>());
    let broken = drawn.iter().flatten().count();
    assert!((2_800..3_200).contains(&broken), "{broken}");
    for fault in Fault::ALL {
        let count = drawn.iter().flatten().filter(|drawn| **drawn == fault).count();
        assert!((200..350).contains(&count), "{fault:?}: {count}");
    }
}

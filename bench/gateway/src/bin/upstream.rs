//! The loopback upstream: answers OpenAI chat completions, Anthropic Messages, Bedrock Converse and InvokeModel, whole
//! and streamed, from memory. `--listen ADDRESS`; `PUT /pace/WORDS/MILLISECONDS` says how many words a stream has and
//! how long it waits before each but the first; `GET /served` how many answers went out whole.

use outcrop_bench_gateway::answers::{Answers, Dialect};
use outcrop_bench_gateway::http::Connection;
use outcrop_bench_gateway::{Error, argument};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;

struct Pace {
    answers: Answers,
    gap: Duration,
}

struct Upstream {
    pace: watch::Sender<Arc<Pace>>,
    served: AtomicU64,
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let listener = TcpListener::bind(argument("listen").as_deref().unwrap_or("127.0.0.1:0")).await?;
    println!("listening on {}", listener.local_addr()?);
    let pace = Pace { answers: Answers::new(20)?, gap: Duration::ZERO };
    let upstream = Arc::new(Upstream { pace: watch::Sender::new(Arc::new(pace)), served: AtomicU64::new(0) });
    loop {
        let (stream, _) = listener.accept().await?;
        let upstream = upstream.clone();
        tokio::spawn(async move {
            // A client that goes away in mid-answer is its own affair.
            let _ = serve(&upstream, Connection::new(stream)?).await;
            Ok::<(), Error>(())
        });
    }
}

async fn serve(upstream: &Upstream, mut connection: Connection) -> Result<(), Error> {
    while let Some(request) = connection.request().await? {
        let Some(dialect) = Dialect::of(&request.target) else {
            let answer = control(upstream, &request.target);
            connection.send(&answer).await?;
            continue;
        };
        let streamed = request.target.contains("stream")
            || memchr::memmem::find(&request.body, b"\"stream\":true").is_some()
            || memchr::memmem::find(&request.body, b"\"stream\": true").is_some();
        let pace = upstream.pace.borrow().clone();
        if streamed {
            let pieces = &pace.answers.streamed(dialect).pieces;
            if pace.gap.is_zero() {
                connection.send(&pieces.concat()).await?;
            } else {
                for (at, piece) in pieces.iter().enumerate() {
                    if at > 0 {
                        tokio::time::sleep(pace.gap).await;
                    }
                    connection.send(piece).await?;
                }
            }
        } else {
            connection.send(pace.answers.whole(dialect)).await?;
        }
        upstream.served.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

/// What is not a call of a model: the pace, the count, the list of models that some gateways ask for.
fn control(upstream: &Upstream, target: &str) -> Vec<u8> {
    let parts: Vec<&str> = target.trim_matches('/').split('/').collect();
    let body = match parts.as_slice() {
        ["pace", words, gap] => match (words.parse::<usize>(), gap.parse::<u64>()) {
            (Ok(words @ 1..), Ok(gap)) => match Answers::new(words) {
                Ok(answers) => {
                    upstream.pace.send_replace(Arc::new(Pace { answers, gap: Duration::from_millis(gap) }));
                    "{}".to_owned()
                }
                Err(error) => return failed(&error.to_string()),
            },
            _ => return failed("a pace is /pace/WORDS/MILLISECONDS"),
        },
        ["served"] => format!("{{\"served\":{}}}", upstream.served.load(Ordering::Relaxed)),
        [.., "models"] => r#"{"object":"list","data":[{"id":"bench","object":"model"}]}"#.to_owned(),
        _ => return failed("there is nothing here"),
    };
    format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len())
        .into_bytes()
}

fn failed(why: &str) -> Vec<u8> {
    format!("HTTP/1.1 404 Not Found\r\ncontent-type: text/plain\r\ncontent-length: {}\r\n\r\n{why}", why.len())
        .into_bytes()
}

//! Streams that are slow, cut, split anywhere, or of no use to anybody any more.

use bytes::Bytes;
use futures_util::StreamExt;
use outcrop_api::Kind;
use outcrop_api::bedrock_runtime::ConverseStreamOutput;
use outcrop_providers::{Answer, Cause};
use serde_json::json;

use super::{call, content, converse, events, folded, joined, provider, question, written};
use crate::fake::{Fake, Reply};
use crate::speaks::{Block, Said, Speaks, Stop};

fn long() -> Said {
    let text = "Wide is the water, and slow. ¿Y qué? 🌊🌊 It rises to the wall and falls again by night.";
    let call = Block::Call("call_1", "tide", json!({"port": "Brest \"harbour\""}));
    Said { blocks: vec![Block::Text(text), call], stop: Stop::Tools, ..Said::default() }
}

/// What is there is told, and not when more comes.
pub async fn slow_stream(speaks: &dyn Speaks) {
    let said = long();
    let Block::Text(text) = said.blocks[0] else { panic!() };
    let chunks = speaks.chunks(&said);
    let (reply, feed) = Reply::fed(speaks.stream_type());
    // The first two hold the beginning of the answer: it begins though nothing else ever came.
    chunks[..2].iter().for_each(|chunk| feed.send(Ok(chunk.clone())).unwrap());
    let (_fake, answer) = converse(speaks, reply, question(), true).await;
    let Ok(Answer::Stream { mut events, .. }) = answer else { panic!("no stream") };
    let mut all = vec![events.next().await.unwrap().unwrap()];
    // The text is told though the end is not there.
    let (last, others) = chunks.split_last().unwrap();
    others[2..].iter().for_each(|chunk| feed.send(Ok(chunk.clone())).unwrap());
    let mut told = String::new();
    while told != text {
        all.push(events.next().await.unwrap().unwrap());
        told = all.iter().filter_map(outcrop_dialects::converse::text_delta).collect();
    }
    feed.send(Ok(last.clone())).unwrap();
    drop(feed);
    while let Some(event) = events.next().await {
        all.push(event.unwrap());
    }
    assert_eq!(content(&folded(&all))[0]["text"], text);
}

/// A stream that ends early is told as an error, however it ends and wherever.
pub async fn cut_streams(speaks: &dyn Speaks) {
    let chunks = speaks.chunks(&long());
    // The last events say that the answer is over; without those before them there is no answer.
    for kept in 0..chunks.len() / 2 {
        for reset in [false, true] {
            let some = chunks[..kept].to_vec();
            let reply = if reset {
                Reply::broken(speaks.stream_type(), some)
            } else {
                Reply::pieces(speaks.stream_type(), some)
            };
            let (_fake, answer) = converse(speaks, reply, question(), true).await;
            match answer {
                Err(failure) => assert!(failure.cause.may_pass(), "{kept} {reset}: {failure}"),
                Ok(answer) => {
                    let events = events(answer).await;
                    let (last, before) = events.split_last().unwrap();
                    let fault = last.as_ref().expect_err("an error ends it");
                    assert_eq!(fault.kind, Kind::ModelStreamError, "{kept} {reset}");
                    assert!(before.iter().all(Result::is_ok), "nothing comes behind an error");
                }
            }
        }
    }
    // Half an event.
    let mut bytes = joined(&chunks[..3]);
    bytes.truncate(bytes.len() - 9);
    let (_fake, answer) =
        converse(speaks, Reply::pieces(speaks.stream_type(), [Bytes::from(bytes)]), question(), true).await;
    let failed = match answer {
        Err(failure) => failure.cause == Cause::Broken,
        Ok(answer) => events(answer).await.last().is_some_and(Result::is_err),
    };
    assert!(failed);
}

/// However the network splits the bytes, the events are the same.
pub async fn any_split(speaks: &dyn Speaks) {
    let bytes = Bytes::from(joined(&speaks.chunks(&long())));
    let said = |events: Vec<Result<ConverseStreamOutput, _>>| {
        events.into_iter().map(|event| written(&event.unwrap())).collect::<Vec<_>>()
    };
    let whole = Reply::pieces(speaks.stream_type(), [bytes.clone()]);
    let expected = said(events(converse(speaks, whole, question(), true).await.1.unwrap()).await);
    for size in [1, 2, 3, 7, 64, 1000] {
        let pieces = bytes.chunks(size).map(Bytes::copy_from_slice).collect::<Vec<_>>();
        let (_fake, answer) = converse(speaks, Reply::pieces(speaks.stream_type(), pieces), question(), true).await;
        // Ids that a provider makes would differ; the fakes give their own.
        assert_eq!(said(events(answer.unwrap()).await), expected, "in pieces of {size}");
    }
}

/// A caller who goes away stops the service.
pub async fn dropping_ends_it(speaks: &dyn Speaks) {
    let (reply, feed) = Reply::fed(speaks.stream_type());
    speaks.chunks(&long())[..2].iter().for_each(|chunk| feed.send(Ok(chunk.clone())).unwrap());
    let (_fake, answer) = converse(speaks, reply, question(), true).await;
    assert!(!feed.is_closed());
    drop(answer);
    // Ends only when the connection is closed.
    feed.closed().await;
}

/// One event of 10 MB and more is not collected for ever.
pub async fn line_without_end(speaks: &dyn Speaks) {
    if speaks.stream_type() != "text/event-stream" {
        return;
    }
    let line = Bytes::from(vec![b'x'; 1 << 20]);
    let mut pieces = vec![Bytes::from_static(b"data: ")];
    pieces.extend(std::iter::repeat_n(line, 12));
    let (_fake, answer) = converse(speaks, Reply::pieces(speaks.stream_type(), pieces), question(), true).await;
    assert_eq!(answer.err().expect("a failure").cause, Cause::Broken);
}

/// A service that is not there.
pub async fn nobody_there(speaks: &dyn Speaks) {
    let fake = Fake::start([]).await;
    let url = fake.url();
    drop(fake);
    // Aborted tasks are dropped when the runtime comes to them.
    while tokio::net::TcpStream::connect(url.trim_start_matches("http://")).await.is_ok() {
        tokio::task::yield_now().await;
    }
    let failure = provider(speaks, &url).converse(call(speaks, question(), false)).await.err().expect("a failure");
    assert_eq!(failure.cause, Cause::Unreachable, "{failure}");
    assert!(failure.cause.may_pass() && failure.cause.others_may());
    assert!(!failure.to_string().contains("127.0.0.1"), "{failure}");
}

//! What services refuse, and answers that are none.

use std::time::Duration;

use bytes::Bytes;
use outcrop_api::Kind;
use outcrop_providers::{Answer, Cause};

use super::{converse, events, question};
use crate::fake::Reply;
use crate::speaks::{Block, KEY, Said, Speaks, Trouble};

pub async fn refusals(speaks: &dyn Speaks) {
    for (trouble, cause, kind) in [
        (Trouble::Request("top_q is no parameter"), Cause::Request, Kind::Validation),
        (Trouble::TooLong, Cause::Request, Kind::Validation),
        (Trouble::Key, Cause::Credentials, Kind::ModelError),
        (Trouble::Forbidden, Cause::Credentials, Kind::ModelError),
        (Trouble::NoModel, Cause::NoModel, Kind::ResourceNotFound),
        (Trouble::Throttled(None), Cause::Throttled, Kind::Throttling),
        (Trouble::Throttled(Some(3)), Cause::Throttled, Kind::Throttling),
        (Trouble::Overloaded, Cause::Unavailable, Kind::ServiceUnavailable),
        (Trouble::Failed, Cause::Unavailable, Kind::ServiceUnavailable),
    ] {
        for stream in [false, true] {
            let (_fake, answer) = converse(speaks, speaks.refusal(&trouble), question(), stream).await;
            let failure = answer.err().unwrap_or_else(|| panic!("{trouble:?} is no failure"));
            assert_eq!((failure.cause, failure.fault.kind), (cause, kind), "{trouble:?}: {failure}");
            let seconds = if let Trouble::Throttled(Some(n)) = trouble { Some(u64::from(n)) } else { None };
            assert_eq!(failure.retry_after, seconds.map(Duration::from_secs), "{trouble:?}");
            match &trouble {
                Trouble::Request(why) => assert!(failure.fault.message.contains(why), "{failure}"),
                // What clients look for before they shorten a conversation.
                Trouble::TooLong => assert!(
                    failure.fault.message.contains("Input is too long")
                        || failure.fault.message.contains("prompt is too long"),
                    "{failure}"
                ),
                _ => {}
            }
        }
    }
}

/// Keys that a service repeats go no further.
pub async fn keys_stay_here(speaks: &dyn Speaks) {
    for trouble in [Trouble::Key, Trouble::Request(KEY)] {
        let (_fake, answer) = converse(speaks, speaks.refusal(&trouble), question(), false).await;
        let failure = answer.err().expect("a refusal");
        assert!(!failure.to_string().contains(KEY), "{failure}");
        assert!(!format!("{failure:?}").contains(KEY));
    }
    assert!(!format!("{:?}", speaks.settings("http://127.0.0.1:1")).contains(KEY));
}

/// A refusal in place of the answer lets others try; one in its midst ends the stream.
pub async fn refusal_within_a_stream(speaks: &dyn Speaks) {
    let Some(refusal) = speaks.refusal_within(&Trouble::Overloaded) else { return };
    let reply = Reply::pieces(speaks.stream_type(), [refusal.clone()]);
    let failure = converse(speaks, reply, question(), true).await.1.err().expect("a failure");
    assert_eq!(failure.cause, Cause::Unavailable, "{failure}");

    let said = Said { blocks: vec![Block::Text("High at noon, and low at six.")], ..Said::default() };
    let mut chunks = speaks.chunks(&said)[..3].to_vec();
    chunks.push(refusal);
    let (_fake, answer) = converse(speaks, Reply::pieces(speaks.stream_type(), chunks), question(), true).await;
    let events = events(answer.unwrap()).await;
    let (last, before) = events.split_last().unwrap();
    assert!(before.len() > 1 && before.iter().all(Result::is_ok));
    let fault = last.as_ref().expect_err("an error ends it");
    assert!(matches!(fault.kind, Kind::ServiceUnavailable | Kind::ModelStreamError), "{fault}");
}

/// Answers of success that are none.
pub async fn malformed_answers(speaks: &dyn Speaks) {
    let said = Said { blocks: vec![Block::Text("High.")], ..Said::default() };
    let mut half = speaks.whole(&said);
    half.truncate(half.len() / 2);
    let kind = speaks.whole_type();
    let page = "<html><body>It works!</body></html>";
    for (i, reply) in [
        Reply::whole(kind, half.clone()),
        Reply::whole(kind, "{}"),
        Reply::whole(kind, "null"),
        Reply::whole(kind, "[]"),
        Reply::whole(kind, ""),
        Reply::whole("text/html", page),
        Reply::broken(kind, [half]),
    ]
    .into_iter()
    .enumerate()
    {
        let (_fake, answer) = converse(speaks, reply, question(), false).await;
        let failure = answer.err().unwrap_or_else(|| panic!("answer {i} passed for one"));
        assert_eq!(failure.cause, Cause::Broken, "answer {i}: {failure}");
        assert!(!failure.fault.message.contains("html"), "{failure}");
    }
    for body in [page, "", "{\"choices\": 3}"] {
        let reply = Reply::whole("text/html", body);
        let (_fake, answer) = converse(speaks, reply, question(), true).await;
        assert_eq!(answer.err().expect("a failure").cause, Cause::Broken, "{body}");
    }
    let garbage = Reply::pieces(speaks.stream_type(), [Bytes::from_static(b"data: {\"a\": \n\n")]);
    let (_fake, answer) = converse(speaks, garbage, question(), true).await;
    let failed = match answer {
        Err(failure) => failure.cause == Cause::Broken,
        Ok(answer @ Answer::Stream { .. }) => events(answer).await.last().is_some_and(Result::is_err),
        Ok(Answer::Whole(_)) => false,
    };
    assert!(failed);
}

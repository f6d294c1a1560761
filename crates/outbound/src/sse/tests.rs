use http_body_util::StreamBody;
use proptest::prelude::*;

use super::*;

fn events(text: &[u8], cuts: &[usize], max: usize) -> Result<Vec<Event>, OutboundError> {
    let mut decoder = Decoder::new(max);
    let mut events = Vec::new();
    let mut at = 0;
    for cut in cuts.iter().copied().chain([text.len()]) {
        let cut = cut.clamp(at, text.len());
        decoder.push(Bytes::copy_from_slice(&text[at..cut]));
        at = cut;
        while let Some(event) = decoder.next_event()? {
            events.push(event);
        }
    }
    events.extend(decoder.finish()?);
    Ok(events)
}

fn read(text: &str) -> Vec<(String, String)> {
    let string = |bytes: Bytes| String::from_utf8(bytes.to_vec()).unwrap();
    events(text.as_bytes(), &[], 100).unwrap().into_iter().map(|e| (string(e.name), string(e.data))).collect()
}

fn named(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, data)| ((*name).to_owned(), (*data).to_owned())).collect()
}

#[test]
fn the_standards_own_examples() {
    let first = "data: This is the first message.\n\ndata: This is the second message, it\ndata: has two lines.\n\n\
                 data: This is the third message.\n\n";
    let expected = [
        ("", "This is the first message."),
        ("", "This is the second message, it\nhas two lines."),
        ("", "This is the third message."),
    ];
    assert_eq!(read(first), named(&expected));
    let typed = "event: add\ndata: 73857293\n\nevent: remove\ndata: 2153\n\nevent: add\ndata: 113411\n\n";
    assert_eq!(read(typed), named(&[("add", "73857293"), ("remove", "2153"), ("add", "113411")]));
    let comment = ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n";
    assert_eq!(read(comment), named(&[("", "first event"), ("", "second event"), ("", " third event")]));
    assert_eq!(read("data\n\ndata\ndata\n\ndata:\n\n"), named(&[("", ""), ("", "\n"), ("", "")]));
    assert_eq!(read("data:test\n\ndata: test\n\n"), named(&[("", "test"), ("", "test")]));
}

#[test]
fn lines_end_in_any_way_and_the_last_event_ends_with_the_answer() {
    let expected = named(&[("x", "1\n2"), ("", "3")]);
    for end in ["\n", "\r\n", "\r"] {
        let text = ["event: x", "data: 1", "data: 2", "", "data: 3"].join(end);
        assert_eq!(read(&text), expected, "{end:?}");
        assert_eq!(read(&format!("{text}{end}")), expected, "{end:?}");
        assert_eq!(read(&format!("\u{feff}{text}{end}{end}")), expected, "{end:?}");
    }
}

#[test]
fn what_is_no_field_of_an_event_is_passed_over() {
    assert_eq!(read("datax: 1\n data: 2\nretry: 3\nevent: lost\n\ndata: 4\n\n"), named(&[("", "4")]));
    assert_eq!(read("\n\n\r\n"), named(&[]));
}

#[test]
fn a_line_or_an_event_beyond_the_limit_is_an_error() {
    let line = |length: usize| format!("data: {}\n\n", "x".repeat(length - 6));
    let too_large = Err(OutboundError::EventTooLarge { limit: 20 });
    assert!(events(line(20).as_bytes(), &[], 20).is_ok());
    assert_eq!(events(line(21).as_bytes(), &[], 20), too_large);
    assert_eq!(events(line(21).as_bytes(), &[10], 20), too_large);
    // Before its end is here.
    assert_eq!(events(&[b'x'; 21], &[], 20), too_large);
    assert_eq!(events(b"data: 0123456789\ndata: 0123456789\n\n", &[], 20), too_large);
    assert!(events(b"data: 0123456789\n\ndata: 0123456789\n\n", &[], 20).is_ok());
    // Empty lines count, too.
    assert_eq!(events("data\n".repeat(30).as_bytes(), &[], 20), too_large);
}

#[test]
fn an_event_within_one_piece_is_not_copied() {
    let piece = Bytes::from_static(b"data: hello\n\n");
    let mut decoder = Decoder::new(100);
    decoder.push(piece.clone());
    let event = decoder.next_event().unwrap().unwrap();
    assert_eq!(event.data.as_ptr(), piece[6..].as_ptr());
}

#[tokio::test]
async fn after_an_error_there_is_nothing_more() {
    let pieces = [Ok(http_body::Frame::data(Bytes::from("data: 1\n\ndata: 2"))), Err("cut off")];
    let mut sse = Sse::new(StreamBody::new(futures_util::stream::iter(pieces)), 100);
    assert_eq!(sse.next().await.unwrap().unwrap().data, "1");
    // A half event of a broken answer is none.
    assert_eq!(sse.next().await, Some(Err(OutboundError::Body("cut off".into()))));
    assert_eq!(sse.next().await, None);
}

/// Whatever a line may hold: neither LF nor CR, and no space that would be taken off.
fn value() -> impl Strategy<Value = String> {
    "[^\r\n ][^\r\n]{0,12}|"
}

proptest! {
    #[test]
    fn what_is_written_is_read_wherever_it_is_cut(
        written in prop::collection::vec((value(), prop::collection::vec(value(), 1..4)), 0..6),
        end in prop::sample::select(vec!["\n", "\r\n", "\r"]),
        space in prop::bool::ANY,
        mut cuts in prop::collection::vec(0usize..200, 0..8),
    ) {
        let space = if space { " " } else { "" };
        let mut text = String::new();
        for (name, lines) in &written {
            text.push_str(&format!("event:{space}{name}{end}: a comment{end}"));
            for line in lines {
                text.push_str(&format!("data:{space}{line}{end}"));
            }
            text.push_str(end);
        }
        cuts.sort_unstable();
        let expected: Vec<Event> = written
            .into_iter()
            .map(|(name, lines)| Event { name: name.into(), data: lines.join("\n").into() })
            .collect();
        prop_assert_eq!(events(text.as_bytes(), &cuts, 10_000).unwrap(), expected);
    }

    #[test]
    fn any_bytes_read_the_same_wherever_they_are_cut(
        text in prop::collection::vec(prop::sample::select(b"data:event \r\n\xef\xbb\xbfx".to_vec()), 0..80),
        mut cuts in prop::collection::vec(0usize..80, 0..8),
    ) {
        cuts.sort_unstable();
        prop_assert_eq!(events(&text, &cuts, 30), events(&text, &[], 30));
    }
}

//! Any bytes as server-sent events: wherever they are cut, the reader finds what a reader finds that holds the whole
//! text, and nothing beyond the limit.

use bytes::Bytes;
use outcrop_outbound::{Decoder, Event, OutboundError};

/// The longest line and event.
const MAX: usize = 64;

/// The entry of fuzzer and replay. The first byte is how long the pieces are.
pub fn run(data: &[u8]) {
    let Some((step, text)) = data.split_first() else { return };
    let whole = read(text, text.len().max(1), MAX);
    let cut = read(text, usize::from(*step).max(1), MAX);
    assert_eq!(whole, cut, "cut every {step} bytes");
    if let Ok(events) = &whole {
        assert!(events.iter().all(|event| event.data.len() <= MAX && event.name.len() <= MAX));
    }
    assert_eq!(read(text, usize::from(*step).max(1), text.len()).expect("within the limit"), plainly(text));
}

fn read(text: &[u8], step: usize, max: usize) -> Result<Vec<Event>, OutboundError> {
    let mut decoder = Decoder::new(max);
    let mut events = Vec::new();
    for piece in text.chunks(step) {
        decoder.push(Bytes::copy_from_slice(piece));
        while let Some(event) = decoder.next_event()? {
            events.push(event);
        }
    }
    events.extend(decoder.finish()?);
    Ok(events)
}

/// As the standard puts it, with everything at hand.
fn plainly(text: &[u8]) -> Vec<Event> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut unified = Vec::new();
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b'\n' if at > 0 && text[at - 1] == b'\r' => {}
            b'\r' => unified.push(b'\n'),
            byte => unified.push(*byte),
        }
    }
    let (mut events, mut name, mut data) = (Vec::new(), Vec::new(), Vec::<Vec<u8>>::new());
    // The end of the answer ends an event, too.
    unified.extend_from_slice(b"\n\n");
    for line in unified.split(|byte| *byte == b'\n') {
        let (field, value) = match line.iter().position(|byte| *byte == b':') {
            Some(colon) => (&line[..colon], &line[colon + 1..]),
            None => (line, &[][..]),
        };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            _ if line.is_empty() => {
                if !data.is_empty() {
                    events.push(Event { name: name.clone().into(), data: data.join(&b'\n').into() });
                }
                (name, data) = (Vec::new(), Vec::new());
            }
            b"event" => name = value.to_vec(),
            b"data" => data.push(value.to_vec()),
            _ => {}
        }
    }
    events
}

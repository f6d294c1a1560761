//! Any bytes as what a provider sends: each line an event of its stream, all of them an answer and a refusal. Nothing
//! panics, and a stream that passes for complete tells one message, block by block.

use outcrop_api::bedrock_runtime::ConverseStreamOutput;
use outcrop_dialects::client::ClientDialect;
use outcrop_dialects::{anthropic, cohere, mistral, openai};

const CLIENTS: &[&dyn ClientDialect] = &[
    &anthropic::client::Messages,
    &openai::client::OPENAI_CLIENT,
    &openai::client::SELF_HOSTED_CLIENT,
    &mistral::CLIENT,
    &cohere::client::Chat,
];

/// The entry of fuzzer and replay.
pub fn run(data: &[u8]) {
    for client in CLIENTS {
        let _ = client.answer(data, make_id);
        let _ = client.refusal(400, data);
        let mut reader = client.reader(make_id);
        let mut out = Vec::new();
        let mut lines = data.split(|byte| *byte == b'\n');
        let read = lines.try_for_each(|line| {
            // An event has a name in some formats: what stands before a tab.
            let (name, line) = match line.iter().position(|byte| *byte == b'\t') {
                Some(at) => (std::str::from_utf8(&line[..at]).unwrap_or_default(), &line[at + 1..]),
                None => ("", line),
            };
            reader.event(name, line, &mut out)
        });
        if read.and_then(|()| reader.end(&mut out)).is_ok() {
            complete(client.name(), &out);
        }
    }
}

fn make_id() -> String {
    "tooluse_made".to_owned()
}

fn complete(name: &str, events: &[ConverseStreamOutput]) {
    let [
        ConverseStreamOutput::MessageStart(_),
        blocks @ ..,
        ConverseStreamOutput::MessageStop(_),
        ConverseStreamOutput::Metadata(_),
    ] = events
    else {
        panic!("{name}: {events:?}")
    };
    let mut open = None;
    for event in blocks {
        match event {
            ConverseStreamOutput::ContentBlockStart(start) => {
                assert_eq!(open.replace(start.content_block_index), None, "{name}: {events:?}");
            }
            ConverseStreamOutput::ContentBlockDelta(delta) => {
                assert_eq!(
                    *open.get_or_insert(delta.content_block_index),
                    delta.content_block_index,
                    "{name}: {events:?}"
                );
            }
            ConverseStreamOutput::ContentBlockStop(stop) => {
                assert_eq!(open.take(), Some(stop.content_block_index), "{name}: {events:?}");
            }
            _ => panic!("{name}: {events:?}"),
        }
    }
    assert_eq!(open, None, "{name}: {events:?}");
}

//! What holds for every answer and every body.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail")]

mod support;

use outcrop_api::bedrock_runtime::{ConverseRequest, ConverseStreamOutput, TokenUsage};
use outcrop_dialects::converse::{Fold, text};
use outcrop_dialects::{Dialect, Head, Metrics, NAMES, by_name};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::LazyLock;
use support::says::{self, CHATS, Says};
use support::{accumulated, cases, chat, chats, chunks, files, read, written};

/// `text` cut into pieces at arbitrary characters.
fn pieces(text: &str, cuts: &[prop::sample::Index]) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(chars.len() + 1)).collect();
    at.extend([0, chars.len()]);
    at.sort_unstable();
    at.windows(2).map(|w| chars[w[0]..w[1]].iter().collect()).collect()
}

#[derive(Debug, Clone)]
enum Block {
    Text { text: String, cited: bool },
    Thinking { text: String, signature: Option<String> },
    Redacted(Vec<u8>),
    Tool { name: String, input: Option<Value> },
}

fn block() -> impl Strategy<Value = Block> {
    let input = prop::collection::btree_map("[a-z]{1,4}", leaf(), 0..4).prop_map(|map| json!(map));
    prop_oneof![
        (".{1,20}", any::<bool>()).prop_map(|(text, cited)| Block::Text { text, cited }),
        (".{1,20}", prop::option::of("[a-z]{1,8}")).prop_map(|(text, signature)| Block::Thinking { text, signature }),
        prop::collection::vec(any::<u8>(), 1..8).prop_map(Block::Redacted),
        ("[a-z]{1,8}", prop::option::of(input)).prop_map(|(name, input)| Block::Tool { name, input }),
    ]
}

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter("JSON has no infinity", |x| x.is_finite()).prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ]
}

fn tree() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z_]{1,8}", inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
}

fn delta(index: usize, delta: Value) -> ConverseStreamOutput {
    read(&json!({"contentBlockDelta": {"contentBlockIndex": index, "delta": delta}}))
}

/// The events of an answer of these blocks.
fn events(blocks: &[Block], cuts: &[prop::sample::Index], usage: &Value, stop: &Value) -> Vec<ConverseStreamOutput> {
    use base64::Engine;
    let mut out = vec![read(&json!({"messageStart": {"role": "assistant"}}))];
    for (i, block) in blocks.iter().enumerate() {
        match block {
            Block::Text { text, cited } => {
                out.extend(pieces(text, cuts).into_iter().map(|p| delta(i, json!({"text": p}))));
                if *cited {
                    let at = json!({"documentPage": {"documentIndex": 0, "start": 1, "end": 2}});
                    out.push(delta(i, json!({"citation": {"title": "t", "location": at}})));
                }
            }
            Block::Thinking { text, signature } => {
                let deltas = pieces(text, cuts).into_iter().map(|p| delta(i, json!({"reasoningContent": {"text": p}})));
                out.extend(deltas);
                out.extend(signature.iter().map(|s| delta(i, json!({"reasoningContent": {"signature": s}}))));
            }
            Block::Redacted(bytes) => {
                let (one, two) = bytes.split_at(bytes.len() / 2);
                for part in [one, two] {
                    let part = base64::engine::general_purpose::STANDARD.encode(part);
                    out.push(delta(i, json!({"reasoningContent": {"redactedContent": part}})));
                }
            }
            Block::Tool { name, input } => {
                let tool = json!({"toolUse": {"toolUseId": format!("tooluse_{i}"), "name": name}});
                out.push(read(&json!({"contentBlockStart": {"contentBlockIndex": i, "start": tool}})));
                let text = input.as_ref().map(Value::to_string).unwrap_or_default();
                out.extend(pieces(&text, cuts).into_iter().map(|p| delta(i, json!({"toolUse": {"input": p}}))));
            }
        }
        out.push(read(&json!({"contentBlockStop": {"contentBlockIndex": i}})));
    }
    out.push(read(&json!({"messageStop": stop})));
    out.push(read(&json!({"metadata": {"usage": usage, "metrics": {"latencyMs": 1}}})));
    out
}

fn stop() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!({"stopReason": "end_turn"})),
        Just(json!({"stopReason": "max_tokens"})),
        Just(json!({"stopReason": "content_filtered"})),
        ".{1,6}".prop_map(
            |s| json!({"stopReason": "stop_sequence", "additionalModelResponseFields": {"stop_sequence": s}})
        ),
    ]
}

proptest! {
    #[test]
    fn the_chunks_add_up_to_the_whole_answer(
        blocks in prop::collection::vec(block(), 0..5),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        stop in stop(),
        counts in (1..5000i32, 1..5000i32, prop::option::of(0..5000i32)),
        known in any::<bool>(),
    ) {
        let usage = json!({
            "inputTokens": counts.0, "outputTokens": counts.1, "totalTokens": counts.0 + counts.1,
        });
        let mut usage = usage;
        if let Some(read) = counts.2 {
            usage["cacheReadInputTokens"] = read.into();
        }
        let events = events(&blocks, &cuts, &usage, &stop);
        let mut prompt: TokenUsage = read(&usage);
        if !known {
            prompt = TokenUsage::default();
        }
        let head = Head { model_id: "m".to_owned(), message_id: "i".to_owned(), prompt, ..Head::default() };
        let metrics = Metrics { input_tokens: counts.0, output_tokens: counts.1, ..Metrics::default() };
        let mut fold = Fold::new();
        events.iter().for_each(|event| fold.push(event.clone()));
        let answer = fold.finish().unwrap();
        for name in ["anthropic-messages", "anthropic-api"] {
            let chunks = chunks(chat(name).stream(head.clone()), &events, &metrics);
            prop_assert_eq!(accumulated(&chunks), chat(name).encode(&head, &answer));
            prop_assert!(chunks.last().unwrap()["amazon-bedrock-invocationMetrics"].is_object());
        }
    }

    #[test]
    fn the_chunks_of_a_completion_add_up_to_it(
        blocks in prop::collection::vec(block(), 0..5),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        stop in stop(),
    ) {
        let usage = json!({"inputTokens": 3, "outputTokens": 4, "totalTokens": 7});
        let events = events(&blocks, &cuts, &usage, &stop);
        let metrics = Metrics { input_tokens: 3, output_tokens: 4, ..Metrics::default() };
        for (name, piece, ending) in
            [("openai-chat", "delta", "finish_reason"), ("openai-api", "delta", "finish_reason"), ("mistral-chat", "message", "stop_reason")]
        {
            let chunks = chunks(chat(name).stream(Head::default()), &events, &metrics);
            let mut fold = Fold::new();
            events.iter().for_each(|event| fold.push(event.clone()));
            let whole = chat(name).encode(&Head::default(), &fold.finish().unwrap());
            let (text, calls) = completed(&chunks, piece);
            let message = &whole["choices"][0]["message"];
            prop_assert_eq!(&text, message["content"].as_str().unwrap_or_default(), "{}", name);
            let mut expected = message["tool_calls"].as_array().cloned().unwrap_or_default();
            for call in &mut expected {
                let arguments = call["function"]["arguments"].as_str().unwrap();
                call["function"]["arguments"] = serde_json::from_str(arguments).unwrap();
            }
            prop_assert_eq!(calls, expected, "{}", name);
            let last = chunks.last().unwrap();
            let ended = chunks.iter().rev().find(|chunk| chunk["choices"][0].is_object()).unwrap();
            prop_assert_eq!(&ended["choices"][0][ending], &whole["choices"][0][ending], "{}", name);
            prop_assert_eq!(&last["usage"], &whole["usage"], "{}", name);
        }
    }

    #[test]
    fn the_events_of_a_response_end_with_it(
        blocks in prop::collection::vec(block(), 0..5),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        stop in stop(),
    ) {
        let usage = json!({"inputTokens": 3, "outputTokens": 4, "totalTokens": 7});
        let events = events(&blocks, &cuts, &usage, &stop);
        let metrics = Metrics { input_tokens: 3, output_tokens: 4, ..Metrics::default() };
        let head = Head { message_id: "1".to_owned(), ..Head::default() };
        let chunks = chunks(chat("openai-responses").stream(head.clone()), &events, &metrics);
        let mut fold = Fold::new();
        events.into_iter().for_each(|event| fold.push(event));
        let whole = chat("openai-responses").encode(&head, &fold.finish().unwrap());
        let last = chunks.last().unwrap();
        prop_assert_eq!(&last["response"], &whole);
        prop_assert_eq!(&last["type"], &json!(format!("response.{}", whole["status"].as_str().unwrap())));
        let numbers: Vec<u64> = chunks.iter().map(|c| c["sequence_number"].as_u64().unwrap()).collect();
        prop_assert_eq!(numbers, (0..chunks.len() as u64).collect::<Vec<_>>());
        let done: Vec<&Value> = chunks.iter().filter(|c| c["type"] == "response.output_item.done").map(|c| &c["item"]).collect();
        prop_assert_eq!(json!(done), whole["output"].clone());
        for item in done {
            let of = |kind: &str| -> Vec<&Value> {
                chunks.iter().filter(|c| c["type"] == kind && (c["item"]["id"] == item["id"] || c["item_id"] == item["id"])).collect()
            };
            prop_assert_eq!(of("response.output_item.added").len(), 1, "{}", item);
            let said: String = of("response.output_text.delta").iter().map(|c| c["delta"].as_str().unwrap()).collect();
            if let Some(told) = of("response.output_text.done").first() {
                prop_assert_eq!(&said, told["text"].as_str().unwrap());
                prop_assert_eq!(&said, item["content"][0]["text"].as_str().unwrap());
            }
        }
    }

    #[test]
    fn text_is_the_same_however_it_is_cut(
        answer in ".{1,60}",
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let usage = json!({"inputTokens": 1, "outputTokens": 1, "totalTokens": 2});
        let block = Block::Text { text: answer.clone(), cited: false };
        let events = events(&[block], &cuts, &usage, &json!({"stopReason": "end_turn"}));
        for row in CHATS {
            let chunks = chunks(chat(row.name).stream(Head::default()), &events, &Metrics::default());
            let said: String = chunks.iter().filter_map(|c| c.pointer(row.delta)?.as_str()).collect();
            prop_assert_eq!(&said, &answer, "{}", row.name);
            let metrics: Vec<bool> = chunks.iter().map(|c| c.get("amazon-bedrock-invocationMetrics").is_some()).collect();
            prop_assert_eq!(metrics.iter().position(|m| *m), Some(chunks.len() - 1), "{}", row.name);
        }
        let mut fold = Fold::new();
        events.into_iter().for_each(|event| fold.push(event));
        prop_assert_eq!(text(&fold.finish().unwrap()), answer);
    }

    #[test]
    fn a_conversation_is_the_same_on_the_other_side(seed in conversations()) {
        for (row, conversation) in CHATS.iter().zip(seed) {
            let dialect = chat(row.name);
            let asked: ConverseRequest = read(&conversation);
            let body = dialect.encode_request(&asked);
            let body = body.map_err(|e| TestCaseError::fail(format!("{}: {e}: {conversation}", row.name)))?;
            let once = dialect.decode(body.to_string().as_bytes());
            let once = once.map_err(|e| TestCaseError::fail(format!("{}: {e}: {body}", row.name)))?;
            same(row, &conversation, &written(&once))?;
            let twice = dialect.encode_request(&once).unwrap();
            let twice = dialect.decode(twice.to_string().as_bytes()).unwrap();
            prop_assert_eq!(written(&once), written(&twice), "{}", row.name);
        }
    }

    /// Of any conversation, what cannot be said is refused, never left out.
    #[test]
    fn nothing_is_left_out_in_silence(conversation in says::EVERYTHING.conversation()) {
        let asked: ConverseRequest = read(&conversation);
        for row in CHATS {
            if let Ok(body) = chat(row.name).encode_request(&asked)
                && let Ok(got) = chat(row.name).decode(body.to_string().as_bytes())
            {
                same(row, &conversation, &written(&got))?;
            }
        }
    }

    #[test]
    fn no_bytes_make_a_decoder_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        decode_with_all(&bytes);
    }

    #[test]
    fn no_json_makes_a_decoder_panic(value in tree()) {
        decode_with_all(value.to_string().as_bytes());
    }

    /// Prompts of template marks in any order.
    #[test]
    fn what_a_prompt_is_read_as_it_is_written_as(parts in prop::collection::vec(prop::sample::select(MARKS), 0..14)) {
        let prompt = parts.concat();
        decode_with_all(json!({"prompt": prompt}).to_string().as_bytes());
        decode_with_all(json!({"prompt": prompt, "max_tokens_to_sample": 5}).to_string().as_bytes());
        let images = vec!["iVBORw0KGgo="; prompt.matches("<|image|>").count()];
        decode_with_all(json!({"prompt": prompt, "images": images}).to_string().as_bytes());
    }

    /// A good body with any one of its values replaced.
    #[test]
    fn no_wrong_value_makes_a_decoder_panic(body in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), value in tree()) {
        let mut broken: Value = body.get(&GOOD).clone();
        let mut pointers = Vec::new();
        walk(&broken, String::new(), &mut pointers);
        *broken.pointer_mut(at.get::<String>(&pointers)).unwrap() = value;
        decode_with_all(broken.to_string().as_bytes());
    }
}

/// Adds the chunks of a completion up: its text and its tool calls, their arguments parsed.
fn completed(chunks: &[Value], piece: &str) -> (String, Vec<Value>) {
    let (mut text, mut calls) = (String::new(), Vec::<Value>::new());
    let mut arguments: Vec<String> = Vec::new();
    for chunk in chunks {
        let piece = &chunk["choices"][0][piece];
        text.push_str(piece["content"].as_str().unwrap_or_default());
        for call in piece["tool_calls"].as_array().into_iter().flatten() {
            let index = usize::try_from(call["index"].as_u64().unwrap()).unwrap();
            if index == calls.len() {
                let mut call = call.clone();
                call.as_object_mut().unwrap().remove("index");
                calls.push(call);
                arguments.push(String::new());
            }
            arguments[index].push_str(call["function"]["arguments"].as_str().unwrap());
        }
    }
    for (call, arguments) in calls.iter_mut().zip(arguments) {
        call["function"]["arguments"] = serde_json::from_str(&arguments).unwrap();
    }
    (text, calls)
}

#[test]
fn every_chat_dialect_has_its_row() {
    let rows: Vec<&str> = CHATS.iter().map(|row| row.name).collect();
    let known: Vec<&str> = chats().iter().map(|chat| chat.name()).collect();
    assert_eq!(rows, known);
}

/// The marks of every prompt template, and what may stand between them.
const MARKS: &[&str] = &[
    "a",
    "b c",
    " ",
    "\n",
    "\n\n",
    "\n\nHuman:",
    "\n\nAssistant:",
    "<|begin_of_text|>",
    "<|start_header_id|>",
    "user",
    "assistant",
    "system",
    "<|end_header_id|>",
    "<|eot_id|>",
    "<|start_header_id|>user<|end_header_id|>\n\n",
    "<|start_header_id|>assistant<|end_header_id|>\n\n",
    "<|header_start|>user<|header_end|>\n\n",
    "<|header_start|>assistant<|header_end|>\n\n",
    "<|eot|>",
    "<|image|>",
    "<s>",
    "</s>",
    "[INST]",
    "[/INST]",
    "<<SYS>>",
    "<</SYS>>",
    "<｜begin▁of▁sentence｜>",
    "<｜User｜>",
    "<｜Assistant｜>",
    "<｜end▁of▁sentence｜>",
    "<think>\n",
    "\n</think>\n\n",
];

/// The bodies of the golden files that are no errors.
static GOOD: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let mut all = Vec::new();
    for name in NAMES {
        let kind = match by_name(name) {
            Some(Dialect::Chat(_)) => "decode",
            Some(Dialect::Embedding(_)) => "embed",
            Some(Dialect::Rerank(_)) => "rerank",
            Some(Dialect::Image(_)) => "images",
            None => panic!("{name}"),
        };
        for (_, file) in files(name, kind) {
            all.extend(cases(&file).iter().filter(|c| c.get("error").is_none()).map(|c| c["body"].clone()));
        }
    }
    all
});

/// One conversation for each row of [`CHATS`], of what that dialect can say.
fn conversations() -> Vec<BoxedStrategy<Value>> {
    CHATS.iter().map(Says::conversation).collect()
}

/// What the caller said is said still; defaults may have come to it.
fn same(row: &Says, said: &Value, got: &Value) -> Result<(), TestCaseError> {
    let name = row.name;
    let plain = |v: &Value| if row.ids { v.clone() } else { says::without_ids(v.clone()) };
    let (said, got) = (&plain(said), &plain(got));
    for (pointer, expected) in says::parts(said) {
        prop_assert_eq!(got.pointer(&pointer), Some(&expected), "{}: {} of {} became {}", name, pointer, said, got);
    }
    let more = |key: &str| got.get(key).is_some() && said.get(key).is_none();
    for key in ["system", "toolConfig", "additionalModelRequestFields"] {
        prop_assert!(!more(key), "{}: {} came from nowhere: {}", name, key, got);
    }
    Ok(())
}

fn walk(value: &Value, at: String, out: &mut Vec<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(key, below)| walk(below, format!("{at}/{key}"), out)),
        Value::Array(list) => list.iter().enumerate().for_each(|(i, below)| walk(below, format!("{at}/{i}"), out)),
        _ => {}
    }
    out.push(at);
}

/// What a decoder reads, it can write, and reads again as the same.
fn decode_with_all(body: &[u8]) {
    for name in NAMES {
        match by_name(name) {
            Some(Dialect::Chat(chat)) => {
                let Ok(once) = chat.decode(body) else { continue };
                let twice = chat.encode_request(&once).unwrap().to_string();
                assert_eq!(written(&chat.decode(twice.as_bytes()).unwrap()), written(&once), "{name}");
            }
            Some(Dialect::Embedding(embedding)) => drop(embedding.decode(body)),
            Some(Dialect::Rerank(rerank)) => drop(rerank.decode(body)),
            Some(Dialect::Image(image)) => drop(image.decode(body)),
            None => panic!("{name}"),
        }
    }
}

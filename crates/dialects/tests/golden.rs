//! The documented formats, file by file: `golden/<dialect>/`. Expected texts were written by hand.
//!
//! Every chat dialect has `decode-*` (a body and its Converse request or its refusal), `encode-*` (a Converse request
//! and its body or its refusal) and `stream-*` (events, their chunks and the whole answer); every embedding dialect
//! has `embed-*`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail")]

mod support;

use outcrop_api::bedrock_runtime::{ConverseRequest, ConverseStreamOutput};
use outcrop_dialects::converse::Fold;
use outcrop_dialects::openai::embeddings as embeddings_of_openai;
use outcrop_dialects::{Dialect, NAMES, by_name};
use serde_json::json;
use support::{accumulated, body, cases, chats, chunks, embedding, embeddings, files, head, metrics, read, written};

#[test]
fn requests() {
    for chat in chats() {
        let dialect = chat.name();
        for (name, file) in files(dialect, "decode") {
            for case in cases(&file) {
                match (chat.decode(&body(&case)), case.get("error")) {
                    (Ok(request), None) => {
                        assert_eq!(written(&request), case["converse"], "{dialect}/{name}");
                        let again = chat.encode_request(&request).unwrap().to_string();
                        let again = chat.decode(again.as_bytes()).unwrap();
                        assert_eq!(written(&again), case["converse"], "{dialect}/{name}, written and read again");
                    }
                    (Err(error), Some(text)) => assert_eq!(json!(error.to_string()), *text, "{dialect}/{name}"),
                    (got, _) => panic!("{dialect}/{name}: {case}: {:?}", got.map(|r| written(&r))),
                }
            }
        }
    }
}

#[test]
fn requests_the_other_way() {
    for chat in chats() {
        let dialect = chat.name();
        for (name, file) in files(dialect, "encode") {
            for case in cases(&file) {
                let mut request: ConverseRequest = read(&case["converse"]);
                request.model_id = case["model"].as_str().unwrap_or_default().to_owned();
                match (chat.encode_request(&request), case.get("error")) {
                    (Ok(body), None) => assert_eq!(body, case["body"], "{dialect}/{name}"),
                    (Err(error), Some(text)) => assert_eq!(json!(error.to_string()), *text, "{dialect}/{name}"),
                    (got, _) => panic!("{dialect}/{name}: {case}: {got:?}"),
                }
            }
        }
    }
}

#[test]
fn answers_whole_and_in_chunks() {
    for chat in chats() {
        let dialect = chat.name();
        for (name, file) in files(dialect, "stream") {
            for case in cases(&file) {
                let events: Vec<ConverseStreamOutput> = case["events"].as_array().unwrap().iter().map(read).collect();
                let head = head(&case["head"]);
                let chunks = chunks(chat.stream(head.clone()), &events, &metrics(&case["metrics"]));
                assert_eq!(json!(chunks), case["chunks"], "{dialect}/{name}");

                let mut fold = Fold::new();
                events.into_iter().for_each(|event| fold.push(event));
                let answer = chat.encode(&head, &fold.finish().unwrap());
                assert_eq!(answer, case["body"], "{dialect}/{name}");
                if matches!(dialect, "anthropic-messages" | "anthropic-api") {
                    assert_eq!(accumulated(&chunks), answer, "{dialect}/{name}");
                }
            }
        }
    }
}

#[test]
fn vectors() {
    for embedding in embeddings() {
        let dialect = embedding.name();
        for (name, file) in files(dialect, "embed") {
            for case in cases(&file) {
                match (embedding.decode(&body(&case)), case.get("error")) {
                    (Ok(request), None) => {
                        let asked = &case["request"];
                        let types: Vec<&str> = request.types.iter().map(|t| t.name()).collect();
                        assert_eq!(json!(request.texts), asked["texts"], "{dialect}/{name}");
                        assert_eq!(json!(request.dimensions), asked["dimensions"], "{dialect}/{name}");
                        assert_eq!(json!(request.max_tokens), asked["maxTokens"], "{dialect}/{name}");
                        assert_eq!(json!(request.normalize), asked["normalize"], "{dialect}/{name}");
                        assert_eq!(json!(types), asked.get("types").cloned().unwrap_or(json!([])), "{dialect}/{name}");
                        assert_eq!(
                            request.input_type.map(|t| format!("{t:?}")).as_deref(),
                            asked["inputType"].as_str(),
                            "{dialect}/{name}"
                        );
                        assert_eq!(format!("{:?}", request.truncate), asked["truncate"].as_str().unwrap_or("None"));
                        let vectors: Vec<Vec<f32>> = case["vectors"]
                            .as_array()
                            .unwrap()
                            .iter()
                            .map(|v| v.as_array().unwrap().iter().map(|x| x.as_f64().unwrap() as f32).collect())
                            .collect();
                        let tokens = u32::try_from(case["tokens"].as_u64().unwrap()).unwrap();
                        let id = case["id"].as_str().unwrap_or_default();
                        let answer = embedding.encode(&request, &vectors, tokens, id);
                        assert_eq!(answer, case["answer"], "{dialect}/{name}");
                    }
                    (Err(error), Some(text)) => assert_eq!(json!(error.to_string()), *text, "{dialect}/{name}"),
                    (got, _) => panic!("{dialect}/{name}: {case}: {got:?}"),
                }
            }
        }
    }
}

#[test]
fn limits_of_the_embedding_formats() {
    let cohere = |texts: Vec<String>| {
        let body = json!({"texts": texts, "input_type": "search_document"}).to_string();
        embedding("cohere-embed-v3").decode(body.as_bytes()).map_err(|e| e.to_string())
    };
    assert_eq!(cohere(vec!["é".repeat(2048); 96]).unwrap().texts.len(), 96);
    assert_eq!(
        cohere(vec!["a".to_owned(); 97]).unwrap_err(),
        "Malformed input request: #/texts: expected maximum item count: 96, found: 97, please reformat your input and try again."
    );
    assert_eq!(
        cohere(vec!["a".to_owned(), "é".repeat(2049)]).unwrap_err(),
        "Malformed input request: #/texts/1: expected maxLength: 2048, actual: 2049, please reformat your input and try again."
    );
    let titan = json!({"inputText": "a".repeat(50_001)}).to_string();
    assert_eq!(
        embedding("titan-embed-v2").decode(titan.as_bytes()).unwrap_err().to_string(),
        "Malformed input request: #/inputText: expected maxLength: 50000, actual: 50001, please reformat your input and try again."
    );
}

#[test]
fn every_name_is_a_dialect_of_that_name() {
    for name in NAMES {
        match by_name(name) {
            Some(Dialect::Chat(chat)) => assert_eq!(chat.name(), *name),
            Some(Dialect::Embedding(embedding)) => assert_eq!(embedding.name(), *name),
            None => panic!("{name}"),
        }
    }
    assert!(by_name("novel").is_none());
}

#[test]
fn vectors_of_openai() {
    for (name, file) in files("openai-embeddings", "embed") {
        for case in cases(&file) {
            match (embeddings_of_openai::decode(&body(&case)), case.get("error")) {
                (Ok(asked), None) => {
                    assert_eq!(json!(asked.model), case["model"], "{name}");
                    assert_eq!(json!(asked.request.texts), case["texts"], "{name}");
                    assert_eq!(json!(asked.request.dimensions), case["dimensions"], "{name}");
                    let answer = embeddings_of_openai::encode(&asked, &[vec![0.5, -1.0], vec![0.1, 2.0]], 9);
                    assert_eq!(answer, case["answer"], "{name}");
                }
                (Err(error), Some(text)) => assert_eq!(json!(error.to_string()), *text, "{name}"),
                (got, _) => panic!("{name}: {case}: {got:?}"),
            }
        }
    }
}

//! The documented formats, file by file: `golden/<dialect>/`. Expected texts were written by hand.
//!
//! Every chat dialect has `decode-*` (a body and its Converse request or its refusal), `encode-*` (a Converse request
//! and its body or its refusal) and `stream-*` (events, their chunks and the whole answer); every embedding dialect
//! has `embed-*`, every one that ranks `rerank-*`, every one that draws `images-*`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail")]

mod support;

use outcrop_api::bedrock_runtime::{ConverseRequest, ConverseStreamOutput};
use outcrop_dialects::converse::Fold;
use outcrop_dialects::openai::embeddings as embeddings_of_openai;
use outcrop_dialects::{Dialect, ImageRequest, NAMES, RerankRequest, by_name};
use serde_json::{Value, json};
use support::{
    accumulated, body, cases, chats, chunks, embedding, embeddings, files, head, images, metrics, read, rerankers,
    written,
};

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
fn ranks() {
    for rerank in rerankers() {
        let dialect = rerank.name();
        for (name, file) in files(dialect, "rerank") {
            for case in cases(&file) {
                match (rerank.decode(&body(&case)), case.get("error")) {
                    (Ok(request), None) => {
                        let RerankRequest { query, documents, top_n } = &request;
                        let asked = json!({"query": query, "documents": documents, "topN": top_n});
                        assert_eq!(asked, case["request"], "{dialect}/{name}");
                        let ranks = case["ranks"].as_array().unwrap().iter();
                        let rank = |r: &Value| (r[0].as_u64().unwrap() as usize, r[1].as_f64().unwrap() as f32);
                        let ranks: Vec<(usize, f32)> = ranks.map(rank).collect();
                        assert_eq!(rerank.encode(&request, &ranks), case["answer"], "{dialect}/{name}");
                    }
                    (Err(error), Some(text)) => assert_eq!(json!(error.to_string()), *text, "{dialect}/{name}"),
                    (got, _) => panic!("{dialect}/{name}: {case}: {got:?}"),
                }
            }
        }
    }
}

#[test]
fn pictures() {
    for image in images() {
        let dialect = image.name();
        for (name, file) in files(dialect, "images") {
            for case in cases(&file) {
                match (image.decode(&body(&case)), case.get("error")) {
                    (Ok(request), None) => {
                        assert_eq!(drawn(&request), case["request"], "{dialect}/{name}: {case}");
                        let made: Vec<&[u8]> =
                            case["images"].as_array().unwrap().iter().map(|i| i.as_str().unwrap().as_bytes()).collect();
                        assert_eq!(image.encode(&request, &made), case["answer"], "{dialect}/{name}");
                    }
                    (Err(error), Some(text)) => assert_eq!(json!(error.to_string()), *text, "{dialect}/{name}"),
                    (got, _) => panic!("{dialect}/{name}: {case}: {got:?}"),
                }
            }
        }
    }
}

/// What was asked for, without what was not.
fn drawn(request: &ImageRequest) -> Value {
    let ImageRequest { prompt, negative_prompt, count, size, format, seed, quality, guidance } = request;
    let mut all = json!({
        "prompt": prompt, "negativePrompt": negative_prompt, "count": count, "size": size, "format": format,
        "seed": seed, "quality": quality, "guidance": guidance,
    });
    all.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    all
}

#[test]
fn limits_of_the_formats_that_rank_and_draw() {
    let refused = |case: Value, name: &str| match by_name(name) {
        Some(Dialect::Rerank(rerank)) => rerank.decode(case.to_string().as_bytes()).err().map(|e| e.to_string()),
        Some(Dialect::Image(image)) => image.decode(case.to_string().as_bytes()).err().map(|e| e.to_string()),
        _ => panic!("{name}"),
    };
    let rerank = |n: usize| json!({"query": "a", "documents": vec!["b"; n]});
    assert_eq!(refused(rerank(1000), "amazon-rerank"), None);
    assert_eq!(
        refused(rerank(1001), "amazon-rerank").unwrap(),
        "Malformed input request: #/documents: expected maximum item count: 1000, found: 1001, please reformat your input and try again."
    );
    let drawn = |n: usize| json!({"taskType": "TEXT_IMAGE", "textToImageParams": {"text": "é".repeat(n)}});
    for (name, longest) in [("titan-image", 512), ("nova-canvas", 1024)] {
        assert_eq!(refused(drawn(longest), name), None);
        let text = format!(
            "Malformed input request: #/textToImageParams/text: expected maxLength: {longest}, actual: {}, please reformat your input and try again.",
            longest + 1
        );
        assert_eq!(refused(drawn(longest + 1), name), Some(text));
    }
    assert_eq!(refused(json!({"prompt": "a".repeat(10_000)}), "stability-image"), None);
    assert_eq!(
        refused(json!({"prompt": "a".repeat(10_001)}), "stability-image").unwrap(),
        "Malformed input request: #/prompt: expected maxLength: 10000, actual: 10001, please reformat your input and try again."
    );
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
            Some(Dialect::Rerank(rerank)) => assert_eq!(rerank.name(), *name),
            Some(Dialect::Image(image)) => assert_eq!(image.name(), *name),
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

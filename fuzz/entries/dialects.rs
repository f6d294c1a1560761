//! Any bytes as a body of every dialect: nothing panics, and what a dialect reads it can write and reads again as the
//! same.

use outcrop_api::bedrock_runtime::ConverseRequest;
use outcrop_dialects::{Dialect, NAMES, by_name};
use outcrop_wire::encode;

/// The entry of fuzzer and replay.
pub fn run(data: &[u8]) {
    for name in NAMES {
        match by_name(name) {
            Some(Dialect::Chat(chat)) => {
                let Ok(once) = chat.decode(data) else { continue };
                let body = chat.encode_request(&once).expect("what is read can be written").to_string();
                let twice = chat.decode(body.as_bytes()).expect("what is written can be read");
                assert_eq!(text(&twice), text(&once), "{name}");
            }
            Some(Dialect::Embedding(embedding)) => {
                let Ok(request) = embedding.decode(data) else { continue };
                let vectors: Vec<Vec<f32>> = request.texts.iter().map(|_| vec![0.5, -0.25]).collect();
                assert!(embedding.encode(&request, &vectors, 1, "id").is_object(), "{name}");
            }
            Some(Dialect::Rerank(rerank)) => {
                let Ok(request) = rerank.decode(data) else { continue };
                let ranks: Vec<(usize, f32)> = (0..request.documents.len()).map(|i| (i, 0.5)).collect();
                assert!(rerank.encode(&request, &ranks).is_object(), "{name}");
            }
            Some(Dialect::Image(image)) => {
                let Ok(request) = image.decode(data) else { continue };
                assert!((1..=5).contains(&request.count), "{name}");
                assert!(image.encode(&request, &[b"image"]).is_object(), "{name}");
            }
            None => unreachable!("{name}"),
        }
    }
}

fn text(request: &ConverseRequest) -> String {
    String::from_utf8_lossy(&encode::body(request, Vec::new())).into_owned()
}

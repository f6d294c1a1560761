//! `outcrop kb ask`.

use std::io::Write;

use serde_json::{Value, json};

use crate::args;
use crate::client::Client;
use crate::kb::eval::arn;
use crate::kb::find;
use crate::kb::search::{at, configuration, snippet};
use crate::text::{clean, say};

/// Asks; the answer comes as it is made, then its sources.
pub async fn run(client: &Client, args: &args::KbAsk) -> Result<(), String> {
    let kb = find::one(client, args.which.kb.as_deref()).await?;
    let model = arn(&args.model, client.region());
    let asked = json!({
        "input": {"text": args.question},
        "retrieveAndGenerateConfiguration": {
            "type": "KNOWLEDGE_BASE",
            "knowledgeBaseConfiguration": {
                "knowledgeBaseId": kb.id,
                "modelArn": model,
                "retrievalConfiguration": configuration(&args.which)?,
            },
        },
    });
    if args.json {
        let answer = client.post("/retrieveAndGenerate", &asked).await?;
        return say(&format!("{answer:#}\n"));
    }
    let mut sources: Vec<Value> = Vec::new();
    let mut out = std::io::stdout();
    let path = "/retrieveAndGenerateStream";
    let heard = client.events(path, asked.to_string().into_bytes(), |name, payload| match name {
        "output" => {
            let _ = out.write_all(clean(payload["text"].as_str().unwrap_or_default()).as_bytes());
            let _ = out.flush();
        }
        "citation" => {
            let marks = cited(&mut sources, &payload["retrievedReferences"]);
            let _ = out.write_all(marks.as_bytes());
            let _ = out.flush();
        }
        _ => {}
    });
    heard.await?;
    let mut text = String::from("\n");
    for (n, source) in sources.iter().enumerate() {
        text += &format!("\n[{}] {}\n    {}\n", n + 1, at(source), snippet(source));
    }
    say(&text)
}

/// Adds what is new to the sources; the marks of all that are named, ` [1][3]`.
fn cited(sources: &mut Vec<Value>, references: &Value) -> String {
    let mut marks = String::new();
    for reference in references.as_array().into_iter().flatten() {
        let same = |known: &Value| {
            known["location"] == reference["location"] && known["content"]["text"] == reference["content"]["text"]
        };
        let n = match sources.iter().position(same) {
            Some(n) => n,
            None => {
                sources.push(reference.clone());
                sources.len() - 1
            }
        };
        marks += &format!("{}[{}]", if marks.is_empty() { " " } else { "" }, n + 1);
    }
    marks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_numbered_once() {
        let mut sources = Vec::new();
        let reference = |uri: &str| json!({"location": {"s3Location": {"uri": uri}}, "content": {"text": "t"}});
        assert_eq!(cited(&mut sources, &json!([reference("a"), reference("b")])), " [1][2]");
        assert_eq!(cited(&mut sources, &json!([reference("b")])), " [2]");
        assert_eq!(cited(&mut sources, &json!([])), "");
        assert_eq!(sources.len(), 2);
    }
}

//! `outcrop kb search`, and how passages are shown.

use serde_json::{Value, json};

use crate::args::{self, Mode};
use crate::client::Client;
use crate::kb::find;
use crate::text::{line, say};

/// How much of a passage is shown.
const SNIPPET: usize = 160;

/// Lists what fits.
pub async fn run(client: &Client, args: &args::KbSearch) -> Result<(), String> {
    let kb = find::one(client, args.which.kb.as_deref()).await?;
    let asked = json!({
        "retrievalQuery": {"text": args.text},
        "retrievalConfiguration": configuration(&args.which)?,
    });
    let found = client.post(&client.path(&["knowledgebases", &kb.id, "retrieve"]), &asked).await?;
    if args.json {
        return say(&format!("{found:#}\n"));
    }
    let results = found["retrievalResults"].as_array().map_or(&[][..], Vec::as_slice);
    if results.is_empty() {
        return say("nothing was found\n");
    }
    let mut text = String::new();
    for (n, result) in results.iter().enumerate() {
        let score = result["score"].as_f64().unwrap_or(0.0);
        text += &format!("{:2}. {score:.3}  {}\n    {}\n", n + 1, at(result), snippet(result));
    }
    say(&text)
}

/// The `retrievalConfiguration` of the options.
pub fn configuration(which: &args::KbWhich) -> Result<Value, String> {
    let mut search = json!({"numberOfResults": which.results});
    if let Some(mode) = which.mode {
        search["overrideSearchType"] = match mode {
            Mode::Hybrid => "HYBRID".into(),
            Mode::Semantic => "SEMANTIC".into(),
        };
    }
    if let Some(filter) = &which.filter {
        search["filter"] = serde_json::from_str(filter).map_err(|error| format!("--filter is not JSON: {error}"))?;
    }
    Ok(json!({"vectorSearchConfiguration": search}))
}

/// Where a passage is, on one line: its document, without what every one begins with, and its page, sheet or slide.
pub fn at(result: &Value) -> String {
    let location = &result["location"];
    let uri = ["s3Location", "webLocation", "confluenceLocation", "salesforceLocation", "sharePointLocation"]
        .iter()
        .find_map(|member| location[*member].as_object())
        .and_then(|member| member.get("uri").or_else(|| member.get("url")))
        .or_else(|| location["customDocumentLocation"].get("id"))
        .and_then(Value::as_str)
        .unwrap_or("(no location)");
    let ours = uri.strip_prefix("s3://outcrop-kb-").and_then(|rest| rest.split_once('/'));
    let mut at = line(ours.map_or(uri, |(_, key)| key));
    if let Some(page) = result["metadata"]["x-amz-bedrock-kb-document-page-number"].as_f64() {
        at += &format!(", {} {page:.0}", page_of(uri));
    }
    at
}

/// What a page of such a document is called.
fn page_of(uri: &str) -> &'static str {
    match uri.rsplit('.').next().unwrap_or_default().to_ascii_lowercase().as_str() {
        "xlsx" | "xlsm" | "xlsb" | "xls" | "ods" => "sheet",
        "pptx" => "slide",
        _ => "page",
    }
}

/// The beginning of a passage, on one line.
pub fn snippet(result: &Value) -> String {
    let text = result["content"]["text"].as_str().unwrap_or_default();
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(SNIPPET) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_called_what_its_document_calls_it() {
        let of = |key: &str| {
            at(&json!({"location": {"s3Location": {"uri": format!("s3://outcrop-kb-docs/{key}")}},
                "metadata": {"x-amz-bedrock-kb-document-page-number": 3.0}}))
        };
        assert_eq!(of("a.XLSX"), "a.XLSX, sheet 3");
        assert_eq!(of("a.pptx"), "a.pptx, slide 3");
        assert_eq!(of("xlsx/a.pdf"), "xlsx/a.pdf, page 3");
    }

    #[test]
    fn a_place_names_document_and_page() {
        let result = json!({
            "location": {"type": "S3", "s3Location": {"uri": "s3://outcrop-kb-docs/a/b.pdf"}},
            "metadata": {"x-amz-bedrock-kb-document-page-number": 7.0},
            "content": {"text": "one\n two"},
        });
        assert_eq!(at(&result), "a/b.pdf, page 7");
        assert_eq!(snippet(&result), "one two");
        assert_eq!(at(&json!({"location": {"s3Location": {"uri": "s3://other/b.md"}}})), "s3://other/b.md");
        assert_eq!(at(&json!({"location": {"customDocumentLocation": {"id": "42"}}})), "42");
        // Names may have line breaks in them; what is told of a place has not.
        assert_eq!(at(&json!({"location": {"customDocumentLocation": {"id": "4\n 1. 0.9  2"}}})), "4\\n 1. 0.9  2");
    }
}

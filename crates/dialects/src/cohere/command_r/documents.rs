//! Documents are search results. `snippet` is their first text; every further member is a text `key: value`.

use crate::DialectError;
use crate::body::Node;
use crate::request::no_place;
use outcrop_api::bedrock_runtime::*;
use serde_json::{Map, Value};

pub(super) fn read(list: &Node) -> Result<Vec<ContentBlock>, DialectError> {
    let mut out = Vec::new();
    for (i, node) in list.array()?.iter().enumerate() {
        // Cohere numbers documents without an id in this way.
        let (mut title, mut source, mut snippet) = (String::new(), format!("doc_{i}"), String::new());
        let mut more = Vec::new();
        for key in node.object()?.keys() {
            let Some(value) = node.get(key)? else { continue };
            let text = value.string()?;
            match key.as_str() {
                "title" => title = text.to_owned(),
                "id" => source = text.to_owned(),
                "snippet" => snippet = text.to_owned(),
                key if key.contains(": ") => return Err(node.refuse(format_args!("the key [{key}] contains a colon"))),
                _ => more.push(SearchResultContentBlock { text: format!("{key}: {text}") }),
            }
        }
        let mut content = vec![SearchResultContentBlock { text: snippet }];
        content.extend(more);
        out.push(ContentBlock::SearchResult(SearchResultBlock { source, title, content, citations: None }));
    }
    Ok(out)
}

/// One search result as a document. `at` is its place, for errors. Cohere always cites, so there is nothing to say of
/// citations.
pub(super) fn write(at: &str, found: &SearchResultBlock) -> Result<Value, DialectError> {
    let mut out = Map::new();
    out.insert("id".to_owned(), found.source.clone().into());
    if !found.title.is_empty() {
        out.insert("title".to_owned(), found.title.clone().into());
    }
    for (i, part) in found.content.iter().enumerate() {
        let (key, value) = match part.text.split_once(": ") {
            _ if i == 0 => ("snippet", part.text.as_str()),
            Some(member) => member,
            None => return Err(no_place(format!("{at}.searchResult.content.{i}"))),
        };
        if i == 0 && value.is_empty() {
            continue;
        }
        if out.insert(key.to_owned(), value.into()).is_some() {
            return Err(no_place(format!("{at}.searchResult.content.{i}")));
        }
    }
    Ok(Value::Object(out))
}

/// All search results of the user's turns, as documents.
pub(super) fn of(messages: &[Message]) -> Result<Vec<Value>, DialectError> {
    let mut out = Vec::new();
    for (i, message) in messages.iter().enumerate() {
        for (j, block) in message.content.iter().enumerate() {
            if let ContentBlock::SearchResult(found) = block {
                out.push(write(&format!("messages.{i}.content.{j}"), found)?);
            }
        }
    }
    Ok(out)
}

//! Filters as Qdrant's. Its own comparison of a list with a value asks whether any member fits, and keys are paths to it;
//! so attributes are kept a second time, in a form that has one meaning: `is` has each attribute as `"key":value`,
//! `numbers`, `strings` and `members` (of lists) have pairs.

use serde_json::{Value as Json, json};

use crate::{Filter, Metadata, Value};

/// Before each string, so that a beginning can be looked for as a part.
const BEGIN: char = '\u{1}';

/// An attribute as one string.
fn token(key: &str, value: &Value) -> String {
    format!("{}:{}", json!(key), json!(value))
}

fn begun(value: &str) -> String {
    format!("{BEGIN}{value}")
}

/// What filters look at.
pub(super) fn attributes(metadata: &Metadata) -> Json {
    let (mut is, mut numbers, mut strings, mut members) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (key, value) in metadata {
        is.push(token(key, value));
        match value {
            Value::Number(number) => numbers.push(json!({ "k": key, "v": number })),
            Value::String(string) => strings.push(json!({ "k": key, "v": begun(string) })),
            Value::List(list) => members.extend(list.iter().map(|one| json!({ "k": key, "v": begun(one) }))),
            Value::Boolean(_) => {}
        }
    }
    json!({ "is": is, "numbers": numbers, "strings": strings, "members": members })
}

pub(super) fn of_source(source: &str) -> Json {
    json!({ "must": [{ "key": "source", "match": { "value": source } }] })
}

pub(super) fn of_document(source: &str, document: &str) -> Json {
    let is = |key: &str, value: &str| json!({ "key": key, "match": { "value": value } });
    json!({ "must": [is("source", source), is("document", document)] })
}

/// A pair whose key is this one, and whose value is as said.
fn pair(among: &str, key: &str, value: Option<Json>) -> Json {
    let mut must = vec![json!({ "key": "k", "match": { "value": key } })];
    must.extend(value);
    json!({ "nested": { "key": among, "filter": { "must": must } } })
}

/// A condition that is `filter`.
pub(super) fn condition(filter: &Filter) -> Json {
    let is = |key: &str, value: &Value| json!({ "key": "is", "match": { "value": token(key, value) } });
    let any = |key: &str, of: &[String]| {
        let tokens: Vec<_> = of.iter().map(|one| token(key, &Value::String(one.clone()))).collect();
        json!({ "key": "is", "match": { "any": tokens } })
    };
    let compared =
        |key: &str, how: &str, than: f64| pair("numbers", key, Some(json!({ "key": "v", "range": { how: than } })));
    // A part of nothing is in all.
    let holds = |part: String| (!part.is_empty()).then(|| json!({ "key": "v", "match": { "text": part } }));
    match filter {
        Filter::Equals(key, value) => is(key, value),
        Filter::NotEquals(key, value) => json!({ "must_not": [is(key, value)] }),
        Filter::GreaterThan(key, than) => compared(key, "gt", *than),
        Filter::GreaterThanOrEquals(key, than) => compared(key, "gte", *than),
        Filter::LessThan(key, than) => compared(key, "lt", *than),
        Filter::LessThanOrEquals(key, than) => compared(key, "lte", *than),
        Filter::In(key, of) => any(key, of),
        Filter::NotIn(key, of) => json!({ "must": [pair("strings", key, None)], "must_not": [any(key, of)] }),
        Filter::StartsWith(key, with) => pair("strings", key, holds(begun(with))),
        Filter::ListContains(key, one) => {
            pair("members", key, Some(json!({ "key": "v", "match": { "value": begun(one) } })))
        }
        Filter::StringContains(key, part) => {
            let either = ["strings", "members"].map(|among| pair(among, key, holds(part.clone())));
            json!({ "should": either })
        }
        Filter::All(filters) => json!({ "must": filters.iter().map(condition).collect::<Vec<_>>() }),
        // Nothing to choose from is no choice; an empty `should` would be any.
        Filter::Any(filters) if filters.is_empty() => json!({ "must": [{ "has_id": [] }] }),
        Filter::Any(filters) => json!({ "should": filters.iter().map(condition).collect::<Vec<_>>() }),
    }
}

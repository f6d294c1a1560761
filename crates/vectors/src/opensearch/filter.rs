//! Filters as OpenSearch's. Attributes are kept in a form that needs no mapping of their own, and in which a list is not
//! taken for one of its members: `is` has each as `"key":value`, `strings` and `members` (of lists) as the key and the
//! plain string behind it, `numbers` as pairs.

use serde_json::{Value as Json, json};

use crate::{Filter, Metadata, Value};

/// The longest keyword that Lucene takes is 32,766 bytes; a longer one is compared by its beginning.
const MOST: usize = 32_000;

fn token(key: &str, value: &Value) -> String {
    cut(format!("{}:{}", json!(key), json!(value)))
}

fn string(key: &str, value: &str) -> String {
    cut(format!("{}:{value}", json!(key)))
}

fn cut(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(MOST));
    text
}

/// What filters look at.
pub(super) fn attributes(metadata: &Metadata) -> Json {
    let (mut is, mut numbers, mut strings, mut members) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (key, value) in metadata {
        is.push(token(key, value));
        match value {
            Value::Number(number) => numbers.push(json!({ "k": key, "v": number })),
            Value::String(one) => strings.push(string(key, one)),
            Value::List(list) => members.extend(list.iter().map(|one| string(key, one))),
            Value::Boolean(_) => {}
        }
    }
    json!({ "is": is, "numbers": numbers, "strings": strings, "members": members })
}

/// A condition that is `filter`.
pub(super) fn condition(filter: &Filter) -> Json {
    let term = |field: &str, value: String| json!({ "term": { field: value } });
    let prefix = |value: String| json!({ "prefix": { "outcrop.strings": { "value": value } } });
    let not = |one: Json| json!({ "bool": { "must_not": [one] } });
    let any = |key: &str, of: &[String]| {
        let tokens: Vec<_> = of.iter().map(|one| string(key, one)).collect();
        json!({ "terms": { "outcrop.strings": tokens } })
    };
    let compared = |key: &str, how: &str, than: f64| {
        let both =
            json!([term("outcrop.numbers.k", key.to_owned()), { "range": { "outcrop.numbers.v": { how: than } } }]);
        json!({ "nested": { "path": "outcrop.numbers", "query": { "bool": { "filter": both } } } })
    };
    match filter {
        Filter::Equals(key, value) => term("outcrop.is", token(key, value)),
        Filter::NotEquals(key, value) => not(term("outcrop.is", token(key, value))),
        Filter::GreaterThan(key, than) => compared(key, "gt", *than),
        Filter::GreaterThanOrEquals(key, than) => compared(key, "gte", *than),
        Filter::LessThan(key, than) => compared(key, "lt", *than),
        Filter::LessThanOrEquals(key, than) => compared(key, "lte", *than),
        Filter::In(key, of) => any(key, of),
        Filter::NotIn(key, of) => {
            json!({ "bool": { "filter": [prefix(string(key, ""))], "must_not": [any(key, of)] } })
        }
        Filter::StartsWith(key, with) => prefix(string(key, with)),
        Filter::ListContains(key, one) => term("outcrop.members", string(key, one)),
        Filter::StringContains(key, part) => {
            let pattern = format!("{}*{}*", escaped(&string(key, "")), escaped(part));
            let either = ["outcrop.strings", "outcrop.members"]
                .map(|field| json!({ "wildcard": { field: { "value": pattern } } }));
            json!({ "bool": { "should": either, "minimum_should_match": 1 } })
        }
        Filter::All(filters) if filters.is_empty() => json!({ "match_all": {} }),
        Filter::All(filters) => json!({ "bool": { "filter": filters.iter().map(condition).collect::<Vec<_>>() } }),
        Filter::Any(filters) if filters.is_empty() => json!({ "match_none": {} }),
        Filter::Any(filters) => {
            let each: Vec<_> = filters.iter().map(condition).collect();
            json!({ "bool": { "should": each, "minimum_should_match": 1 } })
        }
    }
}

/// As a wildcard's pattern means it, letter by letter.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '*' | '?' | '\\') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

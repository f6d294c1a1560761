//! Bedrock's `RetrievalFilter` as the index knows it.
//!
//! The guide allows one level of nesting, the service model any: any depth to a fixed bound is taken here, so that no
//! request recurses without end. What is malformed is refused by name; a filter that was ignored would show what it was
//! to hide.

#[cfg(test)]
mod tests;

use outcrop_api::bedrock_agent_runtime::{FilterAttribute, RetrievalFilter};
use outcrop_vectors::{Filter, Value};

use crate::{KnowledgeError, broken, keys};

/// How deep groups may lie in each other.
const DEPTH: usize = 32;
/// How many conditions a filter may have.
const CONDITIONS: usize = 1_000;

/// What a store cannot do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Lacks {
    /// `startsWith`.
    pub prefixes: bool,
    /// `stringContains`.
    pub parts: bool,
}

impl Lacks {
    /// What MANAGED knowledge bases lack.
    pub const MANAGED: Self = Self { prefixes: true, parts: true };

    /// What a declared storage type lacks (the guide's table of metadata filters).
    pub fn of(storage: &str) -> Self {
        match storage {
            "OPENSEARCH_SERVERLESS" => Self::default(),
            "S3_VECTORS" => Self { prefixes: true, parts: true },
            _ => Self { prefixes: true, parts: false },
        }
    }
}

/// The filter as the index knows it.
pub(super) fn filter(given: &RetrievalFilter, lacks: Lacks) -> Result<Filter, KnowledgeError> {
    let mut conditions = 0;
    read(given, lacks, 1, &mut conditions)
}

fn read(given: &RetrievalFilter, lacks: Lacks, depth: usize, count: &mut usize) -> Result<Filter, KnowledgeError> {
    if depth > DEPTH {
        return broken(format!(
            "The filter is nested more than {DEPTH} levels deep. Put its conditions into fewer groups."
        ));
    }
    // Groups are no conditions; each has two at least, so that these bound them.
    *count += usize::from(!matches!(given, RetrievalFilter::AndAll(_) | RetrievalFilter::OrAll(_)));
    if *count > CONDITIONS {
        return broken(format!("The filter has more than {CONDITIONS} conditions. Use fewer, or `in` with a list."));
    }
    Ok(match given {
        RetrievalFilter::AndAll(all) => Filter::All(group("andAll", all, lacks, depth, count)?),
        RetrievalFilter::OrAll(any) => Filter::Any(group("orAll", any, lacks, depth, count)?),
        RetrievalFilter::Equals(given) => Filter::Equals(key(given)?, scalar("equals", given)?),
        RetrievalFilter::NotEquals(given) => Filter::NotEquals(key(given)?, scalar("notEquals", given)?),
        RetrievalFilter::GreaterThan(given) => Filter::GreaterThan(key(given)?, number("greaterThan", given)?),
        RetrievalFilter::GreaterThanOrEquals(given) => {
            Filter::GreaterThanOrEquals(key(given)?, number("greaterThanOrEquals", given)?)
        }
        RetrievalFilter::LessThan(given) => Filter::LessThan(key(given)?, number("lessThan", given)?),
        RetrievalFilter::LessThanOrEquals(given) => {
            Filter::LessThanOrEquals(key(given)?, number("lessThanOrEquals", given)?)
        }
        RetrievalFilter::In(given) => Filter::In(key(given)?, strings("in", given)?),
        RetrievalFilter::NotIn(given) => Filter::NotIn(key(given)?, strings("notIn", given)?),
        RetrievalFilter::StartsWith(_) if lacks.prefixes => return unsupported("startsWith"),
        RetrievalFilter::StartsWith(given) => Filter::StartsWith(key(given)?, string("startsWith", given)?),
        RetrievalFilter::StringContains(_) if lacks.parts => return unsupported("stringContains"),
        RetrievalFilter::StringContains(given) => Filter::StringContains(key(given)?, string("stringContains", given)?),
        RetrievalFilter::ListContains(given) => Filter::ListContains(key(given)?, string("listContains", given)?),
        RetrievalFilter::Unset => {
            return broken(
                "A filter must have exactly one operator, as in {\"equals\": {\"key\": \"year\", \"value\": 2024}}.",
            );
        }
    })
}

fn group(
    name: &str,
    filters: &[RetrievalFilter],
    lacks: Lacks,
    depth: usize,
    count: &mut usize,
) -> Result<Vec<Filter>, KnowledgeError> {
    if filters.len() < 2 {
        return broken(format!("The filter's {name} must have at least 2 filters."));
    }
    filters.iter().map(|filter| read(filter, lacks, depth + 1, count)).collect()
}

/// The attribute that a condition names.
fn key(given: &FilterAttribute) -> Result<String, KnowledgeError> {
    if given.key.starts_with(keys::OWN) {
        return broken(format!("The filter names {}: no filter may name what begins with {}.", given.key, keys::OWN));
    }
    Ok(given.key.clone())
}

fn scalar(name: &str, given: &FilterAttribute) -> Result<Value, KnowledgeError> {
    match &given.value {
        serde_json::Value::String(text) => Ok(Value::String(text.clone())),
        serde_json::Value::Bool(yes) => Ok(Value::Boolean(*yes)),
        serde_json::Value::Number(number) => Ok(Value::Number(number.as_f64().unwrap_or_default())),
        _ => wrong(name, given, "a string, a number or a boolean"),
    }
}

fn number(name: &str, given: &FilterAttribute) -> Result<f64, KnowledgeError> {
    given.value.as_f64().map_or_else(|| wrong(name, given, "a number"), Ok)
}

fn string(name: &str, given: &FilterAttribute) -> Result<String, KnowledgeError> {
    given.value.as_str().map_or_else(|| wrong(name, given, "a string"), |text| Ok(text.to_owned()))
}

fn strings(name: &str, given: &FilterAttribute) -> Result<Vec<String>, KnowledgeError> {
    let list = given.value.as_array().filter(|list| !list.is_empty());
    let texts = list.and_then(|list| list.iter().map(|one| one.as_str().map(str::to_owned)).collect());
    texts.map_or_else(|| wrong(name, given, "a list of strings"), Ok)
}

fn wrong<T>(name: &str, given: &FilterAttribute, wanted: &str) -> Result<T, KnowledgeError> {
    let is = match &given.value {
        serde_json::Value::Null => "null",
        serde_json::Value::Bool(_) => "a boolean",
        serde_json::Value::Number(_) => "a number",
        serde_json::Value::String(_) => "a string",
        serde_json::Value::Array(list) if list.is_empty() => "an empty list",
        serde_json::Value::Array(_) => "a list",
        serde_json::Value::Object(_) => "an object",
    };
    broken(format!("The filter's {name} of {} needs {wanted} as its value, not {is}.", given.key))
}

fn unsupported<T>(name: &str) -> Result<T, KnowledgeError> {
    broken(format!("The {name} filter is not supported by this knowledge base's storage."))
}

//! What a filter means. The operators are those of Bedrock's `RetrievalFilter`.

use crate::{Metadata, Value};

/// A condition on a chunk's attributes.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// The attribute is there and has that value.
    Equals(String, Value),
    /// It has another value, or is not there.
    NotEquals(String, Value),
    /// A number above.
    GreaterThan(String, f64),
    /// A number not below.
    GreaterThanOrEquals(String, f64),
    /// A number below.
    LessThan(String, f64),
    /// A number not above.
    LessThanOrEquals(String, f64),
    /// One of these strings.
    In(String, Vec<String>),
    /// There, and none of these strings.
    NotIn(String, Vec<String>),
    /// A string that begins so.
    StartsWith(String, String),
    /// A list that has the member.
    ListContains(String, String),
    /// A string, or a member of a list, that has this in it.
    StringContains(String, String),
    /// All of them.
    All(Vec<Filter>),
    /// Any of them.
    Any(Vec<Filter>),
}

impl Filter {
    /// Whether a chunk with these attributes passes. What engines must agree with.
    pub fn passes(&self, metadata: &Metadata) -> bool {
        let number = |key: &str| match metadata.get(key) {
            Some(Value::Number(number)) => Some(*number),
            _ => None,
        };
        match self {
            Self::Equals(key, value) => metadata.get(key) == Some(value),
            Self::NotEquals(key, value) => metadata.get(key) != Some(value),
            Self::GreaterThan(key, than) => number(key).is_some_and(|n| n > *than),
            Self::GreaterThanOrEquals(key, than) => number(key).is_some_and(|n| n >= *than),
            Self::LessThan(key, than) => number(key).is_some_and(|n| n < *than),
            Self::LessThanOrEquals(key, than) => number(key).is_some_and(|n| n <= *than),
            Self::In(key, of) => matches!(metadata.get(key), Some(Value::String(s)) if of.contains(s)),
            Self::NotIn(key, of) => matches!(metadata.get(key), Some(Value::String(s)) if !of.contains(s)),
            Self::StartsWith(key, with) => {
                matches!(metadata.get(key), Some(Value::String(s)) if s.starts_with(with.as_str()))
            }
            Self::ListContains(key, member) => {
                matches!(metadata.get(key), Some(Value::List(list)) if list.contains(member))
            }
            Self::StringContains(key, part) => match metadata.get(key) {
                Some(Value::String(s)) => s.contains(part.as_str()),
                Some(Value::List(list)) => list.iter().any(|s| s.contains(part.as_str())),
                _ => false,
            },
            Self::All(filters) => filters.iter().all(|filter| filter.passes(metadata)),
            Self::Any(filters) => filters.iter().any(|filter| filter.passes(metadata)),
        }
    }
}

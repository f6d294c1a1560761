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
        match self {
            Self::All(filters) => filters.iter().all(|filter| filter.passes(metadata)),
            Self::Any(filters) => filters.iter().any(|filter| filter.passes(metadata)),
            one => one.key().is_some_and(|key| one.holds(metadata.get(key))),
        }
    }

    /// The attribute that a single condition is about.
    pub(crate) fn key(&self) -> Option<&str> {
        match self {
            Self::Equals(key, _) | Self::NotEquals(key, _) => Some(key),
            Self::GreaterThan(key, _) | Self::GreaterThanOrEquals(key, _) => Some(key),
            Self::LessThan(key, _) | Self::LessThanOrEquals(key, _) => Some(key),
            Self::In(key, _) | Self::NotIn(key, _) => Some(key),
            Self::StartsWith(key, _) | Self::ListContains(key, _) | Self::StringContains(key, _) => Some(key),
            Self::All(_) | Self::Any(_) => None,
        }
    }

    /// Whether a single condition holds for what its attribute is, or for its absence.
    pub(crate) fn holds(&self, value: Option<&Value>) -> bool {
        let number = match value {
            Some(Value::Number(number)) => Some(*number),
            _ => None,
        };
        match self {
            Self::Equals(_, wanted) => value == Some(wanted),
            Self::NotEquals(_, unwanted) => value != Some(unwanted),
            Self::GreaterThan(_, than) => number.is_some_and(|n| n > *than),
            Self::GreaterThanOrEquals(_, than) => number.is_some_and(|n| n >= *than),
            Self::LessThan(_, than) => number.is_some_and(|n| n < *than),
            Self::LessThanOrEquals(_, than) => number.is_some_and(|n| n <= *than),
            Self::In(_, of) => matches!(value, Some(Value::String(s)) if of.contains(s)),
            Self::NotIn(_, of) => matches!(value, Some(Value::String(s)) if !of.contains(s)),
            Self::StartsWith(_, with) => matches!(value, Some(Value::String(s)) if s.starts_with(with.as_str())),
            Self::ListContains(_, member) => matches!(value, Some(Value::List(list)) if list.contains(member)),
            Self::StringContains(_, part) => match value {
                Some(Value::String(s)) => s.contains(part.as_str()),
                Some(Value::List(list)) => list.iter().any(|s| s.contains(part.as_str())),
                _ => false,
            },
            Self::All(_) | Self::Any(_) => false,
        }
    }
}

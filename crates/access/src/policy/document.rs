//! The JSON of a document, in which a member may come but once: which of two statements counts must not be a guess.

use super::PolicyError;
use outcrop_wire::json::{Error, Number, Reader, Token};
use std::collections::HashSet;

/// A JSON value.
#[derive(Debug)]
pub(super) enum Node {
    Object(Vec<(String, Node)>),
    List(Vec<Node>),
    Text(String),
    /// A number or a boolean, as a condition's value may be.
    Scalar(String),
    Null,
}

/// Reads a whole text. Depth is the reader's to bound.
pub(super) fn read(text: &str) -> Result<Node, PolicyError> {
    let mut reader = Reader::new(text.as_bytes()).map_err(malformed)?;
    let node = node(&mut reader, &mut String::new())?;
    reader.end().map_err(malformed)?;
    Ok(node)
}

fn malformed(error: Error) -> PolicyError {
    PolicyError::syntax("", format!("The text is not JSON: {error}."))
}

fn node(reader: &mut Reader<'_>, path: &mut String) -> Result<Node, PolicyError> {
    Ok(match reader.peek().map_err(malformed)? {
        Token::Object => {
            reader.begin_object().map_err(malformed)?;
            let (mut members, mut seen) = (Vec::new(), HashSet::new());
            while let Some(key) = reader.next_key(members.is_empty()).map_err(malformed)? {
                let key = key.into_owned();
                let length = path.len();
                if length > 0 {
                    path.push('.');
                }
                path.push_str(&key);
                if !seen.insert(key.clone()) {
                    return Err(PolicyError::syntax(path.clone(), "The member is there twice."));
                }
                let value = node(reader, path)?;
                path.truncate(length);
                members.push((key, value));
            }
            Node::Object(members)
        }
        Token::Array => {
            reader.begin_array().map_err(malformed)?;
            let mut items = Vec::new();
            while reader.next_element(items.is_empty()).map_err(malformed)? {
                let length = path.len();
                path.push_str(&format!("[{}]", items.len()));
                items.push(node(reader, path)?);
                path.truncate(length);
            }
            Node::List(items)
        }
        Token::String => Node::Text(reader.string().map_err(malformed)?.into_owned()),
        Token::Boolean => Node::Scalar(reader.boolean().map_err(malformed)?.to_string()),
        Token::Number => Node::Scalar(match reader.number().map_err(malformed)? {
            Number::Whole(n) => n.to_string(),
            Number::Large(n) => n.to_string(),
            Number::Real(n) => n.to_string(),
        }),
        Token::Null => {
            reader.null().map_err(malformed)?;
            Node::Null
        }
    })
}

impl Node {
    /// One text or a list of texts; with `scalars`, numbers and booleans too.
    pub(super) fn texts(&self, path: &str, scalars: bool) -> Result<Vec<&str>, PolicyError> {
        match self {
            Self::List(items) => {
                let item = |(at, item): (usize, &'_ Self)| item.text(scalars).is_none().then_some(at);
                if let Some(at) = items.iter().enumerate().find_map(item) {
                    return Err(PolicyError::syntax(format!("{path}[{at}]"), "A string is expected."));
                }
                Ok(items.iter().filter_map(|item| item.text(scalars)).collect())
            }
            one => match one.text(scalars) {
                Some(text) => Ok(vec![text]),
                None => Err(PolicyError::syntax(path, "A string or a list of strings is expected.")),
            },
        }
    }

    fn text(&self, scalars: bool) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Scalar(text) if scalars => Some(text),
            _ => None,
        }
    }
}

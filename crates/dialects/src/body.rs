//! Reading a model's own request format out of JSON. Every refusal reads like Bedrock's body validation:
//! `#/messages/0/content: expected type: JSONArray, found: String`.

use crate::DialectError;
use outcrop_wire::json::Reader;
use serde_json::{Map, Value};

type Result<T> = std::result::Result<T, DialectError>;

/// The JSON object that a body holds. Bounded in depth by the reader.
pub fn parse(body: &[u8]) -> Result<Value> {
    let read = || {
        let mut reader = Reader::new(body)?;
        let value = reader.value()?;
        reader.end()?;
        Ok(value)
    };
    read().map_err(|_: outcrop_wire::json::Error| DialectError::NotJson)
}

/// A value and the JSON pointer to it.
#[derive(Debug, Clone)]
pub struct Node<'a> {
    /// The value.
    pub value: &'a Value,
    path: String,
}

impl<'a> Node<'a> {
    /// The whole body.
    pub fn root(value: &'a Value) -> Self {
        Self { value, path: String::new() }
    }

    /// The refusal of this value.
    pub fn refuse(&self, why: impl std::fmt::Display) -> DialectError {
        DialectError::Malformed(format!("#{}: {why}", self.path))
    }

    /// The same place in the words of a model's provider: `messages.0.content`.
    pub fn dotted(&self) -> String {
        self.path.trim_start_matches('/').replace('/', ".")
    }

    fn mismatch<T>(&self, expected: &str) -> Result<T> {
        let found = match self.value {
            Value::Null => "Null",
            Value::Bool(_) => "Boolean",
            Value::Number(n) if n.is_f64() => "Double",
            Value::Number(_) => "Integer",
            Value::String(_) => "String",
            Value::Array(_) => "JSONArray",
            Value::Object(_) => "JSONObject",
        };
        Err(self.refuse(format_args!("expected type: {expected}, found: {found}")))
    }

    /// The object that this is.
    pub fn object(&self) -> Result<&'a Map<String, Value>> {
        self.value.as_object().map_or_else(|| self.mismatch("JSONObject"), Ok)
    }

    /// The string that this is.
    pub fn string(&self) -> Result<&'a str> {
        self.value.as_str().map_or_else(|| self.mismatch("String"), Ok)
    }

    /// The boolean that this is.
    pub fn boolean(&self) -> Result<bool> {
        self.value.as_bool().map_or_else(|| self.mismatch("Boolean"), Ok)
    }

    /// The elements of the array that this is.
    pub fn array(&self) -> Result<Vec<Node<'a>>> {
        let Some(list) = self.value.as_array() else { return self.mismatch("JSONArray") };
        Ok(list.iter().enumerate().map(|(i, value)| Node { value, path: format!("{}/{i}", self.path) }).collect())
    }

    /// The member `key`; `null` counts as absent.
    pub fn get(&self, key: &str) -> Result<Option<Node<'a>>> {
        let value = self.object()?.get(key).filter(|v| !v.is_null());
        Ok(value.map(|value| Node { value, path: format!("{}/{key}", self.path) }))
    }

    /// The member `key`, which must be there.
    pub fn required(&self, key: &str) -> Result<Node<'a>> {
        self.get(key)?.ok_or_else(|| self.refuse(format_args!("required key [{key}] not found")))
    }

    /// Refuses members that the format does not have.
    pub fn only(&self, keys: &[&str]) -> Result<()> {
        match self.object()?.keys().find(|k| !keys.contains(&k.as_str())) {
            Some(key) => Err(self.refuse(format_args!("extraneous key [{key}] is not permitted"))),
            None => Ok(()),
        }
    }

    /// The whole number that this is, between `low` and `high`.
    pub fn integer(&self, low: i64, high: i64) -> Result<i64> {
        let Some(n) = self.value.as_i64() else {
            // Larger than any bound: the text of the bound says more than that of the type.
            if self.value.is_u64() {
                return Err(self.refuse(format_args!("{} is not less or equal to {high}", self.value)));
            }
            return self.mismatch("Integer");
        };
        if n < low {
            return Err(self.refuse(format_args!("{n} is not greater or equal to {low}")));
        }
        if n > high {
            return Err(self.refuse(format_args!("{n} is not less or equal to {high}")));
        }
        Ok(n)
    }

    /// The number that this is, between `low` and `high`.
    pub fn number(&self, low: f64, high: f64) -> Result<f32> {
        let Some(n) = self.value.as_f64() else { return self.mismatch("Number") };
        if n < low {
            return Err(self.refuse(format_args!("{} is not greater or equal to {low}", self.value)));
        }
        if n > high {
            return Err(self.refuse(format_args!("{} is not less or equal to {high}", self.value)));
        }
        Ok(n as f32)
    }

    /// The string that this is, if it is one of `values`.
    pub fn one_of(&self, values: &[&str]) -> Result<&'a str> {
        let text = self.string()?;
        if values.contains(&text) {
            return Ok(text);
        }
        Err(self.refuse(format_args!("{text} is not a valid enum value")))
    }

    /// The whole number that this is, if it is one of `values`.
    pub fn one_of_integers(&self, values: &[u32]) -> Result<u32> {
        let n = self.integer(i64::MIN, i64::MAX)?;
        let found = values.iter().copied().find(|value| i64::from(*value) == n);
        found.ok_or_else(|| self.refuse(format_args!("{n} is not a valid enum value")))
    }

    /// The string that this is, of `low` to `high` characters.
    pub fn text(&self, low: usize, high: usize) -> Result<&'a str> {
        let text = self.string()?;
        // No text has more characters than bytes: the common case does not count.
        let length = if text.len() <= high && text.len() >= low * 4 { low } else { text.chars().count() };
        if length < low {
            return Err(self.refuse(format_args!("expected minLength: {low}, actual: {length}")));
        }
        if length > high {
            return Err(self.refuse(format_args!("expected maxLength: {high}, actual: {length}")));
        }
        Ok(text)
    }

    /// The elements of the array that this is, `low` to `high` of them.
    pub fn items(&self, low: usize, high: usize) -> Result<Vec<Node<'a>>> {
        let items = self.array()?;
        if items.len() < low {
            return Err(self.refuse(format_args!("expected minimum item count: {low}, found: {}", items.len())));
        }
        if items.len() > high {
            return Err(self.refuse(format_args!("expected maximum item count: {high}, found: {}", items.len())));
        }
        Ok(items)
    }

    /// The strings of the array that this is, at most `high` of them.
    pub fn strings(&self, high: usize) -> Result<Vec<String>> {
        self.items(0, high)?.iter().map(|item| item.string().map(str::to_owned)).collect()
    }
}

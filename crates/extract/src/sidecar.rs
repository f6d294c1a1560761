//! `<file>.metadata.json`: what is said about a file beside it.

use serde_json::{Map, Value};

use crate::csv::Table;

/// The largest sidecar, in bytes.
pub const SIDECAR_LIMIT: usize = 10 * 1024;

/// What a sidecar says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sidecar {
    /// Attributes of the file, in their order.
    pub attributes: Vec<Attribute>,
    /// How a file of records is to be read.
    pub records: Option<Records>,
}

/// One attribute.
#[derive(Debug, Clone, PartialEq)]
pub struct Attribute {
    /// Its name.
    pub key: String,
    /// Its value.
    pub value: Typed,
    /// Whether it stands before the text that is embedded.
    pub include_for_embedding: bool,
}

/// A typed value.
#[derive(Debug, Clone, PartialEq)]
pub enum Typed {
    /// `STRING`
    String(String),
    /// `NUMBER`
    Number(f64),
    /// `BOOLEAN`
    Boolean(bool),
    /// `STRING_LIST`
    StringList(Vec<String>),
}

/// `documentStructureConfiguration`: each record is a document of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Records {
    /// The column whose text is searched.
    pub content: String,
    /// The columns that become attributes; empty for all.
    pub include: Vec<String>,
    /// The columns that do not.
    pub exclude: Vec<String>,
}

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its content column.
    pub text: String,
    /// Its other columns, by name.
    pub attributes: Vec<(String, String)>,
}

/// What is wrong with a sidecar, or with a file that does not fit it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SidecarError {
    /// More than [`SIDECAR_LIMIT`].
    #[error("the metadata file has {0} bytes; at most {SIDECAR_LIMIT} are allowed")]
    TooLarge(usize),
    /// Not the shape that the service reads.
    #[error("the metadata file is not valid: {0}")]
    Invalid(String),
    /// A named column is not in the file.
    #[error("the metadata file names the column `{0}`, which the file does not have")]
    NoColumn(String),
}

impl Sidecar {
    /// Reads a sidecar.
    pub fn parse(bytes: &[u8]) -> Result<Self, SidecarError> {
        if bytes.len() > SIDECAR_LIMIT {
            return Err(SidecarError::TooLarge(bytes.len()));
        }
        let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
        let value: Value = serde_json::from_slice(bytes).map_err(|error| invalid(error.to_string()))?;
        let Value::Object(members) = value else { return Err(invalid("it is not a JSON object".into())) };
        let mut sidecar = Self::default();
        match members.get("metadataAttributes") {
            None | Some(Value::Null) => {}
            Some(Value::Object(attributes)) => {
                for (key, value) in attributes {
                    sidecar.attributes.push(attribute(key, value)?);
                }
            }
            Some(_) => return Err(invalid("`metadataAttributes` is not an object".into())),
        }
        match members.get("documentStructureConfiguration") {
            None | Some(Value::Null) => {}
            Some(Value::Object(structure)) => sidecar.records = Some(records(structure)?),
            Some(_) => return Err(invalid("`documentStructureConfiguration` is not an object".into())),
        }
        if members.get("metadataAttributes").is_none() && sidecar.records.is_none() {
            return Err(invalid("it has no member `metadataAttributes`".into()));
        }
        Ok(sidecar)
    }

    /// What stands before each of the file's chunks where they are embedded, and nowhere else.
    pub fn prefix(&self) -> String {
        let chosen = self.attributes.iter().filter(|attribute| attribute.include_for_embedding);
        chosen.map(|attribute| format!("{}: {}\n\n", attribute.key, attribute.value)).collect()
    }
}

impl std::fmt::Display for Typed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::String(value) => f.write_str(value),
            Self::Number(value) => write!(f, "{value}"),
            Self::Boolean(value) => write!(f, "{value}"),
            Self::StringList(values) => f.write_str(&values.join(", ")),
        }
    }
}

impl Records {
    /// The records of a table, each with its text and attributes. Records without text are skipped.
    pub fn of(&self, table: &Table) -> Result<Vec<Record>, SidecarError> {
        let find = |name: &String| {
            table.columns.iter().position(|column| column == name).ok_or_else(|| SidecarError::NoColumn(name.clone()))
        };
        let content = find(&self.content)?;
        for name in self.include.iter().chain(&self.exclude) {
            find(name)?;
        }
        let chosen = |at: usize, column: &String| {
            at != content
                && !column.is_empty()
                && (self.include.is_empty() || self.include.contains(column))
                && !self.exclude.contains(column)
        };
        let mut records = Vec::new();
        for row in &table.rows {
            let Some(text) = row.get(content).filter(|text| !text.is_empty()) else { continue };
            let cells = table.columns.iter().enumerate().filter(|(at, column)| chosen(*at, column));
            let attributes = cells.filter_map(|(at, column)| Some((column.clone(), row.get(at)?.clone())));
            records.push(Record {
                text: text.clone(),
                attributes: attributes.filter(|(_, value)| !value.is_empty()).collect(),
            });
        }
        Ok(records)
    }
}

fn attribute(key: &str, value: &Value) -> Result<Attribute, SidecarError> {
    let Value::Object(members) = value else {
        return Ok(Attribute { key: key.to_owned(), value: simple(key, value)?, include_for_embedding: false });
    };
    let include_for_embedding = match members.get("includeForEmbedding") {
        None | Some(Value::Null) => false,
        Some(Value::Bool(include)) => *include,
        Some(_) => return Err(invalid(format!("`includeForEmbedding` of `{key}` is not a boolean"))),
    };
    let Some(Value::Object(typed)) = members.get("value") else {
        return Err(invalid(format!("`{key}` has no member `value` that is an object")));
    };
    Ok(Attribute { key: key.to_owned(), value: typed_value(key, typed)?, include_for_embedding })
}

fn simple(key: &str, value: &Value) -> Result<Typed, SidecarError> {
    match value {
        Value::String(text) => Ok(Typed::String(text.clone())),
        Value::Number(number) => Ok(Typed::Number(number.as_f64().unwrap_or_default())),
        Value::Bool(value) => Ok(Typed::Boolean(*value)),
        Value::Array(values) => strings(key, values),
        Value::Null | Value::Object(_) => {
            Err(invalid(format!("`{key}` is none of string, number, boolean, list of strings")))
        }
    }
}

fn typed_value(key: &str, typed: &Map<String, Value>) -> Result<Typed, SidecarError> {
    let Some(kind) = typed.get("type").and_then(Value::as_str) else {
        return Err(invalid(format!("the value of `{key}` has no `type`")));
    };
    let member = match kind {
        "STRING" => "stringValue",
        "NUMBER" => "numberValue",
        "BOOLEAN" => "booleanValue",
        "STRING_LIST" => "stringListValue",
        other => {
            return Err(invalid(format!(
                "the type `{other}` of `{key}` is none of STRING, NUMBER, BOOLEAN, STRING_LIST"
            )));
        }
    };
    match (kind, typed.get(member)) {
        ("STRING", Some(Value::String(text))) => Ok(Typed::String(text.clone())),
        ("NUMBER", Some(Value::Number(number))) => Ok(Typed::Number(number.as_f64().unwrap_or_default())),
        ("BOOLEAN", Some(Value::Bool(value))) => Ok(Typed::Boolean(*value)),
        ("STRING_LIST", Some(Value::Array(values))) => strings(key, values),
        _ => Err(invalid(format!("`{key}` is a {kind} without a fitting `{member}`"))),
    }
}

fn strings(key: &str, values: &[Value]) -> Result<Typed, SidecarError> {
    let strings: Option<Vec<String>> = values.iter().map(|value| value.as_str().map(str::to_owned)).collect();
    strings
        .map(Typed::StringList)
        .ok_or_else(|| invalid(format!("the list of `{key}` holds something that is no string")))
}

fn records(structure: &Map<String, Value>) -> Result<Records, SidecarError> {
    const TYPE: &str = "RECORD_BASED_STRUCTURE_METADATA";
    if structure.get("type").and_then(Value::as_str) != Some(TYPE) {
        return Err(invalid(format!("the `type` of `documentStructureConfiguration` is not {TYPE}")));
    }
    let Some(Value::Object(based)) = structure.get("recordBasedStructureMetadata") else {
        return Err(invalid("`documentStructureConfiguration` has no `recordBasedStructureMetadata`".into()));
    };
    let names = |list: Option<&Value>, what: &str| -> Result<Vec<String>, SidecarError> {
        let values = match list {
            None | Some(Value::Null) => return Ok(Vec::new()),
            Some(Value::Array(values)) => values,
            Some(_) => return Err(invalid(format!("`{what}` is not a list"))),
        };
        let name = |value: &Value| value.get("fieldName").and_then(Value::as_str).map(str::to_owned);
        let names: Option<Vec<String>> = values.iter().map(name).collect();
        names.ok_or_else(|| invalid(format!("an element of `{what}` has no `fieldName`")))
    };
    let mut content = names(based.get("contentFields"), "contentFields")?;
    let (Some(only), true) = (content.pop(), content.is_empty()) else {
        return Err(invalid("`contentFields` must hold exactly one field".into()));
    };
    let chosen = based.get("metadataFieldsSpecification");
    let include = names(chosen.and_then(|chosen| chosen.get("fieldsToInclude")), "fieldsToInclude")?;
    let exclude = names(chosen.and_then(|chosen| chosen.get("fieldsToExclude")), "fieldsToExclude")?;
    if let Some(both) = include.iter().find(|name| exclude.contains(name)) {
        return Err(invalid(format!("`{both}` is in both `fieldsToInclude` and `fieldsToExclude`")));
    }
    Ok(Records { content: only, include, exclude })
}

fn invalid(reason: String) -> SidecarError {
    SidecarError::Invalid(reason)
}

#[cfg(test)]
mod tests;

//! What is said of a document beside it: a sidecar file, or attributes in a call.

#[cfg(test)]
mod tests;

use outcrop_api::bedrock_agent::{MetadataAttribute, MetadataValueType};
use outcrop_vectors::{Metadata, Value};
use serde::Deserialize;
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use crate::keys;

/// The most bytes of a sidecar (user guide).
pub(crate) const MAX_SIDECAR: u64 = 10 * 1024;

/// What a sidecar says.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Sidecar {
    /// The document's attributes.
    pub attributes: Metadata,
    /// What of them is put before the text that is embedded, and only there.
    pub embedded: String,
    /// How a file of records is read, where it is one document a row.
    pub records: Option<Records>,
}

/// Which columns of a file of records are text and which are attributes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Records {
    /// The column that is text.
    pub content: String,
    /// The columns that are attributes; all others where none is named.
    pub include: Vec<String>,
    /// Those that are not.
    pub exclude: Vec<String>,
}

#[derive(Deserialize)]
struct File {
    #[serde(default, rename = "metadataAttributes")]
    attributes: serde_json::Map<String, Json>,
    #[serde(default, rename = "documentStructureConfiguration")]
    structure: Option<Structure>,
}

#[derive(Deserialize)]
struct Structure {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default, rename = "recordBasedStructureMetadata")]
    records: Option<Told>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    content_fields: Vec<Field>,
    #[serde(default)]
    metadata_fields_specification: Specification,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Specification {
    fields_to_include: Vec<Field>,
    fields_to_exclude: Vec<Field>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Field {
    field_name: String,
}

/// Why a sidecar that is too long was not read.
pub(crate) fn too_large() -> String {
    format!("the metadata file has more than the {MAX_SIDECAR} bytes that it may have")
}

impl Sidecar {
    /// Reads a sidecar; what is wrong with it, for people, where something is.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, String> {
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        let file: File =
            serde_json::from_slice(bytes).map_err(|error| format!("the metadata file is invalid: {error}"))?;
        let mut sidecar = Self::default();
        for (key, told) in &file.attributes {
            let (value, embedded) =
                value(told).map_err(|why| format!("the metadata file is invalid: the attribute {key} {why}"))?;
            sidecar.put(key, value, embedded);
        }
        if let Some(structure) = file.structure {
            sidecar.records = Some(records(structure)?);
        }
        Ok(sidecar)
    }

    /// Attributes that came with a call.
    pub(crate) fn inline(told: &[MetadataAttribute]) -> Result<Self, String> {
        let mut sidecar = Self::default();
        for attribute in told {
            let value = &attribute.value;
            let found = match value.r#type {
                MetadataValueType::Boolean => value.boolean_value.map(Value::Boolean),
                MetadataValueType::Number => value.number_value.map(Value::Number),
                MetadataValueType::String => value.string_value.clone().map(Value::String),
                MetadataValueType::StringList => value.string_list_value.clone().map(Value::List),
                MetadataValueType::Unlisted(_) => None,
            };
            let kind = value.r#type.as_str();
            let found =
                found.ok_or_else(|| format!("An inline attribute of type {kind} has no value of that type."))?;
            sidecar.put(&attribute.key, found, false);
        }
        Ok(sidecar)
    }

    /// What it puts into the text that is embedded, as a mark; none where it has a say in how the document is read.
    pub(crate) fn mark(&self) -> Option<String> {
        let hash = Sha256::digest(&self.embedded);
        self.records.is_none().then(|| hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect())
    }

    fn put(&mut self, key: &str, value: Value, embedded: bool) {
        if embedded {
            self.embedded.push_str(&format!("{key}: {}\n\n", text(&value)));
        }
        // What the server itself says of a chunk nobody overrides.
        if keys::free(key) {
            self.attributes.insert(key.to_owned(), value);
        }
    }
}

/// `"v"`, or `{"value": {"type": …, "stringValue": …}, "includeForEmbedding": …}`.
fn value(told: &Json) -> Result<(Value, bool), &'static str> {
    let Json::Object(whole) = told else { return Ok((simple(told)?, false)) };
    let typed = whole.get("value").and_then(Json::as_object).ok_or("has no value")?;
    let member = match typed.get("type").and_then(Json::as_str) {
        Some("STRING") => "stringValue",
        Some("NUMBER") => "numberValue",
        Some("BOOLEAN") => "booleanValue",
        Some("STRING_LIST") => "stringListValue",
        _ => return Err("has no type of STRING, NUMBER, BOOLEAN, STRING_LIST"),
    };
    let found = simple(typed.get(member).ok_or("has no value of its type")?)?;
    let fits = match found {
        Value::String(_) => member == "stringValue",
        Value::Number(_) => member == "numberValue",
        Value::Boolean(_) => member == "booleanValue",
        Value::List(_) => member == "stringListValue",
    };
    if !fits {
        return Err("has no value of its type");
    }
    Ok((found, whole.get("includeForEmbedding").and_then(Json::as_bool).unwrap_or(false)))
}

fn simple(told: &Json) -> Result<Value, &'static str> {
    match told {
        Json::Bool(truth) => Ok(Value::Boolean(*truth)),
        Json::Number(number) => number.as_f64().map(Value::Number).ok_or("is no number"),
        Json::String(text) => Ok(Value::String(text.clone())),
        Json::Array(all) => {
            let strings = all.iter().map(|one| one.as_str().map(str::to_owned)).collect::<Option<_>>();
            strings.map(Value::List).ok_or("is a list of other things than strings")
        }
        Json::Null | Json::Object(_) => Err("is neither a string, a number, a boolean nor a list of strings"),
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Boolean(truth) => truth.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::List(all) => all.join(", "),
    }
}

fn records(structure: Structure) -> Result<Records, String> {
    let bad = |why: &str| Err(format!("the metadata file is invalid: documentStructureConfiguration {why}"));
    if structure.kind != "RECORD_BASED_STRUCTURE_METADATA" {
        return bad("has another type than RECORD_BASED_STRUCTURE_METADATA");
    }
    let Some(told) = structure.records else { return bad("has no recordBasedStructureMetadata") };
    let names = |fields: Vec<Field>| fields.into_iter().map(|field| field.field_name).collect::<Vec<_>>();
    let content = names(told.content_fields);
    let [content] = content.as_slice() else { return bad("must name exactly one content field") };
    let specification = told.metadata_fields_specification;
    let (include, exclude) = (names(specification.fields_to_include), names(specification.fields_to_exclude));
    if let Some(both) = include.iter().find(|name| exclude.contains(name)) {
        return Err(format!("the metadata file is invalid: the field {both} is both included and excluded"));
    }
    Ok(Records { content: content.clone(), include, exclude })
}

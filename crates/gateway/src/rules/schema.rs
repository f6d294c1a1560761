//! `outputConfig`: the schema of a structured answer, in the subset of JSON Schema 2020-12 that the user guide lists.
//! Annotations (`title`, `description`, `default`, `$schema`) are left alone.

use super::{Check, refuse};
use outcrop_api::bedrock_runtime::{OutputConfig, OutputFormatStructure};
use serde_json::Value;
use std::collections::HashSet;

const AT: &str = "outputConfig.textFormat.structure.jsonSchema.schema";
const EFFORTS: [&str; 5] = ["low", "medium", "high", "xhigh", "max"];
/// Constraints on values that a grammar cannot hold.
const REFUSED: [&str; 13] = [
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "not",
    "if",
];
const FORMATS: [&str; 10] =
    ["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"];

pub(super) fn check(output: &OutputConfig) -> Check {
    if let Some(effort) = &output.effort
        && !EFFORTS.contains(&effort.as_str())
    {
        return refuse(format!(
            "The value '{effort}' at outputConfig.effort is invalid. Use one of: {}.",
            EFFORTS.join(", ")
        ));
    }
    let Some(format) = &output.text_format else { return Ok(()) };
    let OutputFormatStructure::JsonSchema(definition) = &format.structure else {
        return refuse("The outputConfig.textFormat.structure field must set jsonSchema.");
    };
    let parsed: Value = match serde_json::from_str(&definition.schema) {
        Ok(value) => value,
        Err(error) => return refuse(format!("The value at {AT} is not valid JSON: {error}.")),
    };
    if !parsed.is_object() {
        return refuse(format!("The value at {AT} must be a JSON object."));
    }
    Walk { root: &parsed, refs: Vec::new(), checked: HashSet::new(), depth: 0 }.schema(&parsed, "")
}

struct Walk<'a> {
    root: &'a Value,
    /// The references that are being followed.
    refs: Vec<&'a str>,
    /// The references that were followed to their end: each only once, or their number could double at every step.
    checked: HashSet<&'a str>,
    depth: u32,
}

/// References can nest deeper than JSON itself may.
const DEEPEST: u32 = 128;

impl<'a> Walk<'a> {
    fn schema(&mut self, schema: &'a Value, at: &str) -> Check {
        if self.depth == DEEPEST {
            return told(at, "it is nested too deeply");
        }
        self.depth += 1;
        let checked = self.one(schema, at);
        self.depth -= 1;
        checked
    }

    fn one(&mut self, schema: &'a Value, at: &str) -> Check {
        if schema.is_boolean() {
            return Ok(());
        }
        let Some(map) = schema.as_object() else { return told(at, "must be an object") };
        for key in REFUSED {
            if map.contains_key(key) {
                return told(at, &format!("'{key}' is not supported"));
            }
        }
        if let Some(extra) = map.get("additionalProperties")
            && *extra != Value::Bool(false)
        {
            return told(at, "'additionalProperties' must be false");
        }
        if let Some(min) = map.get("minItems")
            && !matches!(min.as_u64(), Some(0 | 1))
        {
            return told(at, "'minItems' must be 0 or 1");
        }
        if let Some(format) = map.get("format").and_then(Value::as_str)
            && !FORMATS.contains(&format)
        {
            return told(at, &format!("the format '{format}' is not supported"));
        }
        if let Some(list) = map.get("enum")
            && list.as_array().is_none_or(|list| list.iter().any(|v| v.is_object() || v.is_array()))
        {
            return told(at, "'enum' must be a list of scalars");
        }
        if let Some(reference) = map.get("$ref") {
            self.follow(reference, at)?;
        }
        for (key, below) in map {
            match (key.as_str(), below) {
                ("properties" | "$defs" | "definitions", Value::Object(named)) => {
                    for (name, schema) in named {
                        self.schema(schema, &format!("{at}/{key}/{name}"))?;
                    }
                }
                ("anyOf" | "allOf" | "oneOf" | "prefixItems", Value::Array(list)) => {
                    for (i, schema) in list.iter().enumerate() {
                        self.schema(schema, &format!("{at}/{key}/{i}"))?;
                    }
                }
                ("items", schema) => self.schema(schema, &format!("{at}/items"))?,
                _ => {}
            }
        }
        Ok(())
    }

    fn follow(&mut self, reference: &'a Value, at: &str) -> Check {
        let Some(pointer) = reference.as_str().and_then(|r| r.strip_prefix('#')) else {
            return told(at, "'$ref' must point into the schema itself");
        };
        if pointer.is_empty() || self.refs.contains(&pointer) {
            return told(at, "recursive schemas are not supported");
        }
        let Some(target) = self.root.pointer(pointer) else {
            return told(at, &format!("'$ref' points to '#{pointer}', which is not there"));
        };
        if self.checked.contains(pointer) {
            return Ok(());
        }
        self.refs.push(pointer);
        let checked = self.schema(target, pointer);
        self.refs.pop();
        self.checked.insert(pointer);
        checked
    }
}

fn told(at: &str, what: &str) -> Check {
    let at = if at.is_empty() { "#".to_owned() } else { format!("#{at}") };
    refuse(format!("The JSON schema at {AT} is invalid at {at}: {what}."))
}

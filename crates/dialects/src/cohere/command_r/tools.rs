//! `parameter_definitions` name Python's types, one flat list of parameters a tool; Converse has JSON schema.

use crate::DialectError;
use crate::body::Node;
use crate::request::{no_block, no_place, put};
use outcrop_api::bedrock_runtime::*;
use serde_json::{Map, Value, json};

/// Python's names and those of JSON schema; the first of each is written.
const TYPES: &[(&str, &str)] = &[
    ("str", "string"),
    ("int", "integer"),
    ("float", "number"),
    ("bool", "boolean"),
    ("list", "array"),
    ("dict", "object"),
];

pub(super) fn read(body: &Node) -> Result<Option<ToolConfiguration>, DialectError> {
    let mut tools = Vec::new();
    for tool in body.get("tools")?.map(|t| t.array()).transpose()?.unwrap_or_default() {
        tool.only(&["name", "description", "parameter_definitions"])?;
        let description = tool.get("description")?.map(|d| d.string()).transpose()?;
        let mut properties = Map::new();
        let mut required: Vec<Value> = Vec::new();
        if let Some(definitions) = tool.get("parameter_definitions")? {
            for name in definitions.object()?.keys() {
                let definition = definitions.required(name)?;
                definition.only(&["description", "type", "required"])?;
                let mut schema = kind(&definition.required("type")?)?;
                put(&mut schema, "description", definition.get("description")?.map(|d| d.string()).transpose()?);
                properties.insert(name.clone(), Value::Object(schema));
                if definition.get("required")?.map(|r| r.boolean()).transpose()?.unwrap_or_default() {
                    required.push(name.clone().into());
                }
            }
        }
        let mut schema = Map::new();
        put(&mut schema, "type", Some("object"));
        put(&mut schema, "properties", Some(properties));
        put(&mut schema, "required", Some(required).filter(|r| !r.is_empty()));
        tools.push(Tool::ToolSpec(ToolSpecification {
            name: tool.required("name")?.text(1, 64)?.to_owned(),
            description: description.filter(|d| !d.is_empty()).map(str::to_owned),
            input_schema: ToolInputSchema::Json(Value::Object(schema)),
            strict: None,
        }));
    }
    Ok((!tools.is_empty()).then_some(ToolConfiguration { tools, tool_choice: None }))
}

/// `str`, `List[int]` … as a schema. Case and the names of JSON schema are taken too.
fn kind(node: &Node) -> Result<Map<String, Value>, DialectError> {
    let text = node.string()?;
    let lower = text.to_ascii_lowercase();
    let named =
        |name: &str| TYPES.iter().find(|(python, json)| [*python, *json].contains(&name)).map(|(_, json)| *json);
    let items = lower.strip_prefix("list[").and_then(|rest| rest.strip_suffix(']'));
    let mut schema = Map::new();
    match (named(&lower), items.and_then(named)) {
        (Some(kind), _) => put(&mut schema, "type", Some(kind)),
        (None, Some(items)) => {
            put(&mut schema, "type", Some("array"));
            put(&mut schema, "items", Some(json!({"type": items})));
        }
        (None, None) => {
            return Err(node
                .refuse(format_args!("{text} is not a type of parameters, use str, int, float, bool, list or dict")));
        }
    }
    Ok(schema)
}

pub(super) fn write(config: &ToolConfiguration) -> Result<Vec<Value>, DialectError> {
    if let Some(choice @ (ToolChoice::Any(_) | ToolChoice::Tool(_))) = &config.tool_choice {
        return Err(no_block("toolConfig.toolChoice", choice));
    }
    let mut out = Vec::new();
    for (i, tool) in config.tools.iter().enumerate() {
        let at = format!("toolConfig.tools.{i}");
        let Tool::ToolSpec(spec) = tool else { return Err(no_block(&at, tool)) };
        if spec.strict == Some(true) {
            return Err(no_place(format!("{at}.toolSpec.strict")));
        }
        let mut written = Map::new();
        put(&mut written, "name", Some(spec.name.as_str()));
        put(&mut written, "description", spec.description.as_deref());
        let definitions = definitions(&format!("{at}.toolSpec.inputSchema.json"), &spec.input_schema)?;
        put(&mut written, "parameter_definitions", Some(definitions));
        out.push(Value::Object(written));
    }
    Ok(out)
}

fn definitions(at: &str, schema: &ToolInputSchema) -> Result<Map<String, Value>, DialectError> {
    let ToolInputSchema::Json(Value::Object(schema)) = schema else { return Err(no_place(at)) };
    // Annotations and what the flat list says by itself; anything else has no place.
    let known = ["type", "properties", "required", "additionalProperties", "$schema", "title", "description"];
    if let Some(key) = schema.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(no_place(format!("{at}.{key}")));
    }
    let required = schema.get("required").and_then(Value::as_array);
    let mut out = Map::new();
    for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let mut definition = Map::new();
        let description = property.get("description").and_then(Value::as_str);
        let mut rest = property.as_object().cloned().unwrap_or_default();
        rest.remove("description");
        let python = python(&rest);
        // The model reads what the type cannot say.
        let description = match (&python, description) {
            (Some(_), description) => description.map(str::to_owned),
            (None, description) => {
                let said = description.map(|d| format!("{d} ")).unwrap_or_default();
                Some(format!("{said}(JSON schema: {})", Value::Object(rest.clone())))
            }
        };
        put(&mut definition, "description", description);
        put(&mut definition, "type", Some(python.unwrap_or_else(|| outer(&rest).to_owned())));
        let required = required.is_some_and(|r| r.iter().any(|r| r == name));
        put(&mut definition, "required", Some(required));
        out.insert(name.clone(), Value::Object(definition));
    }
    Ok(out)
}

/// The type of a schema that says nothing but its type.
fn python(schema: &Map<String, Value>) -> Option<String> {
    let written = |json: &Value| TYPES.iter().find(|(_, name)| json == name).map(|(python, _)| *python);
    let kind = written(schema.get("type")?)?;
    match (schema.len(), schema.get("items")) {
        (1, None) => Some(kind.to_owned()),
        (2, Some(Value::Object(items))) if kind == "list" && items.len() == 1 => {
            Some(format!("List[{}]", written(items.get("type")?)?))
        }
        _ => None,
    }
}

fn outer(schema: &Map<String, Value>) -> &'static str {
    let kind = schema.get("type");
    TYPES.iter().find(|(_, json)| kind.is_some_and(|k| k == json)).map_or("str", |(python, _)| *python)
}

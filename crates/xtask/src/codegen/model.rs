//! A service model as botocore ships it.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde_json::{Map, Value};

/// One service's operations and shapes, in the model's order.
pub struct Model {
    /// By operation name.
    pub operations: Map<String, Value>,
    /// By shape name.
    pub shapes: Map<String, Value>,
}

/// Reads `service-2.json.gz` (or the same unpacked) in `folder`.
pub fn load(folder: &Path) -> Result<Model, String> {
    let packed = folder.join("service-2.json.gz");
    let mut text = String::new();
    if let Ok(file) = File::open(&packed) {
        flate2::read::GzDecoder::new(file)
            .read_to_string(&mut text)
            .map_err(|e| format!("{}: {e}", packed.display()))?;
    } else {
        let plain = folder.join("service-2.json");
        text = std::fs::read_to_string(&plain).map_err(|e| format!("{}: {e}", plain.display()))?;
    }
    let mut json: Value = serde_json::from_str(&text).map_err(|e| format!("{}: {e}", packed.display()))?;
    let mut take = |key: &str| match json.get_mut(key).map(Value::take) {
        Some(Value::Object(map)) => Ok(map),
        _ => Err(format!("{}: no {key}", packed.display())),
    };
    Ok(Model { operations: take("operations")?, shapes: take("shapes")? })
}

impl Model {
    /// The shape named `name`.
    pub fn shape(&self, name: &str) -> Result<&Value, String> {
        self.shapes.get(name).ok_or_else(|| format!("no shape {name}"))
    }
}

/// A text member of `value`.
pub fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str, String> {
    value.get(key).and_then(Value::as_str).ok_or_else(|| format!("no {key} in {value}"))
}

/// True where `value` has `key: true`.
pub fn flag(value: &Value, key: &str) -> bool {
    value.get(key).and_then(Value::as_bool) == Some(true)
}

/// The members of a structure, in order.
pub fn members(shape: &Value) -> impl Iterator<Item = (&String, &Value)> {
    shape.get("members").and_then(Value::as_object).into_iter().flatten()
}

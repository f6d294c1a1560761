//! The tables of constraints: one static per shape that a member can hold.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value;

use super::fields;
use crate::codegen::model::{Model, flag, text};
use crate::codegen::names::{pascal, regex, shout};

/// The name of a shape's static.
pub fn name(shape: &str) -> String {
    format!("T_{}", shout(shape))
}

/// All type tables and patterns.
pub fn all(out: &mut String, model: &Model) -> Result<(), String> {
    let held = held(model)?;
    for (shape_name, shape) in &model.shapes {
        if !held.contains(shape_name.as_str()) {
            continue;
        }
        let kind = text(shape, "type")?;
        let form = match kind {
            "string" => match shape.get("enum") {
                Some(_) => format!("Enum({}::VALUES)", pascal(shape_name)),
                None => "String".into(),
            },
            "integer" => "Integer".into(),
            "long" => "Long".into(),
            "float" => "Float".into(),
            "double" => "Double".into(),
            "boolean" => "Boolean".into(),
            "timestamp" => format!("Timestamp {{ epoch: {} }}", shape.get("timestampFormat").is_none()),
            "blob" => "Blob".into(),
            "list" => format!("List(&{})", name(text(&shape["member"], "shape")?)),
            "map" => {
                format!("Map(&{}, &{})", name(text(&shape["key"], "shape")?), name(text(&shape["value"], "shape")?))
            }
            "structure" if flag(shape, "document") => "Document".into(),
            "structure" => format!("Structure(&S_{})", shout(shape_name)),
            other => return Err(format!("unknown type {other} of {shape_name}")),
        };
        let mut rules = String::new();
        for bound in ["min", "max"] {
            if let Some(limit) = shape.get(bound).and_then(Value::as_f64) {
                let _ = write!(rules, ".{bound}({limit:?})");
            }
        }
        if let Some(pattern) = shape.get("pattern").and_then(Value::as_str) {
            let _ = writeln!(
                out,
                "static P_{}: Pattern = Pattern::new({pattern:?}, {:?});",
                shout(shape_name),
                regex(pattern)
            );
            let _ = write!(rules, ".pattern(&P_{})", shout(shape_name));
        }
        if flag(shape, "sensitive") {
            rules.push_str(".sensitive()");
        }
        let _ = writeln!(out, "static {}: Ty = Ty::new(K::{form}){rules};", name(shape_name));
    }
    let patterns: Vec<String> = model
        .shapes
        .iter()
        .filter(|(n, s)| s.get("pattern").is_some() && held.contains(n.as_str()))
        .map(|(n, _)| format!("&P_{}", shout(n)))
        .collect();
    let _ = writeln!(out, "pub static PATTERNS: &[&Pattern] = &[{}];", patterns.join(", "));
    Ok(())
}

/// The shapes that some member, element, key or value holds.
fn held(model: &Model) -> Result<BTreeSet<&str>, String> {
    let mut open = Vec::new();
    for shape in model.shapes.values() {
        if text(shape, "type")? == "structure" && !flag(shape, "exception") {
            open.extend(fields(model, shape)?.into_iter().map(|(_, _, target)| target));
        }
    }
    let mut held = BTreeSet::new();
    while let Some(name) = open.pop() {
        if held.insert(name) {
            let parts = ["member", "key", "value"].into_iter().filter_map(|part| model.shapes[name].get(part));
            open.extend(parts.filter_map(|of| of["shape"].as_str()));
        }
    }
    Ok(held)
}

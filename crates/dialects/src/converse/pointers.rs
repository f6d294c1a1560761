//! `additionalModelResponseFieldPaths`: JSON pointers (RFC 6901) into what a provider says beside its answer.

use crate::DialectError;
use serde_json::{Map, Value};

/// The steps of a pointer. The empty pointer names the whole document and is not allowed here.
fn steps(path: &str) -> Option<Vec<String>> {
    let mut steps = Vec::new();
    for step in path.strip_prefix('/')?.split('/') {
        let mut text = String::with_capacity(step.len());
        let mut chars = step.chars();
        while let Some(c) = chars.next() {
            match c {
                '~' => match chars.next()? {
                    '0' => text.push('~'),
                    '1' => text.push('/'),
                    _ => return None,
                },
                c => text.push(c),
            }
        }
        steps.push(text);
    }
    Some(steps)
}

/// Refuses what is no JSON pointer. A pointer that finds nothing is no error.
pub fn check_paths(paths: &[String]) -> Result<(), DialectError> {
    match paths.iter().enumerate().find(|(_, path)| steps(path).is_none()) {
        Some((i, path)) => Err(DialectError::Rule(format!(
            "The value '{path}' at additionalModelResponseFieldPaths.{i} is not a valid JSON Pointer. \
             Provide a JSON Pointer such as /stop_sequence, and try again."
        ))),
        None => Ok(()),
    }
}

/// The part of `fields` that `paths` point to, every value under its own path; `None` where that is nothing. The empty
/// pointer, which no caller may send, keeps everything.
pub fn prune(paths: &[String], fields: &Value) -> Option<Value> {
    let mut kept = Value::Object(Map::new());
    if paths.iter().any(String::is_empty) {
        kept = fields.clone();
    }
    for steps in paths.iter().filter_map(|path| steps(path)) {
        if let Some(found) = find(fields, &steps) {
            keep(&mut kept, fields, &steps, found);
        }
    }
    kept.as_object().is_some_and(|o| !o.is_empty()).then_some(kept)
}

fn find<'a>(value: &'a Value, steps: &[String]) -> Option<&'a Value> {
    steps.iter().try_fold(value, |value, step| match value {
        Value::Object(map) => map.get(step),
        Value::Array(list) => list.get(index(step)?),
        _ => None,
    })
}

/// RFC 6901 allows no leading zero and no sign.
fn index(step: &str) -> Option<usize> {
    let plain = step == "0" || (!step.starts_with('0') && step.bytes().all(|b| b.is_ascii_digit()));
    plain.then(|| step.parse().ok()).flatten()
}

/// Writes `found` at `steps` into `kept`, which mirrors `fields`. An array is kept as an object of the indices that
/// were asked for: in an array they would move.
fn keep(kept: &mut Value, fields: &Value, steps: &[String], found: &Value) {
    let Some((step, rest)) = steps.split_first() else {
        *kept = found.clone();
        return;
    };
    let below = match fields {
        Value::Object(map) => map.get(step),
        Value::Array(list) => index(step).and_then(|i| list.get(i)),
        _ => None,
    };
    if let (Value::Object(map), Some(below)) = (kept, below) {
        let place = map.entry(step.as_str()).or_insert_with(|| Value::Object(Map::new()));
        keep(place, below, rest, found);
    }
}

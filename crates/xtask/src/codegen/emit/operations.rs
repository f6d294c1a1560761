//! Operation markers, the table of operations and the table of errors.

use std::fmt::Write as _;

use serde_json::Value;

use crate::codegen::model::{Model, flag, members, text};
use crate::codegen::names::{pascal, shout};

/// The IAM actions that differ from the operation's name (service authorization reference and user guide).
const ACTIONS: [(&str, &str); 2] = [("Converse", "InvokeModel"), ("ConverseStream", "InvokeModelWithResponseStream")];

/// The shape of the event stream among the members of `name`, if any.
fn event_stream<'a>(model: &'a Model, name: &str) -> Result<Option<&'a str>, String> {
    for (_, member) in members(model.shape(name)?) {
        let target = text(member, "shape")?;
        if flag(model.shape(target)?, "eventstream") {
            return Ok(Some(target));
        }
    }
    Ok(None)
}

/// Everything about operations and errors.
pub fn all(out: &mut String, module: &str, model: &Model) -> Result<(), String> {
    let service = pascal(module);
    let mut table = String::new();
    for (name, op) in &model.operations {
        let input = text(&op["input"], "shape")?;
        let output = text(&op["output"], "shape")?;
        let http = &op["http"];
        let status = http["responseCode"].as_u64().ok_or_else(|| format!("{name}: no responseCode"))?;
        let events = event_stream(model, output)?;
        let mut errors = String::new();
        for error in op["errors"].as_array().into_iter().flatten() {
            let _ = write!(errors, "{:?}, ", text(error, "shape")?);
        }
        let mut stream_errors = String::new();
        for (member, shape) in
            events.map(|e| Ok::<_, String>(members(model.shape(e)?))).transpose()?.into_iter().flatten()
        {
            if flag(model.shape(text(shape, "shape")?)?, "exception") {
                let _ = write!(stream_errors, "{member:?}, ");
            }
        }
        let action = ACTIONS.iter().find(|(of, _)| of == name).map_or(name.as_str(), |(_, action)| action);
        let _ = writeln!(
            out,
            "pub struct {name};\nimpl Operation for {name} {{ type Input = {}; type Output = {}; type Event = {}; const SPEC: &'static Spec = &O_{}; }}",
            pascal(input),
            pascal(output),
            events.map_or("Never".into(), pascal),
            shout(name)
        );
        let _ = writeln!(
            out,
            "static O_{}: Spec = Spec {{ service: Service::{service}, name: {name:?}, method: {:?}, uri: {:?}, status: {status}, action: \"bedrock:{action}\", errors: &[{errors}], input: &S_{}, output: &S_{}, streams: {}, stream_errors: &[{stream_errors}], streams_input: {} }};",
            shout(name),
            text(http, "method")?,
            text(http, "requestUri")?,
            shout(input),
            shout(output),
            events.is_some(),
            event_stream(model, input)?.is_some()
        );
        let _ = write!(table, "&O_{}, ", shout(name));
    }
    let _ = writeln!(out, "pub static OPERATIONS: &[&Spec] = &[{table}];");
    let mut errors = String::new();
    for (name, shape) in model.shapes.iter().filter(|(_, s)| flag(s, "exception")) {
        let status = shape.pointer("/error/httpStatusCode").and_then(Value::as_u64);
        let _ = write!(errors, "({name:?}, {}), ", status.ok_or_else(|| format!("{name}: no status"))?);
    }
    let _ = writeln!(out, "pub static ERRORS: &[(&str, u16)] = &[{errors}];");
    Ok(())
}

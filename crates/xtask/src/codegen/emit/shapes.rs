//! Structures, unions, enumerations.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value;

use super::{fields, rust_type, types};
use crate::codegen::model::{Model, flag, text};
use crate::codegen::names::{pascal, shout, snake};

fn required(shape: &Value, member: &str) -> bool {
    shape.get("required").and_then(Value::as_array).is_some_and(|r| r.iter().any(|x| x == member))
}

fn location(shape: &Value, name: &str, member: &Value) -> Result<String, String> {
    if shape.get("payload").and_then(Value::as_str) == Some(name) {
        return Ok("L::Payload".into());
    }
    let wire = member.get("locationName").and_then(Value::as_str).unwrap_or(name);
    Ok(match member.get("location").and_then(Value::as_str) {
        None => "L::Body".into(),
        Some("uri") => format!("L::Label({wire:?})"),
        Some("querystring") => format!("L::Query({wire:?})"),
        Some("header") => format!("L::Header({wire:?})"),
        Some(other) => return Err(format!("unknown location {other} of {name}")),
    })
}

fn table(out: &mut String, model: &Model, name: &str, shape: &Value) -> Result<(), String> {
    let mut rows = String::new();
    for (member_name, member, target) in fields(model, shape)? {
        let _ = write!(
            rows,
            "Member {{ name: {member_name:?}, at: {}, ty: &{}, required: {} }}, ",
            location(shape, member_name, member)?,
            types::name(target),
            required(shape, member_name)
        );
    }
    let union = flag(shape, "union") || flag(shape, "eventstream");
    let _ = writeln!(
        out,
        "static S_{}: Shape = Shape {{ name: {name:?}, members: &[{rows}], union: {union}, sensitive: {} }};",
        shout(name),
        flag(shape, "sensitive")
    );
    Ok(())
}

/// The impls that every structure and union carries.
fn common(out: &mut String, ty: &str) {
    let _ = writeln!(
        out,
        "impl Field for {ty} {{ fn fill(&mut self) -> Slot<'_> {{ Slot::Structure(self) }} fn read(&self) -> View<'_> {{ View::Structure(self) }} }}\n\
         impl std::fmt::Debug for {ty} {{ fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {{ shape::debug(self, f) }} }}"
    );
}

/// A structure: required members plain, the others `Option`.
pub fn structure(out: &mut String, model: &Model, name: &str, shape: &Value) -> Result<(), String> {
    let ty = pascal(name);
    let (mut body, mut slots, mut views) = (String::new(), String::new(), String::new());
    for (i, (member_name, _, target)) in fields(model, shape)?.into_iter().enumerate() {
        let field = snake(member_name);
        let holds = rust_type(model, target)?;
        let holds = if required(shape, member_name) { holds } else { format!("Option<{holds}>") };
        let _ = write!(body, "pub {field}: {holds}, ");
        let _ = write!(slots, "{i} => self.{field}.fill(), ");
        let _ = write!(views, "{i} => self.{field}.read(), ");
    }
    let _ = writeln!(out, "#[derive(Clone, Default)]\npub struct {ty} {{ {body}}}");
    let _ = writeln!(
        out,
        "impl Structure for {ty} {{\n fn shape(&self) -> &'static Shape {{ &S_{} }}\n fn slot(&mut self, i: usize) -> Slot<'_> {{ match i {{ {slots}_ => Slot::None }} }}\n fn view(&self, i: usize) -> View<'_> {{ match i {{ {views}_ => View::Absent }} }}\n}}",
        shout(name)
    );
    common(out, &ty);
    table(out, model, name, shape)
}

/// A union, or the events of an event stream.
pub fn union(out: &mut String, model: &Model, name: &str, shape: &Value) -> Result<(), String> {
    let ty = pascal(name);
    let (mut body, mut slots, mut views) = (String::new(), String::new(), String::new());
    for (i, (member_name, _, target)) in fields(model, shape)?.into_iter().enumerate() {
        let variant = pascal(member_name);
        let _ = write!(body, "{variant}({}), ", rust_type(model, target)?);
        let _ = write!(
            slots,
            "{i} => {{ *self = Self::{variant}(Default::default()); if let Self::{variant}(v) = self {{ v.fill() }} else {{ Slot::None }} }} "
        );
        let _ = write!(views, "(Self::{variant}(v), {i}) => v.read(), ");
    }
    let _ = writeln!(out, "#[derive(Clone, Default)]\npub enum {ty} {{ {body}#[default] Unset }}");
    let _ = writeln!(
        out,
        "impl Structure for {ty} {{\n fn shape(&self) -> &'static Shape {{ &S_{} }}\n fn slot(&mut self, i: usize) -> Slot<'_> {{ match i {{ {slots}_ => Slot::None }} }}\n fn view(&self, i: usize) -> View<'_> {{ match (self, i) {{ {views}_ => View::Absent }} }}\n}}",
        shout(name)
    );
    common(out, &ty);
    table(out, model, name, shape)
}

/// An enumeration of strings; `Unlisted` keeps what the model does not name.
pub fn enumeration(out: &mut String, name: &str, shape: &Value) -> Result<(), String> {
    let ty = pascal(name);
    let mut taken = BTreeSet::from(["Unlisted", "Self"].map(str::to_owned));
    let (mut values, mut body, mut sets, mut texts) = (String::new(), String::new(), String::new(), String::new());
    for (i, value) in shape["enum"].as_array().into_iter().flatten().enumerate() {
        let value = value.as_str().ok_or_else(|| format!("{name}: a value that is no text"))?;
        let mut variant = pascal(value);
        while !taken.insert(variant.clone()) {
            variant.push('_');
        }
        let _ = write!(values, "{value:?}, ");
        let _ = write!(body, "{}{variant}, ", if i == 0 { "#[default] " } else { "" });
        let _ = write!(sets, "{i} => Self::{variant}, ");
        let _ = write!(texts, "Self::{variant} => {i}, ");
    }
    text(shape, "type")?;
    let _ = writeln!(
        out,
        "#[derive(Clone, PartialEq, Eq, Default)]\npub enum {ty} {{ {body}Unlisted(String) }}\n\
         impl {ty} {{\n pub const VALUES: &'static [&'static str] = &[{values}];\n\
         pub fn as_str(&self) -> &str {{ let i: usize = match self {{ {texts}Self::Unlisted(v) => return v }}; Self::VALUES[i] }}\n}}\n\
         impl From<&str> for {ty} {{ fn from(v: &str) -> Self {{ match shape::index_of(Self::VALUES, v) {{ {sets}_ => Self::Unlisted(v.to_owned()) }} }} }}\n\
         impl Enumeration for {ty} {{ fn set(&mut self, v: &str) {{ *self = v.into(); }} fn as_str(&self) -> &str {{ self.as_str() }} }}\n\
         impl Field for {ty} {{ fn fill(&mut self) -> Slot<'_> {{ Slot::Enum(self) }} fn read(&self) -> View<'_> {{ View::String(self.as_str()) }} }}\n\
         impl std::fmt::Debug for {ty} {{ fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {{ f.write_str(self.as_str()) }} }}"
    );
    Ok(())
}

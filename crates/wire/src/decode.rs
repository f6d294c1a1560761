//! Fills a generated type from a request and names every broken constraint on the way.
//!
//! Two kinds of bad input: what cannot be read at all is an [`Unreadable`] (AWS: `SerializationException`); what can
//! be read but breaks the contract adds a line to [`Problems`] (AWS: `ValidationException`), all lines together.

mod check;
mod problems;
#[cfg(test)]
mod tests;

pub use problems::Problems;

use crate::json::{MAX_DEPTH, Number, Reader, Token};
use crate::shape::{Location, Shape, Slot, Structure, Type, TypeKind};
use crate::text;
use check::{check_count, check_enum, check_number, check_string};

/// Why a request is read no further.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is not what the protocol asks for: broken JSON or a wrong JSON type.
    #[error("{0}")]
    Wrong(String),
    /// It is what the protocol asks for, but nested deeper than is read.
    #[error("The request body is nested more than {MAX_DEPTH} levels deep.")]
    Deep,
}

impl From<crate::json::Error> for Unreadable {
    fn from(e: crate::json::Error) -> Self {
        match e.is_depth() {
            true => Self::Deep,
            false => Self::Wrong(format!("The request body is not valid JSON: {e}.")),
        }
    }
}

/// Reads the JSON object `body` into the body members of `into`. An empty body is an empty object.
pub fn body(body: &[u8], into: &mut dyn Structure, problems: &mut Problems) -> Result<(), Unreadable> {
    let mut reader = Reader::new(body)?;
    if body.iter().all(u8::is_ascii_whitespace) {
        missing(into.shape(), 0, problems);
        return Ok(());
    }
    if reader.peek()? != Token::Object {
        return Err(Unreadable::Wrong("The request body must be a JSON object.".into()));
    }
    structure(&mut reader, into, problems)?;
    reader.end()?;
    Ok(())
}

/// Sets a label, query parameter or header from its text. `into` is the request, `index` the member.
pub fn parameter(value: &str, into: &mut dyn Structure, index: usize, problems: &mut Problems) {
    let Some(member) = into.shape().members.get(index) else { return };
    problems.enter(member.name);
    match into.slot(index) {
        Slot::List(list) => {
            if let TypeKind::List(ty) = member.ty.kind {
                problems.enter_element(list.count());
                scalar_text(value, list.grow(), ty, problems);
                problems.leave();
                problems.leave();
            }
        }
        slot => scalar_text(value, slot, member.ty, problems),
    }
    problems.leave();
}

/// Reports the required labels, query parameters and headers among `into`'s members that `seen` lacks, and checks
/// the lengths of repeated query parameters.
pub fn required_parameters(into: &dyn Structure, seen: u64, problems: &mut Problems) {
    for (i, member) in into.shape().members.iter().enumerate() {
        let bound = matches!(member.at, Location::Label(_) | Location::Query(_) | Location::Header(_));
        if bound && member.required && seen & (1 << i) == 0 {
            problems.null(member.name);
        }
        if let (true, crate::shape::View::List(list)) = (bound, into.view(i)) {
            problems.enter(member.name);
            check_count(list.count(), member.ty, problems);
            problems.leave();
        }
    }
}

fn scalar_text(value: &str, slot: Slot<'_>, ty: &'static Type, problems: &mut Problems) {
    let parsed = match slot {
        Slot::String(s) => {
            check_string(value, ty, problems);
            value.clone_into(s);
            true
        }
        Slot::Enum(e) => {
            check_enum(value, ty, problems);
            e.set(value);
            true
        }
        Slot::Integer(n) => value.parse().map(|v| *n = v).is_ok_and(|()| {
            check_number(f64::from(*n), ty, &|| value.into(), problems);
            true
        }),
        Slot::Long(n) => value.parse().map(|v| *n = v).is_ok(),
        Slot::Boolean(b) => value.parse().map(|v| *b = v).is_ok(),
        Slot::Timestamp(t) => text::parse_timestamp(value).map(|v| *t = v).is_some(),
        _ => true,
    };
    if !parsed {
        let want = match ty.kind {
            TypeKind::Boolean => "be true or false",
            TypeKind::Timestamp { .. } => "be a timestamp in ISO 8601 format",
            _ => "be a number",
        };
        problems.broken(Some(value), ty.sensitive, want);
    }
}

/// Reads the members of one JSON object.
fn structure(r: &mut Reader<'_>, into: &mut dyn Structure, problems: &mut Problems) -> Result<(), Unreadable> {
    let shape = into.shape();
    let (mut seen, mut first) = (0u64, true);
    r.begin_object()?;
    while let Some(key) = r.next_key(first)? {
        first = false;
        let member = shape.members.iter().position(|m| m.name == key && m.at == Location::Body);
        let Some(index) = member else {
            r.skip()?;
            continue;
        };
        if r.peek()? == Token::Null {
            r.null()?;
            continue;
        }
        let again = seen & (1 << index) != 0;
        if shape.union && seen != 0 && !again {
            problems.union(shape, true);
        }
        seen |= 1 << index;
        problems.enter(shape.members[index].name);
        if again {
            return Err(twice(problems));
        }
        value(r, into.slot(index), shape.members[index].ty, problems)?;
        problems.leave();
    }
    missing(shape, seen, problems);
    Ok(())
}

fn missing(shape: &'static Shape, seen: u64, problems: &mut Problems) {
    if shape.union && seen == 0 {
        problems.union(shape, false);
    }
    for (i, member) in shape.members.iter().enumerate() {
        if member.required && member.at == Location::Body && seen & (1 << i) == 0 {
            problems.null(member.name);
        }
    }
}

fn value(r: &mut Reader<'_>, slot: Slot<'_>, ty: &'static Type, problems: &mut Problems) -> Result<(), Unreadable> {
    match slot {
        Slot::None => r.skip()?,
        Slot::String(into) => {
            want(r, Token::String, problems)?;
            let text = r.string()?;
            check_string(&text, ty, problems);
            *into = text.into_owned();
        }
        Slot::Enum(into) => {
            want(r, Token::String, problems)?;
            let text = r.string()?;
            check_enum(&text, ty, problems);
            into.set(&text);
        }
        Slot::Integer(into) => {
            let n = whole(r, problems)?;
            check_number(n as f64, ty, &|| n.to_string(), problems);
            match i32::try_from(n) {
                Ok(n) => *into = n,
                Err(_) => problems.broken(Some(&n.to_string()), false, "fit a 32-bit integer"),
            }
        }
        Slot::Long(into) => {
            *into = whole(r, problems)?;
            check_number(*into as f64, ty, &|| into.to_string(), problems);
        }
        Slot::Float(into) => {
            *into = real(r, problems)? as f32;
            if into.is_infinite() {
                return Err(wrong(problems, "a number of single precision"));
            }
            check_number(f64::from(*into), ty, &|| format!("{into:?}"), problems);
        }
        Slot::Double(into) => {
            *into = real(r, problems)?;
            check_number(*into, ty, &|| format!("{into:?}"), problems);
        }
        Slot::Boolean(into) => {
            want(r, Token::Boolean, problems)?;
            *into = r.boolean()?;
        }
        Slot::Timestamp(into) => {
            let at = if r.peek()? == Token::Number {
                text::epoch(real(r, problems)?)
            } else {
                want(r, Token::String, problems)?;
                text::parse_timestamp(&r.string()?)
            };
            match at {
                Some(at) => *into = at,
                None => return Err(wrong(problems, "a timestamp in ISO 8601 format")),
            }
        }
        Slot::Blob(into) => {
            want(r, Token::String, problems)?;
            match base64::Engine::decode(&base64::prelude::BASE64_STANDARD, r.string()?.as_bytes()) {
                Ok(bytes) => *into = bytes.into(),
                Err(_) => return Err(wrong(problems, "base64")),
            }
            check_count(into.len(), ty, problems);
        }
        Slot::Document(into) => *into = r.value()?,
        Slot::Structure(into) => {
            want(r, Token::Object, problems)?;
            structure(r, into, problems)?;
        }
        Slot::List(into) => {
            want(r, Token::Array, problems)?;
            let TypeKind::List(element) = ty.kind else { return Ok(r.skip()?) };
            // A null is an element too: it has its place and its number, though nothing is kept of it.
            let mut count = 0;
            r.begin_array()?;
            while r.next_element(count == 0)? {
                problems.enter_element(count);
                count += 1;
                if r.peek()? == Token::Null {
                    r.null()?;
                    problems.null_here();
                } else {
                    value(r, into.grow(), element, problems)?;
                }
                problems.leave();
                problems.leave();
            }
            check_count(count, ty, problems);
        }
        Slot::Map(into) => {
            want(r, Token::Object, problems)?;
            let TypeKind::Map(key_type, element) = ty.kind else { return Ok(r.skip()?) };
            let mut first = true;
            r.begin_object()?;
            while let Some(key) = r.next_key(first)? {
                first = false;
                check_string(&key, key_type, problems);
                problems.enter_key(&key);
                if r.peek()? == Token::Null {
                    r.null()?;
                } else {
                    let known = into.count();
                    let slot = into.entry(key.into_owned());
                    value(r, slot, element, problems)?;
                    if into.count() == known {
                        return Err(twice(problems));
                    }
                }
                problems.leave();
                problems.leave();
            }
            check_count(into.count(), ty, problems);
        }
    }
    Ok(())
}

/// Readers differ in which of two equal keys counts, so what one of them checked another may not have seen.
fn twice(problems: &Problems) -> Unreadable {
    Unreadable::Wrong(format!("The key at '{}' is given twice.", problems.path()))
}

fn wrong(problems: &Problems, wanted: &str) -> Unreadable {
    Unreadable::Wrong(format!("The value at '{}' must be {wanted}.", problems.path()))
}

fn want(r: &mut Reader<'_>, token: Token, problems: &Problems) -> Result<(), Unreadable> {
    let found = r.peek()?;
    if found == token { Ok(()) } else { Err(wrong(problems, &format!("{}, not {}", token.name(), found.name()))) }
}

fn whole(r: &mut Reader<'_>, problems: &Problems) -> Result<i64, Unreadable> {
    want(r, Token::Number, problems)?;
    match r.number()? {
        Number::Whole(n) => Ok(n),
        // Some clients know only one kind of number and write 5.0 for 5.
        Number::Real(n) if n.fract() == 0.0 && n.abs() < 9e15 => Ok(n as i64),
        _ => Err(wrong(problems, "a whole number of at most 64 bits")),
    }
}

fn real(r: &mut Reader<'_>, problems: &Problems) -> Result<f64, Unreadable> {
    want(r, Token::Number, problems)?;
    Ok(match r.number()? {
        Number::Whole(n) => n as f64,
        Number::Large(n) => n as f64,
        Number::Real(n) => n,
    })
}

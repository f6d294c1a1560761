//! Fills an operation's input from path, query, headers and body.

use outcrop_api::{Fault, Kind};
use outcrop_wire::decode::{self, Problems, Unreadable};
use outcrop_wire::shape::{Location, Slot, Structure, TypeKind};
use outcrop_wire::text;

use super::Call;

/// Reads and validates the whole request.
pub fn request(call: &Call<'_>, input: &mut dyn Structure) -> Result<(), Fault> {
    let mut problems = Problems::default();
    let mut seen = 0u64;
    let members = input.shape().members;
    for (name, raw) in call.labels.iter().copied() {
        let Some(index) = members.iter().position(|m| m.at == Location::Label(name)) else { continue };
        let Some(value) = text::percent_decode(raw) else {
            return Err(unreadable(&Unreadable::Wrong(format!(
                "The label {name} of the path is not valid percent-encoding."
            ))));
        };
        seen |= 1 << index;
        if value.is_empty() {
            problems.empty_label(members[index].name);
        } else {
            decode::parameter(&value, input, index, &mut problems);
        }
    }
    for (name, value) in text::query_pairs(call.query) {
        if let Some(index) = members.iter().position(|m| matches!(m.at, Location::Query(n) if n == name)) {
            seen |= 1 << index;
            decode::parameter(&value, input, index, &mut problems);
        }
    }
    let mut payload = None;
    for (index, member) in members.iter().enumerate() {
        match member.at {
            Location::Header(name) => {
                if let Some(value) = call.headers.get(name).and_then(|v| v.to_str().ok()) {
                    seen |= 1 << index;
                    decode::parameter(value, input, index, &mut problems);
                }
            }
            Location::Payload => payload = Some(index),
            _ => {}
        }
    }
    match payload {
        Some(index) => body_member(call, input, index, &mut problems)?,
        None => decode::body(&call.body, input, &mut problems).map_err(|error| unreadable(&error))?,
    }
    decode::required_parameters(input, seen, &mut problems);
    problems.message().map_or(Ok(()), |message| Err(Fault::validation(message)))
}

/// The body is one member: bytes as they are, or that member's JSON.
fn body_member(call: &Call<'_>, input: &mut dyn Structure, index: usize, problems: &mut Problems) -> Result<(), Fault> {
    let member = &input.shape().members[index];
    if call.body.is_empty() && !member.required {
        return Ok(());
    }
    match input.slot(index) {
        Slot::Blob(into) => *into = call.body.clone(),
        Slot::Structure(into) if matches!(member.ty.kind, TypeKind::Structure(_)) => {
            problems.enter(member.name);
            decode::body(&call.body, into, problems).map_err(|error| unreadable(&error))?;
            problems.leave();
        }
        _ => {}
    }
    Ok(())
}

fn unreadable(error: &Unreadable) -> Fault {
    let kind = match error {
        Unreadable::Wrong(_) => Kind::Serialization,
        // The models bound no depth: whoever sends this keeps to the protocol.
        Unreadable::Deep => Kind::Validation,
    };
    Fault::new(kind, error.to_string())
}

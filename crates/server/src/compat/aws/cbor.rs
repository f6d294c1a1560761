//! CBOR as `smithy-rpc-v2-cbor` has it: maps with text keys, timestamps as tag 1 over seconds since 1970.

use ciborium::Value as Cbor;
use outcrop_api::{Fault, Kind};
use serde_json::{Map, Number, Value};

/// The tag of seconds since 1970 (RFC 8949, 3.4.2).
const EPOCH: u64 = 1;

/// The input that a body says.
pub(super) fn read(body: &[u8]) -> Result<Value, Fault> {
    if body.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    let mut rest = body;
    let read: Cbor = ciborium::from_reader(&mut rest).map_err(|_| broken())?;
    if !rest.is_empty() {
        return Err(broken());
    }
    value(read)
}

fn broken() -> Fault {
    Fault::new(Kind::Serialization, "The body is not CBOR of this protocol.")
}

fn value(cbor: Cbor) -> Result<Value, Fault> {
    Ok(match cbor {
        Cbor::Null => Value::Null,
        Cbor::Bool(is) => Value::Bool(is),
        Cbor::Integer(number) => match i64::try_from(i128::from(number)) {
            Ok(number) => number.into(),
            Err(_) => u64::try_from(i128::from(number)).map_err(|_| broken())?.into(),
        },
        // JSON has no word for what is no number; the rules of the operation are to see that something is wrong.
        Cbor::Float(number) => match Number::from_f64(number) {
            Some(number) => Value::Number(number),
            None => Value::String(number.to_string()),
        },
        Cbor::Text(text) => Value::String(text),
        Cbor::Tag(EPOCH, seconds) => value(*seconds)?,
        Cbor::Array(items) => Value::Array(items.into_iter().map(value).collect::<Result<_, _>>()?),
        Cbor::Map(entries) => {
            let mut map = Map::new();
            for (name, entry) in entries {
                let Cbor::Text(name) = name else { return Err(broken()) };
                // A member that is null is one that is not there.
                let entry = value(entry)?;
                if !entry.is_null() {
                    map.insert(name, entry);
                }
            }
            Value::Object(map)
        }
        _ => return Err(broken()),
    })
}

/// The body that says `output`. Members called as in `timestamps` are such.
pub(super) fn write(output: &Value, timestamps: &[&str]) -> Vec<u8> {
    let mut body = Vec::with_capacity(256);
    // A vector takes every byte, and these values have nothing that CBOR cannot say.
    if let Err(error) = ciborium::into_writer(&cbor(output, false, timestamps), &mut body) {
        tracing::error!(%error, "an answer could not be written as CBOR");
    }
    body
}

fn cbor(output: &Value, timestamp: bool, timestamps: &[&str]) -> Cbor {
    match output {
        Value::Null => Cbor::Null,
        Value::Bool(is) => Cbor::Bool(*is),
        Value::Number(number) => {
            let plain = match (number.as_i64(), number.as_u64()) {
                _ if timestamp || number.is_f64() => Cbor::Float(number.as_f64().unwrap_or_default()),
                (Some(number), _) => Cbor::Integer(number.into()),
                (None, Some(number)) => Cbor::Integer(number.into()),
                (None, None) => Cbor::Float(number.as_f64().unwrap_or_default()),
            };
            if timestamp { Cbor::Tag(EPOCH, Box::new(plain)) } else { plain }
        }
        Value::String(text) => Cbor::Text(text.clone()),
        Value::Array(items) => Cbor::Array(items.iter().map(|item| cbor(item, timestamp, timestamps)).collect()),
        Value::Object(members) => {
            let entry = |(name, member): (&String, &Value)| {
                let timestamp = timestamps.contains(&name.as_str());
                (Cbor::Text(name.clone()), cbor(member, timestamp, timestamps))
            };
            Cbor::Map(members.iter().filter(|(_, member)| !member.is_null()).map(entry).collect())
        }
    }
}

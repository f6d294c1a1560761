//! Any bytes as JSON: the reader agrees with serde_json on what is JSON and what it says, and the writer writes it back.

use outcrop_wire::json::{MAX_DEPTH, Reader, Writer};
use serde_json::Value;

/// The entry of fuzzer and replay.
pub fn run(data: &[u8]) {
    let ours = read(data);
    let skipped = Reader::new(data).and_then(|mut reader| reader.skip().and_then(|()| reader.end()));
    assert_eq!(ours.is_ok(), skipped.is_ok(), "value and skip disagree");
    let theirs = serde_json::from_slice::<Value>(data);
    match (&ours, &theirs) {
        (Ok(ours), Ok(theirs)) => assert!(same(ours, theirs), "{ours} is not {theirs}"),
        (Ok(ours), Err(theirs)) => assert!(depth(ours) >= MAX_DEPTH - 1, "only ours reads it: {theirs}"),
        (Err(ours), Ok(theirs)) => assert!(depth(theirs) >= MAX_DEPTH - 1, "only theirs reads it: {ours}"),
        (Err(_), Err(_)) => {}
    }
    if let Ok(value) = ours {
        let mut writer = Writer::new(Vec::new());
        writer.document(&value);
        let again = read(&writer.into_bytes()).expect("what the writer writes");
        assert!(same(&again, &value), "{again} is not {value}");
    }
}

fn read(data: &[u8]) -> Result<Value, outcrop_wire::json::Error> {
    let mut reader = Reader::new(data)?;
    let value = reader.value()?;
    reader.end()?;
    Ok(value)
}

/// Equal but for how a number is kept: `-0` is a whole number here and a real one there.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|((ka, a), (kb, b))| ka == kb && same(a, b))
        }
        _ => a == b,
    }
}

fn depth(value: &Value) -> u32 {
    match value {
        Value::Array(list) => 1 + list.iter().map(depth).max().unwrap_or(0),
        Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

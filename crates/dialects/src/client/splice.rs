use outcrop_wire::json::{Error, Reader};
use serde_json::Value;

/// Copies the members of the object `body` into `out`, which holds the beginning of another object with a member in it,
/// but for those in `taken`; every byte of theirs stays. The value of `wanted`, one of the taken, comes back.
pub(crate) fn members(
    body: &[u8],
    taken: &[&str],
    wanted: &str,
    out: &mut Vec<u8>,
) -> std::result::Result<Option<Value>, Error> {
    let mut reader = Reader::new(body)?;
    reader.begin_object()?;
    let (mut first, mut found) = (true, None);
    let mut from = reader.position();
    while let Some(key) = reader.next_key(first)? {
        let keep = !taken.contains(&&*key);
        if key == wanted {
            found = Some(reader.value()?);
        } else {
            reader.skip()?;
        }
        if keep {
            // The first member has no comma before it, every other has.
            if first {
                out.push(b',');
            }
            out.extend_from_slice(&body[from..reader.position()]);
        }
        first = false;
        from = reader.position();
    }
    reader.end()?;
    Ok(found)
}

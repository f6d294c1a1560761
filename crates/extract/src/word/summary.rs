//! Title and author: the property set that every compound document of Office carries (\[MS-OLEPS\]).

use super::{u16_at, u32_at};
use crate::Document;

const CODE_PAGE: u32 = 1;
const TITLE: u32 = 2;
const AUTHOR: u32 = 4;
/// The type of a string in the set's code page.
const STRING: u32 = 30;

/// Notes what the set says.
pub(super) fn read(stream: &[u8], document: &mut Document) {
    let Some(set) = u32_at(stream, 44).and_then(|at| stream.get(at as usize..)) else { return };
    let value = |id: u32| {
        let count = u32_at(set, 4)?.min(100) as usize;
        let place = (0..count).map(|index| 8 + index * 8).find(|at| u32_at(set, *at) == Some(id))?;
        set.get(u32_at(set, place + 4)? as usize..)
    };
    let encoding = value(CODE_PAGE).and_then(|value| codepage::to_encoding(u16_at(value, 4)?));
    let encoding = encoding.unwrap_or(encoding_rs::WINDOWS_1252);
    let text = |id: u32| {
        let value = value(id).filter(|value| u32_at(value, 0) == Some(STRING))?;
        let bytes = value.get(8..8_usize.checked_add(u32_at(value, 4)? as usize)?)?;
        let (text, _) = encoding.decode_without_bom_handling(bytes);
        let text = text.trim_matches(|c: char| c == '\0' || c.is_whitespace());
        (!text.is_empty()).then(|| text.to_owned())
    };
    document.title = text(TITLE);
    document.attribute("author", text(AUTHOR).unwrap_or_default());
}

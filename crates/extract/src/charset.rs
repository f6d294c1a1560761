//! Bytes to text: byte order marks, declared character sets, and a guess where neither says.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, ISO_2022_JP, UTF_8, UTF_16BE, UTF_16LE};

/// Text and the character set that it was written in.
pub(crate) struct Decoded {
    pub text: String,
    pub charset: String,
}

/// Reads text. `declared` is what the file or its sender says; a byte order mark and valid UTF-8 beat it, because
/// declarations are wrong more often than thousands of bytes are valid UTF-8 by accident.
pub(crate) fn decode(bytes: &[u8], declared: Option<&str>) -> Decoded {
    if let Some(rest) = bytes.strip_prefix(&[0xff, 0xfe, 0, 0]) {
        return decoded(utf32(rest, u32::from_le_bytes), "utf-32le");
    }
    if let Some(rest) = bytes.strip_prefix(&[0, 0, 0xfe, 0xff]) {
        return decoded(utf32(rest, u32::from_be_bytes), "utf-32be");
    }
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return with(encoding, &bytes[mark..]);
    }
    if let Some(encoding) = wide(bytes) {
        return with(encoding, bytes);
    }
    let declared = declared.and_then(|label| Encoding::for_label(label.trim().as_bytes()));
    if declared == Some(ISO_2022_JP) || shifts(bytes) {
        return with(ISO_2022_JP, bytes);
    }
    if std::str::from_utf8(bytes).is_ok() {
        return with(UTF_8, bytes);
    }
    // A UTF-16 label on bytes that are not wide is a lie, and UTF-8 was just ruled out.
    if let Some(encoding) = declared
        && encoding.is_ascii_compatible()
        && encoding != UTF_8
    {
        return with(encoding, bytes);
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(bytes, true);
    with(detector.guess(None, Utf8Detection::Allow), bytes)
}

/// Whether these bytes read as text: no control characters that no text has.
pub(crate) fn is_text(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(8192)];
    if Encoding::for_bom(head).is_some() || head.starts_with(&[0, 0, 0xfe, 0xff]) || wide(head).is_some() {
        return true;
    }
    let odd = head.iter().filter(|byte| **byte < 9 || (14..32).contains(*byte) && **byte != 27).count();
    // One is an accident: a bell, the end mark of DOS.
    odd <= (head.len() / 200).max(1)
}

/// Whether this is UTF-16 or UTF-32, with a mark or without.
pub(crate) fn is_wide(bytes: &[u8]) -> bool {
    let marks: [&[u8]; 3] = [&[0xff, 0xfe], &[0xfe, 0xff], &[0, 0, 0xfe, 0xff]];
    marks.iter().any(|mark| bytes.starts_with(mark)) || wide(bytes).is_some()
}

/// UTF-16 without a mark: nearly every other byte of Western text is zero, and text has no other zeros.
fn wide(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = &bytes[..bytes.len().min(4096) & !1];
    if head.len() < 8 {
        return None;
    }
    let zeros = |first: usize| head.iter().skip(first).step_by(2).filter(|byte| **byte == 0).count();
    let (high, low, units) = (zeros(0), zeros(1), head.len() / 2);
    if low * 10 >= units * 7 && high * 20 <= units {
        Some(UTF_16LE)
    } else if high * 10 >= units * 7 && low * 20 <= units {
        Some(UTF_16BE)
    } else {
        None
    }
}

/// ISO-2022-JP, which is valid UTF-8 to who overlooks its escapes: they begin and end runs of Japanese.
fn shifts(bytes: &[u8]) -> bool {
    if !bytes.is_ascii() || memchr::memmem::find(bytes, b"\x1b$").is_none() {
        return false;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(bytes, true);
    detector.guess(None, Utf8Detection::Allow) == ISO_2022_JP
}

fn utf32(bytes: &[u8], number: fn([u8; 4]) -> u32) -> String {
    let units = bytes.chunks_exact(4).map(|unit| number([unit[0], unit[1], unit[2], unit[3]]));
    units.map(|unit| char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

fn with(encoding: &'static Encoding, bytes: &[u8]) -> Decoded {
    let (text, _) = encoding.decode_without_bom_handling(bytes);
    decoded(text.into_owned(), &encoding.name().to_ascii_lowercase())
}

/// One kind of line end, and no control characters: they would reach prompts and terminals.
fn decoded(text: String, charset: &str) -> Decoded {
    Decoded { text: clean(&text), charset: charset.to_owned() }
}

/// The same text with line feeds alone as line ends and without control characters.
pub(crate) fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '\r' => {
                chars.next_if_eq(&'\n');
                out.push('\n');
            }
            '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => out.push('\n'),
            '\n' | '\t' => out.push(char),
            '\u{feff}' => {}
            // A terminal's colours and moves: to the letter that ends them.
            '\u{1b}' if chars.next_if_eq(&'[').is_some() => {
                while chars.next_if(|next| matches!(next, '0'..='?' | ' '..='/')).is_some() {}
                chars.next_if(|next| matches!(next, '@'..='~'));
            }
            char if char.is_control() => {}
            char => out.push(char),
        }
    }
    out
}

#[cfg(test)]
mod tests;

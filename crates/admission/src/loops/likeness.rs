//! What nearly identical conversations have in common, as one number.

/// Of each text so many bytes are read at either end: it is cheap however long the text is.
const END: usize = 2_048;

const PRIME: u64 = 0x9E37_79B9_7F4A_7C15;

/// A hash of texts that stays the same when numbers, times and ids in them change, and spaces and the case of letters.
/// The texts are those that a loop repeats: the system prompt and the last message, tool results included.
///
/// A text is read as words: letters and digits, with `-_.:,+/` within. A word with a digit in it counts as "some
/// number", whatever it is; the letters of other words count without their case.
pub fn likeness<'a>(texts: impl IntoIterator<Item = &'a str>) -> u64 {
    let mut hash = PRIME;
    for text in texts {
        let bytes = text.as_bytes();
        if bytes.len() <= 2 * END {
            hash = words(hash, bytes);
        } else {
            hash = words(hash, &bytes[..END]);
            hash = words(hash, &bytes[bytes.len() - END..]);
        }
        hash = mix(hash, u64::from(b'\n'));
    }
    hash
}

#[derive(Clone, Copy, PartialEq)]
enum Class {
    Space,
    Letter,
    Digit,
    /// Stands within words.
    Joint,
    Other,
}

const CLASSES: [Class; 256] = {
    let mut classes = [Class::Other; 256];
    let mut at = 0;
    while at < 256 {
        classes[at] = match at as u8 {
            b' ' | b'\t' | b'\r' | b'\n' => Class::Space,
            b'0'..=b'9' => Class::Digit,
            b'a'..=b'z' | b'A'..=b'Z' | 0x80.. => Class::Letter,
            b'-' | b'_' | b'.' | b':' | b',' | b'+' | b'/' => Class::Joint,
            _ => Class::Other,
        };
        at += 1;
    }
    classes
};

fn words(mut hash: u64, bytes: &[u8]) -> u64 {
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match CLASSES[usize::from(byte)] {
            Class::Space => at += 1,
            Class::Joint | Class::Other => {
                hash = mix(hash, u64::from(byte));
                at += 1;
            }
            Class::Letter | Class::Digit => {
                let (end, number) = word(bytes, at);
                hash = if number { mix(hash, u64::from(b'#')) } else { letters(hash, &bytes[at..end]) };
                at = end;
            }
        }
    }
    hash
}

/// Where the word that begins at `at` ends, and whether it has a digit.
fn word(bytes: &[u8], at: usize) -> (usize, bool) {
    let (mut end, mut next, mut number) = (at, at, false);
    while let Some(&byte) = bytes.get(next) {
        next += 1;
        match CLASSES[usize::from(byte)] {
            Class::Letter => end = next,
            Class::Digit => (end, number) = (next, true),
            // It belongs to the word if the word goes on behind it.
            Class::Joint if end + 1 == next => {}
            _ => break,
        }
    }
    (end, number)
}

fn letters(mut hash: u64, word: &[u8]) -> u64 {
    let mut eights = word.chunks_exact(8);
    for eight in &mut eights {
        // The bit that tells small letters from capital ones is set in all of them.
        let value = eight.iter().fold(0, |value, byte| value << 8 | u64::from(byte | 0x20));
        hash = mix(hash, value);
    }
    let rest = eights.remainder().iter().fold(1, |value, byte| value << 8 | u64::from(byte | 0x20));
    mix(hash, rest)
}

/// Multiplication to 128 bits, folded.
fn mix(hash: u64, value: u64) -> u64 {
    let wide = u128::from(hash ^ value.wrapping_mul(PRIME)) * u128::from(PRIME | 1);
    (wide as u64) ^ (wide >> 64) as u64
}

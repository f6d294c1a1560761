//! Where in a folder a key is.
//!
//! A key that is a plain relative path is that path, so that people and other programs find the file. Every other key
//! (`..`, `//`, an end in `/`, control characters, long segments) is odd. It lies in a tree of its own, under its bytes
//! in hexadecimal, cut into names that every file system takes. The order of these paths is the order of the keys.

/// How this server's own files in a folder begin; no key does.
pub(crate) const OWN: &str = ".outcrop-";
/// The longest name of a file.
const LONGEST: usize = 255;
/// Hexadecimal digits in one name.
const CUT: usize = 200;
/// The end of a file's name in the odd tree; it sorts before all digits and before `/`.
const END: &str = ".";

/// Whether a key is a path that no file system reads in another way.
pub(crate) fn is_plain(key: &str) -> bool {
    key.split('/').all(|part| {
        !matches!(part, "" | "." | "..")
            && part.len() <= LONGEST
            && !part.starts_with(OWN)
            && !part.contains(|c: char| c.is_control() || c == '\\')
    })
}

/// The path of a key in the odd tree.
pub(crate) fn odd(key: &str) -> String {
    odd_prefix(key) + END
}

/// With what the odd paths begin of all keys that begin with `prefix`.
pub(crate) fn odd_prefix(prefix: &str) -> String {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut path = String::with_capacity(prefix.len() * 2 + 16);
    for (at, byte) in prefix.bytes().enumerate() {
        if at > 0 && (at * 2).is_multiple_of(CUT) {
            path.push('/');
        }
        path.push(char::from(HEX[usize::from(byte >> 4)]));
        path.push(char::from(HEX[usize::from(byte & 15)]));
    }
    path
}

/// The key at a path of the odd tree.
pub(crate) fn of_odd(path: &str) -> Option<String> {
    let digits: Vec<u8> = path.strip_suffix(END)?.bytes().filter(|b| *b != b'/').collect();
    let digit = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let bytes =
        digits.chunks(2).map(|pair| Some(digit(pair[0])? << 4 | digit(*pair.get(1)?)?)).collect::<Option<_>>()?;
    String::from_utf8(bytes).ok()
}

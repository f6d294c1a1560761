//! Telephone numbers, by the ways in which they are written. (The ports of libphonenumber cost more than they bring here:
//! one brings protobuf compilers along, the other libraries that nobody keeps, and neither finds numbers in text.)

use std::ops::Range;

use super::Pii;
use super::codes::{Candidate, glued};

/// More groups than any number has.
const MAX_GROUPS: usize = 9;

/// A number as it is written.
struct Written {
    range: Range<usize>,
    plus: bool,
    bracketed: bool,
    /// The lengths of the groups.
    groups: Vec<usize>,
    digits: Vec<u8>,
    /// Which marks part the groups: space, '-', '.', '/'.
    space: bool,
    hyphen: bool,
    point: bool,
    slash: bool,
}

/// The number that begins at `at` with '+', '(' or a digit.
pub fn find(text: &str, at: usize, announced: bool) -> Option<Candidate> {
    let bytes = text.as_bytes();
    if at > 0 && (joined(bytes, at, announced) || is_tail(text, at)) {
        return None;
    }
    let mut written = read(bytes, at);
    // Spaces may part this number from another: the longest beginning that is a number.
    loop {
        if plausible(&written, announced) && ends(bytes, written.range.end, &written) {
            let sure = if written.plus {
                83
            } else if announced {
                82
            } else {
                72
            };
            return Some(Candidate { range: at..extension(bytes, written.range.end), kind: Pii::Phone, sure });
        }
        if !written.space || written.groups.len() < 2 {
            return None;
        }
        let cut = bytes[at..written.range.end].iter().rposition(|byte| *byte == b' ')?;
        if cut == 0 || at + cut == at {
            return None;
        }
        written = read(&bytes[..at + cut], at);
    }
}

/// Whether what begins at `at` goes on from what stands before it.
fn joined(bytes: &[u8], at: usize, announced: bool) -> bool {
    let before = bytes[at - 1];
    if before.is_ascii_alphanumeric() || before == b'_' {
        return true;
    }
    // Nothing goes on with a plus.
    if bytes[at] == b'+' {
        return before == b'+';
    }
    let assigned = matches!(before, b'$' | b'#' | b'%' | b'=' | b'*') && !announced;
    // "(212) …" is read from its bracket on.
    let bracketed =
        before == b'(' && bytes[at..].iter().find(|byte| !byte.is_ascii_digit()).is_some_and(|byte| *byte == b')');
    assigned || bracketed || before == b'+' || glued(bytes, at)
}

/// Whether the digits at `at` are the rest of a number with a plus: what was refused whole is not taken in part.
fn is_tail(text: &str, at: usize) -> bool {
    /// The longest number with its marks.
    const LONGEST: usize = 32;
    let bytes = text.as_bytes();
    if bytes[at] == b'+' {
        return false;
    }
    for before in (at.saturating_sub(LONGEST)..at).rev() {
        match bytes[before] {
            b'0'..=b'9' | b' ' | b'-' | b'.' | b'/' | b'(' | b')' => {}
            b'+' => return find(text, before, false).is_none_or(|whole| whole.range.end > at),
            _ => return false,
        }
    }
    false
}

fn read(bytes: &[u8], at: usize) -> Written {
    let mut written = Written {
        range: at..at,
        plus: false,
        bracketed: false,
        groups: Vec::new(),
        digits: Vec::new(),
        space: false,
        hyphen: false,
        point: false,
        slash: false,
    };
    let mut next = at;
    if bytes[next] == b'+' {
        written.plus = true;
        next += 1;
    }
    while written.groups.len() < MAX_GROUPS {
        // "(555) ", "+44(0)20"
        let opens = bytes.get(next) == Some(&b'(');
        if opens {
            next += 1;
        }
        let begin = next;
        while next < bytes.len() && bytes[next].is_ascii_digit() && next - begin < 16 {
            written.digits.push(bytes[next] - b'0');
            next += 1;
        }
        if next == begin {
            break;
        }
        written.groups.push(next - begin);
        if opens {
            if bytes.get(next) != Some(&b')') {
                written.groups.clear();
                break;
            }
            written.bracketed = true;
            next += 1;
        }
        written.range.end = next;
        let mut after = next;
        match bytes.get(after) {
            Some(b' ') => written.space |= continues(bytes, after + 1),
            Some(b'-') => written.hyphen |= continues(bytes, after + 1),
            Some(b'.') => written.point |= continues(bytes, after + 1),
            Some(b'/') => written.slash |= continues(bytes, after + 1),
            _ => {}
        }
        if matches!(bytes.get(after), Some(b' ' | b'-' | b'.' | b'/')) {
            after += 1;
        }
        // " - " and "- " part groups, too.
        if !continues(bytes, after) {
            break;
        }
        next = after;
    }
    written
}

fn continues(bytes: &[u8], at: usize) -> bool {
    match bytes.get(at) {
        Some(byte) if byte.is_ascii_digit() => true,
        Some(b'(') => bytes.get(at + 1).is_some_and(u8::is_ascii_digit),
        _ => false,
    }
}

fn ends(bytes: &[u8], end: usize, written: &Written) -> bool {
    match bytes.get(end) {
        None => true,
        Some(b'x' | b'X') => bytes.get(end + 1).is_some_and(u8::is_ascii_digit),
        // "030 1234567-Ann", "030 1234567/Ann", but not "0301-2345-67ab".
        Some(b'-' | b'/' | b':') => !bytes.get(end + 1).is_some_and(u8::is_ascii_digit) && !is_code(bytes, end + 1),
        Some(b'%') => !bytes.get(end + 1).is_some_and(u8::is_ascii_alphanumeric),
        Some(b'.') => !bytes.get(end + 1).is_some_and(u8::is_ascii_digit),
        // No number of so many digits has groups that a comma parts.
        Some(b',') => true,
        Some(b' ') if written.space && !written.plus && !written.bracketed => true,
        Some(byte) => !(byte.is_ascii_alphanumeric() || *byte == b'_'),
    }
}

/// Whether the letters and digits at `at` are no word.
fn is_code(bytes: &[u8], at: usize) -> bool {
    bytes[at..].iter().take_while(|byte| byte.is_ascii_alphanumeric()).any(u8::is_ascii_digit)
}

/// "x123", " ext. 123".
fn extension(bytes: &[u8], end: usize) -> usize {
    let rest = &bytes[end..bytes.len().min(end + 16)];
    let lower: Vec<u8> = rest.iter().map(u8::to_ascii_lowercase).collect();
    for word in [&b"x"[..], b" x", b" ext. ", b" ext ", b" ext.", b" extension ", b", ext. ", b", ext ", b"ext"] {
        if lower.starts_with(word) {
            let digits = lower[word.len()..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            if (1..=6).contains(&digits) {
                return end + word.len() + digits;
            }
        }
    }
    end
}

fn plausible(written: &Written, announced: bool) -> bool {
    let count = written.digits.len();
    if !(7..=15).contains(&count)
        || written.digits.iter().all(|digit| *digit == written.digits[0])
        || written.groups.is_empty()
    {
        return false;
    }
    let groups = written.groups.as_slice();
    let first = written.digits[0];
    // Numbers of objects and versions.
    if written.point && (groups.len() > 5 || groups.iter().skip(1).any(|group| *group == 1)) {
        return false;
    }
    if written.plus {
        return first != 0 && count >= 8;
    }
    let date = matches!(groups, [4, 1..=2, 1..=2] | [1..=2, 1..=2, 4]) && !written.space;
    if date || (written.point && groups.len() == 4 && groups.iter().all(|group| *group <= 3)) {
        return false;
    }
    if announced {
        return true;
    }
    // Area codes and exchanges of North America begin with 2 to 9; sets of examples know worse exchanges.
    let area = |at: usize| written.digits.get(at).is_some_and(|digit| *digit >= 2);
    let north_american = match groups {
        [3, 3, 4] => area(0) && !written.slash,
        [1, 3, 3, 4] => first == 1 && area(1) && !written.slash,
        [3, 7] => written.bracketed && area(0),
        _ => false,
    };
    let marked = written.hyphen || written.point || written.space || written.bracketed;
    if north_american && marked {
        // Three columns of figures are no number, unless marks or brackets join them.
        return written.bracketed || written.hyphen || written.point || area(3);
    }
    if first != 0 || written.point && written.hyphen {
        return false;
    }
    // National numbers elsewhere begin with 0: in brackets, or with an area code of two to five digits.
    let second = written.digits.get(1).copied().unwrap_or(0);
    let national = (9..=12).contains(&count) && second != 0 && groups.len() >= 2 && (2..=5).contains(&groups[0]);
    let french = groups.len() == 5 && groups.iter().all(|group| *group == 2);
    national
        && (written.bracketed || written.space || written.slash || written.hyphen)
        && (french || groups.iter().skip(1).any(|group| *group >= 3))
        || french && second != 0
}

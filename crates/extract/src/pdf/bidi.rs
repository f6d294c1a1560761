//! From the order in which glyphs stand, left to right, to the order in which they are read.

/// The text in the order in which it is read: Arabic and Hebrew run from right to left. A unit is a glyph's text, with a
/// space behind it where a word ends.
pub(super) fn logical(parts: &[String]) -> String {
    let (right, left) = directions(parts.iter().flat_map(|part| part.chars()));
    let words: String = if right == 0 {
        parts.concat()
    } else {
        // Single characters again: a space was added behind a glyph, not to it.
        let mut units: Vec<String> = Vec::new();
        for part in parts {
            let letter = part.trim_end();
            units.push(letter.to_owned());
            if letter.len() < part.len() {
                units.push(" ".to_owned());
            }
        }
        if right * 2 >= left {
            units.reverse();
            turn(&mut units, |unit| unit.chars().any(|c| c.is_alphanumeric() && !is_rtl(c)));
        } else {
            turn(&mut units, |unit| unit.chars().any(is_rtl));
        }
        units.concat()
    };
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// How many letters run from right to left, and how many from left to right.
pub(super) fn directions(chars: impl Iterator<Item = char>) -> (usize, usize) {
    let (mut right, mut left) = (0, 0);
    for char in chars {
        if is_rtl(char) {
            right += 1;
        } else if char.is_alphabetic() {
            left += 1;
        }
    }
    (right, left)
}

/// Reverses the runs of units that read the other way, with what stands between two of them.
fn turn(units: &mut [String], other: impl Fn(&str) -> bool) {
    let neutral = |unit: &str| unit.chars().all(|c| !c.is_alphabetic());
    let mut at = 0;
    while at < units.len() {
        if !other(&units[at]) {
            at += 1;
            continue;
        }
        let mut end = at + 1;
        let mut ahead = end;
        while ahead < units.len() && (other(&units[ahead]) || neutral(&units[ahead])) {
            ahead += 1;
            if other(&units[ahead - 1]) {
                end = ahead;
            }
        }
        units[at..end].reverse();
        at = end;
    }
}

fn is_rtl(char: char) -> bool {
    matches!(char as u32, 0x0590..=0x08ff | 0xfb1d..=0xfdff | 0xfe70..=0xfeff | 0x10800..=0x10fff | 0x1e800..=0x1efff)
}

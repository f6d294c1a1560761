//! Text as the models read it, and the texts that a text hides.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::gloss::gloss;

/// Lower case, one space between words, without accents, invisible characters and letters that only look Latin.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let mut from = 0;
    // Most text is ASCII, and Unicode's rules leave ASCII as it is.
    for (at, c) in text.char_indices() {
        if c.is_ascii() {
            continue;
        }
        ascii(text.get(from..at).unwrap_or_default(), &mut folded);
        from = at + c.len_utf8();
        if is_invisible(c) {
            continue;
        }
        for c in std::iter::once(c).nfkd().filter(|c| !is_combining_mark(*c)) {
            match c {
                c if c.is_whitespace() => ascii(" ", &mut folded),
                '\u{2018}' | '\u{2019}' => folded.push('\''),
                c => folded.extend(c.to_lowercase()),
            }
        }
    }
    ascii(text.get(from..).unwrap_or_default(), &mut folded);
    if folded.is_ascii() { folded } else { latin(&folded) }
}

fn ascii(text: &str, into: &mut String) {
    for byte in text.bytes() {
        match byte {
            b if b.is_ascii_whitespace() || b.is_ascii_control() => {
                if !into.is_empty() && !into.ends_with(' ') {
                    into.push(' ');
                }
            }
            b => into.push(b.to_ascii_lowercase().into()),
        }
    }
}

/// Zero-width and direction marks, soft hyphens, variation selectors, tags.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0000}'..='\u{e01ef}')
}

/// In words that mix scripts, letters that look Latin become Latin. Words of one script stay: Greek is Greek.
fn latin(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_inclusive(' ') {
        if !word.is_ascii() && word.bytes().any(|b| b.is_ascii_alphabetic()) {
            out.extend(word.chars().map(lookalike));
        } else {
            out.push_str(word);
        }
    }
    out
}

fn lookalike(c: char) -> char {
    match c {
        'а' | 'α' => 'a',
        'в' | 'β' | 'ь' => 'b',
        'с' | 'ϲ' => 'c',
        'ԁ' => 'd',
        'е' | 'ε' | 'є' => 'e',
        'һ' => 'h',
        'і' | 'ι' | 'ı' => 'i',
        'ј' => 'j',
        'к' | 'κ' => 'k',
        'ӏ' => 'l',
        'м' => 'm',
        'н' => 'h',
        'п' | 'η' => 'n',
        'о' | 'ο' | 'σ' => 'o',
        'р' | 'ρ' => 'p',
        'ѕ' => 's',
        'т' | 'τ' => 't',
        'υ' | 'ц' => 'u',
        'ν' | 'ѵ' => 'v',
        'ԝ' | 'ω' => 'w',
        'х' | 'χ' => 'x',
        'у' | 'γ' => 'y',
        c => c,
    }
}

/// What `window` hides: text in base64, in ROT13, with letters apart, with digits for letters, in a language that the
/// models know little of. Each is judged beside the window itself. Cheap where nothing is hidden.
pub fn hidden(window: &str) -> Vec<String> {
    let mut found = Vec::new();
    found.extend(unpacked(window));
    let folded = fold(window);
    found.extend(rotated(&folded));
    found.extend(joined(&folded));
    found.extend(spelt(&folded));
    found.extend(gloss(window, &folded));
    found
}

/// Base64 that decodes to readable text, in its place.
fn unpacked(window: &str) -> Option<String> {
    const SHORTEST: usize = 20;
    let mut decoded = String::new();
    for run in window.split(|c: char| !(c.is_ascii_alphanumeric() || "+/=-_".contains(c))) {
        let run = run.trim_end_matches('=');
        if run.len() < SHORTEST || run.len() % 4 == 1 {
            continue;
        }
        let mut bytes = Vec::with_capacity(run.len() / 4 * 3);
        for group in run.as_bytes().chunks(4) {
            let bits = group.iter().fold(0u32, |bits, b| bits << 6 | six_bits(*b)) << (6 * (4 - group.len()));
            bytes.extend(bits.to_be_bytes().into_iter().skip(1).take(group.len() - 1));
        }
        let Ok(text) = std::str::from_utf8(&bytes) else { continue };
        // Identifiers and keys decode to anything but words.
        if text.chars().all(|c| !c.is_control() || c.is_whitespace()) && text.contains(' ') {
            decoded.push_str(text);
            decoded.push(' ');
        }
    }
    (!decoded.is_empty()).then_some(decoded)
}

fn six_bits(byte: u8) -> u32 {
    let value = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        _ => 63,
    };
    u32::from(value)
}

/// ROT13, which shows by its little words.
fn rotated(folded: &str) -> Option<String> {
    const LITTLE: [&str; 16] =
        ["gur", "gb", "naq", "bs", "ubj", "lbh", "lbhe", "jung", "vf", "va", "jvgu", "sbe", "guvf", "zr", "zl", "qb"];
    let (mut words, mut little) = (0, 0);
    for word in folded.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| !word.is_empty()) {
        words += 1;
        little += usize::from(LITTLE.contains(&word));
    }
    let turned = |c: char| match c {
        'a'..='z' => char::from((c as u8 - b'a' + 13) % 26 + b'a'),
        c => c,
    };
    (little >= 1 && little * 8 >= words && words > 2).then(|| folded.chars().map(turned).collect())
}

/// Letters that stand apart (`k i l l`, `k.i.l.l`), together.
fn joined(folded: &str) -> Option<String> {
    const SHORTEST: usize = 4;
    let chars: Vec<char> = folded.chars().collect();
    let is_gap = |c: Option<&char>| c.is_some_and(|c| matches!(c, ' ' | '.' | '-' | '_' | '*'));
    let lone = |at: usize| {
        chars.get(at).is_some_and(|c| c.is_alphanumeric())
            && !at.checked_sub(1).and_then(|at| chars.get(at)).is_some_and(|c| c.is_alphanumeric())
            && !chars.get(at + 1).is_some_and(|c| c.is_alphanumeric())
    };
    let (mut out, mut at, mut changed) = (String::new(), 0, false);
    while let Some(c) = chars.get(at) {
        let mut end = at;
        if lone(at) {
            let gap = chars.get(at + 1);
            while is_gap(gap) && chars.get(end + 1) == gap && lone(end + 2) {
                end += 2;
            }
        }
        if end >= at + 2 * (SHORTEST - 1) {
            out.extend(chars.iter().skip(at).take(end + 1 - at).step_by(2));
            changed = true;
        } else {
            out.push(*c);
            end = at;
        }
        at = end + 1;
    }
    changed.then_some(out)
}

/// Digits and signs that stand for letters inside words (`k1ll`, `h@ck`), as letters.
fn spelt(folded: &str) -> Option<String> {
    let mut changed = false;
    let mut out = String::with_capacity(folded.len());
    for word in folded.split_inclusive(' ') {
        let bare = word.trim_end_matches(|c: char| !c.is_alphanumeric());
        let letters = bare.chars().filter(char::is_ascii_alphabetic).count();
        let signs = bare.chars().filter(|c| leet(*c).is_some()).count();
        let inside = bare.chars().all(|c| c.is_ascii_alphabetic() || leet(c).is_some());
        let first = bare.chars().next().is_some_and(|c| c.is_ascii_alphabetic());
        let last = bare.chars().next_back().is_some_and(|c| c.is_ascii_alphabetic());
        if signs > 0 && inside && letters >= 2 && first && last && bare.len() <= 16 {
            changed = true;
            out.extend(word.chars().map(|c| leet(c).unwrap_or(c)));
        } else {
            out.push_str(word);
        }
    }
    changed.then_some(out)
}

fn leet(c: char) -> Option<char> {
    Some(match c {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        '8' => 'b',
        _ => return None,
    })
}

#[cfg(test)]
mod tests;

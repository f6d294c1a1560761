//! From where on more text may change what words and PII are found.

/// A spaced-out phrase of a hundred characters is as long.
const REACH: usize = 300;
/// Words that begin sentences, and no names.
const OPENERS: [&str; 16] =
    ["A", "An", "As", "For", "Here", "How", "I", "If", "In", "It", "The", "There", "This", "To", "What", "You"];
/// Words behind a number or a name that may say what it is.
const BEHIND: usize = 4;

/// One token with the whitespace before it.
struct Token<'a> {
    start: usize,
    text: &'a str,
    /// A line ends before it.
    new_line: bool,
}

/// The tokens of `text` behind `from`, the last first, within reach.
fn tokens(text: &str, from: usize) -> impl Iterator<Item = Token<'_>> {
    let mut end = text.len();
    std::iter::from_fn(move || {
        let rest = text.get(from..end)?.trim_end();
        if rest.is_empty() {
            return None;
        }
        let gap = rest.rfind(char::is_whitespace);
        let start =
            from + gap.map_or(0, |at| at + rest.get(at..).and_then(|s| s.chars().next()).map_or(1, char::len_utf8));
        let token = text.get(start..from + rest.len())?;
        let before = text.get(from..start)?;
        let new_line = before.get(before.trim_end().len()..)?.contains('\n');
        end = start;
        Some(Token { start, text: token, new_line })
    })
}

/// At most that many characters from the end.
fn within(text: &str, from: usize, settled: usize) -> usize {
    let far = text.char_indices().rev().nth(REACH - 1).map_or(0, |(at, _)| at);
    settled.max(far).max(from)
}

/// Words: the token that is still arriving, as many whole ones as a phrase has beside it, and, where words may be
/// spaced out, letters that stand alone.
pub(super) fn words(text: &str, from: usize, phrase: usize, spaced: bool) -> usize {
    let (mut settled, mut left) = (text.len(), phrase.saturating_sub(1));
    let mut arriving = !text.ends_with(char::is_whitespace);
    for token in tokens(text, from) {
        if !arriving {
            let alone = spaced && token.text.chars().nth(2).is_none();
            if left == 0 && !alone {
                break;
            }
            left = left.saturating_sub(1);
        }
        arriving = false;
        settled = token.start;
    }
    within(text, from, settled)
}

/// PII: what is still arriving and the token before it; and where `context` counts, what looks like a part of it within
/// some words, for they may say what it is. Before that, everything that looks like a part of the same.
pub(super) fn pii(text: &str, from: usize, context: bool) -> usize {
    let whole = text.ends_with(char::is_whitespace);
    let (near, far) = (if whole { 1 } else { 2 }, if context { BEHIND } else { 0 });
    let (mut settled, mut joined, mut broken) = (text.len(), true, false);
    for (at, token) in tokens(text, from).enumerate() {
        let tells = telling(token.text) && !ends(token.text) && !OPENERS.contains(&token.text);
        if at < near || tells && (at < near + far || joined && !broken) {
            settled = token.start;
            joined = true;
        } else if at >= near + far {
            break;
        } else {
            joined = false;
        }
        broken = token.new_line;
    }
    within(text, from, settled)
}

/// A sentence ends behind it for sure.
fn ends(token: &str) -> bool {
    token.ends_with(['!', '?'])
}

/// It may be a part of a name, a number or an address.
fn telling(token: &str) -> bool {
    let first = token.chars().find(|c| c.is_alphanumeric());
    first.is_none_or(char::is_uppercase)
        || token.chars().any(|c| c.is_ascii_digit() || "@:/_".contains(c))
        || token.chars().count() <= 3
}

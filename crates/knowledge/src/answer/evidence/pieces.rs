//! Retrieved text, cut into what can be an answer.

use std::ops::Range;

use outcrop_guard::grounding::sentences;

/// A part of a passage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    /// Which passage.
    pub passage: usize,
    /// Its bytes there.
    pub range: Range<usize>,
    /// Whether it only says what comes: a heading, the head of a table.
    pub heading: bool,
}

/// A heading has at most so many words.
const HEADING: usize = 10;
/// A sentence that ends in a colon takes at most so many lines with it: a command, a short list.
const LINES: usize = 4;

/// The pieces of `text`, in order.
pub(super) fn pieces(passage: usize, text: &str) -> Vec<Piece> {
    let begin = text.as_ptr() as usize;
    let cut: Vec<Range<usize>> = sentences(text)
        .into_iter()
        .map(|sentence| {
            let start = sentence.as_ptr() as usize - begin;
            start..start + sentence.len()
        })
        .collect();
    let mut found = Vec::new();
    for (at, range) in cut.iter().enumerate() {
        let own = &text[range.clone()];
        let heading = heading(own, text[range.end..].chars().next());
        let mut end = range.end;
        if own.ends_with(':') {
            end = cut[at + 1..].iter().take(LINES).fold(end, |end, next| {
                let between = &text[end..next.start];
                // An empty line may stand before a block, not within it.
                if between.matches('\n').count() > 2 { end } else { next.end }
            });
        }
        found.push(Piece { passage, range: range.start..end, heading });
    }
    found
}

fn heading(piece: &str, next: Option<char>) -> bool {
    if piece.starts_with('#') {
        return true;
    }
    let ends = piece.ends_with(['.', '!', '?', ':', ';', '`', '"', '”', ')', '。', '！', '？', '|']);
    let plain = !piece.starts_with(['-', '*', '•', '`', '|', '$']) && !piece.contains(['`', '|', ':', '=']);
    !ends && plain && matches!(next, Some('\n' | '\r')) && piece.split_whitespace().count() <= HEADING
}

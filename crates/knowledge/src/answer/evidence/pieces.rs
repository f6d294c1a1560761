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
    /// Whether it only says what comes: a heading, the head of a table, a question.
    pub heading: bool,
}

/// A heading has at most so many words.
const HEADING: usize = 10;
/// A sentence that ends in a colon takes at most so many lines with it: a command, a short list.
const LINES: usize = 4;

/// What stands between the cells of a table's row.
const CELLS: &str = " | ";

/// The pieces of `text`, in order. A table's row is one, whatever its cells hold, and its first row only says what comes.
pub(super) fn pieces(passage: usize, text: &str) -> Vec<Piece> {
    let cut = cut(text);
    let mut found = Vec::new();
    for (at, (range, kind)) in cut.iter().enumerate() {
        let own = &text[range.clone()];
        let heading = match kind {
            Kind::Sentence => own.ends_with('?') || heading(own, text[range.end..].chars().next()),
            Kind::Head => true,
            Kind::Row => false,
        };
        let mut end = range.end;
        if own.ends_with(':') {
            end = cut[at + 1..].iter().take(LINES).fold(end, |end, (next, _)| {
                let between = &text[end..next.start];
                // An empty line may stand before a block, not within it.
                if between.matches('\n').count() > 2 { end } else { next.end }
            });
        }
        found.push(Piece { passage, range: range.start..end, heading });
    }
    found
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Sentence,
    /// A table's first row, where others follow.
    Head,
    Row,
}

/// Sentences, and the rows of tables.
fn cut(text: &str) -> Vec<(Range<usize>, Kind)> {
    let begin = text.as_ptr() as usize;
    let place = |part: &str| {
        let start = part.as_ptr() as usize - begin;
        start..start + part.len()
    };
    let mut cut = Vec::new();
    let mut plain = 0..0;
    let tell = |plain: Range<usize>, cut: &mut Vec<(Range<usize>, Kind)>| {
        cut.extend(sentences(&text[plain]).into_iter().map(|sentence| (place(sentence), Kind::Sentence)));
    };
    let mut within = false;
    let mut lines = text.split_inclusive('\n').peekable();
    while let Some(line) = lines.next() {
        let (range, row) = (place(line), line.contains(CELLS));
        if row {
            tell(plain.clone(), &mut cut);
            plain = range.end..range.end;
            // A passage that begins with a row may begin within a table.
            let head = !within && range.start > 0 && lines.peek().is_some_and(|next| next.contains(CELLS));
            cut.push((place(line.trim()), if head { Kind::Head } else { Kind::Row }));
        } else {
            plain.end = range.end;
        }
        within = row;
    }
    tell(plain, &mut cut);
    cut
}

fn heading(piece: &str, next: Option<char>) -> bool {
    if piece.starts_with('#') {
        return true;
    }
    let ends = piece.ends_with(['.', '!', '?', ':', ';', '`', '"', '”', ')', '。', '！', '？', '|']);
    let plain = !piece.starts_with(['-', '*', '•', '`', '|', '$']) && !piece.contains(['`', '|', ':', '=']);
    !ends && plain && matches!(next, Some('\n' | '\r')) && piece.split_whitespace().count() <= HEADING
}

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
const LINES: usize = 8;

/// What stands between the cells of a table's row.
const CELLS: &str = " | ";

/// The pieces of `text`, in order. A table's row is one, whatever its cells hold, and its first row only says what comes.
pub(super) fn pieces(passage: usize, text: &str) -> Vec<Piece> {
    let cut = cut(text);
    let mut found = Vec::new();
    for (at, (range, kind)) in cut.iter().enumerate() {
        let own = &text[range.clone()];
        let heading = match kind {
            Kind::Sentence => own.ends_with('?') || refers(own) || heading(own, text[range.end..].chars().next()),
            Kind::Head => true,
            Kind::Row => false,
        };
        let mut end = range.end;
        if own.ends_with(':') && !heading {
            end = led(text, range, cut[at + 1..].iter().map(|(next, _)| next));
        }
        found.push(Piece { passage, range: range.start..end, heading });
    }
    found
}

/// Where the block ends that a sentence with a colon leads to: lines of code, a list. An empty line may stand before it,
/// and between the items of a list; elsewhere it ends the block.
fn led<'a>(text: &str, lead: &Range<usize>, next: impl Iterator<Item = &'a Range<usize>>) -> usize {
    let mut end = lead.end;
    for (at, line) in next.take(LINES).enumerate() {
        let lines = text[end..line.start].matches('\n').count();
        let most = if at == 0 || is_item(&text[line.clone()]) { 2 } else { 1 };
        if lines > most || text[line.clone()].starts_with('#') {
            break;
        }
        end = line.end;
    }
    end
}

/// Whether a line is an item of a list.
fn is_item(line: &str) -> bool {
    let rest = line.trim_start_matches(|c: char| c.is_ascii_digit());
    ["- ", "* ", "• "].iter().any(|mark| line.starts_with(mark)) || rest.len() < line.len() && rest.starts_with(". ")
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

/// Whether a sentence only says where to read on.
fn refers(own: &str) -> bool {
    ["See ", "see ", "See also"].iter().any(|word| own.starts_with(word))
}

/// Whether a sentence begins with a word for something that was said before.
pub(super) fn points_back(own: &str) -> bool {
    const WORDS: &[&str] = &["It", "This", "That", "These", "Those", "They", "Then", "Otherwise"];
    own.split(|c: char| !c.is_alphanumeric()).next().is_some_and(|first| WORDS.contains(&first))
}

fn heading(piece: &str, next: Option<char>) -> bool {
    // A directive of reStructuredText names what follows.
    if piece.starts_with('#') || piece.starts_with(".. ") && piece.ends_with("::") {
        return true;
    }
    let ends = piece.ends_with(['.', '!', '?', ':', ';', '`', '"', '”', ')', '。', '！', '？', '|']);
    let plain = !piece.starts_with(['-', '*', '•', '`', '|', '$']) && !piece.contains(['`', '|', ':', '=']);
    !ends && plain && matches!(next, Some('\n' | '\r')) && piece.split_whitespace().count() <= HEADING
}

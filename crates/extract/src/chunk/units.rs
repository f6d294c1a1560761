//! A document as a line of units that are better not cut: sentences, table rows, headings.

use std::ops::Range;
use std::rc::Rc;

use unicode_segmentation::UnicodeSegmentation;

use super::Chunk;
use crate::{Document, Role};

/// A piece of text that stays whole where it can.
#[derive(Debug, Clone)]
pub(super) struct Unit {
    /// Where it stands in the text, in bytes, without white space around it.
    pub bytes: Range<usize>,
    /// Its page.
    pub page: Option<u32>,
    /// The headings above it.
    pub headings: Rc<[String]>,
    /// Whether it is a heading: those stay with what follows.
    pub heading: bool,
    /// Whether a page or a top section begins with it: no chunk reaches over such a border.
    pub border: bool,
}

/// A document's text and units.
pub(super) struct Outline {
    pub text: String,
    pub units: Vec<Unit>,
    /// Characters before every 256th byte or the character that reaches over it: offsets are asked for by the thousand.
    marks: Vec<usize>,
}

impl Outline {
    pub(super) fn of(document: &Document) -> Self {
        let (text, starts) = document.layout();
        let top = top_level(document);
        let mut units: Vec<Unit> = Vec::new();
        let mut path: Vec<(u8, String)> = Vec::new();
        let mut headings: Rc<[String]> = Rc::from([]);
        // Headings that follow one another share a section: one alone says nothing.
        let mut body = false;
        for (block, start) in document.blocks.iter().zip(starts) {
            let page = block.page;
            let mut border = units.last().is_some_and(|last: &Unit| last.page != page);
            if let Role::Heading(level) = block.role {
                path.retain(|(above, _)| *above < level);
                headings = path.iter().map(|(_, text)| text.clone()).collect();
                path.push((level, block.text.clone()));
                border |= level <= top && body;
                body = false;
            } else {
                body = true;
            }
            let heading = matches!(block.role, Role::Heading(_));
            let sentences = match block.role {
                Role::Heading(_) | Role::Row => std::iter::once(0..block.text.len()).collect(),
                Role::Verbatim => lines(&block.text),
                _ => sentences(&block.text),
            };
            for sentence in sentences {
                let bytes = start + sentence.start..start + sentence.end;
                units.push(Unit { bytes, page, headings: Rc::clone(&headings), heading, border });
                border = false;
            }
            if heading {
                headings = path.iter().map(|(_, text)| text.clone()).collect();
            }
        }
        let marks = marks(&text);
        Self { text, units, marks }
    }

    /// The chunk from one byte to another.
    pub(super) fn chunk(&self, bytes: Range<usize>, page: Option<u32>, headings: &[String]) -> Chunk {
        Chunk {
            text: self.text[bytes.clone()].to_owned(),
            page,
            headings: headings.to_vec(),
            start: self.chars(bytes.start),
            end: self.chars(bytes.end),
            parent: None,
        }
    }

    /// All of the text as one chunk.
    pub(super) fn whole(&self) -> Option<Chunk> {
        let (first, last) = (self.units.first()?, self.units.last()?);
        Some(self.chunk(first.bytes.start..last.bytes.end, None, &[]))
    }

    /// How many characters stand before a byte.
    fn chars(&self, byte: usize) -> usize {
        let mark = byte / MARK;
        let mut from = mark * MARK;
        while !self.text.is_char_boundary(from) {
            from += 1;
        }
        if from > byte {
            return self.marks[mark];
        }
        self.marks[mark] + self.text[from..byte].chars().count()
    }
}

const MARK: usize = 256;

fn marks(text: &str) -> Vec<usize> {
    let mut marks = Vec::with_capacity(text.len() / MARK + 1);
    for (chars, (byte, _)) in text.char_indices().enumerate() {
        while marks.len() * MARK <= byte {
            marks.push(chars);
        }
    }
    while marks.len() * MARK <= text.len() {
        marks.push(text.chars().count());
    }
    marks
}

/// The level of the headings that divide a document: of the outermost that occurs more than once. A single one above
/// them is the title.
fn top_level(document: &Document) -> u8 {
    let mut counts = [0usize; 256];
    for block in &document.blocks {
        if let Role::Heading(level) = block.role {
            counts[level as usize] += 1;
        }
    }
    (0..=255).find(|level| counts[*level as usize] > 1).unwrap_or(0)
}

/// Sentences (UAX #29), without the white space around them. Line ends that only fit a width do not end a sentence.
pub(super) fn sentences(text: &str) -> Vec<Range<usize>> {
    let unwrapped = unwrap(text);
    let mut ranges = Vec::new();
    let mut begin = 0;
    let mut end = 0;
    for (at, piece) in unwrapped.split_sentence_bound_indices() {
        end = at + piece.len();
        if abbreviates(piece) || begin == at && is_number(piece) {
            continue;
        }
        trimmed(text, begin..end, &mut ranges);
        begin = end;
    }
    trimmed(text, begin..end, &mut ranges);
    ranges
}

/// Whether a piece ends in a full stop that ends no sentence: "Dr. Who", "e.g. ducks", "J. Doe", "12. item".
fn abbreviates(piece: &str) -> bool {
    let piece = piece.trim_end_matches(' ');
    let Some(stem) = piece.strip_suffix('.') else { return false };
    let word = stem.rsplit(|c: char| c.is_whitespace() || c == '(').next().unwrap_or(stem);
    let letters = word.chars().count();
    if letters == 1 && word.chars().all(char::is_uppercase) || word.contains('.') && letters <= 6 {
        return true;
    }
    [
        "Dr", "Mr", "Mrs", "Ms", "Prof", "St", "No", "vs", "etc", "Fig", "Figs", "Eq", "al", "Inc", "Ltd", "Co", "cf",
        "approx", "pp", "vol", "Sec", "bzw", "Nr", "Abs",
    ]
    .contains(&word)
}

/// A number that opens a sentence is a list's mark.
fn is_number(piece: &str) -> bool {
    let Some(number) = piece.trim().strip_suffix('.') else { return false };
    (1..=3).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// The same bytes with spaces in place of line ends after which a sentence goes on: those of long lines.
fn unwrap(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut lines = text.split_inclusive('\n').peekable();
    while let Some(line) = lines.next() {
        let goes_on = line.len() > 50
            && lines.peek().is_some_and(|next| {
                let next = next.trim_start_matches([' ', '\t']);
                !next.is_empty() && !next.starts_with(['-', '*', '•', '#', '|', '>', '\n'])
            });
        match line.strip_suffix('\n') {
            Some(stem) if goes_on => {
                out.push_str(stem);
                out.push(' ');
            }
            _ => out.push_str(line),
        }
    }
    out
}

fn lines(text: &str) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        // Indentation belongs to a line of code.
        let end = at + line.trim_end().len();
        if !line.trim().is_empty() {
            ranges.push(at..end);
        }
        at += line.len();
    }
    ranges
}

fn trimmed(text: &str, range: Range<usize>, into: &mut Vec<Range<usize>>) {
    let piece = &text[range.clone()];
    let start = range.start + (piece.len() - piece.trim_start().len());
    let end = start + piece.trim().len();
    if end > start {
        into.push(start..end);
    }
}

/// Words: where a unit that is too long may be cut. Space-divided runs, except where a script writes without spaces.
pub(super) fn words(text: &str) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    for run in text.split_inclusive(char::is_whitespace) {
        let word = run.trim_end();
        if !word.is_empty() {
            if word.chars().any(without_spaces) {
                ranges.extend(word.split_word_bound_indices().map(|(from, part)| at + from..at + from + part.len()));
            } else {
                ranges.push(at..at + word.len());
            }
        }
        at += run.len();
    }
    ranges
}

/// Scripts that do not divide words: Han, Kana, Thai, Lao, Myanmar, Khmer, Tibetan.
fn without_spaces(char: char) -> bool {
    matches!(char as u32, 0x0e00..=0x0fff | 0x1000..=0x109f | 0x1780..=0x17ff | 0x2e80..=0x9fff | 0xf900..=0xfaff | 0x20000..=0x3ffff)
}

//! What characters and paragraphs are: runs of places in the file, each with a list of what differs from its style.

use std::ops::Range;

use super::header::{Header, Part};
use super::{u16_at, u32_at};

/// The properties lie in pages of this size.
const PAGE: usize = 512;
/// A page's number has 22 bits.
const MOST_PAGES: usize = 1 << 22;

/// What a paragraph is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Paragraph {
    /// The level of the heading that it is, from 1.
    pub heading: Option<u8>,
    /// The list that it is an item of, from 1, and its depth there.
    pub list: u16,
    pub depth: u8,
    /// How many tables it lies in.
    pub tables: u32,
    /// Whether it only ends a table's row.
    pub row_end: bool,
}

/// The properties of a document's text.
pub(super) struct Properties {
    paragraphs: Vec<(Range<u32>, Paragraph)>,
    /// Where characters are that are not to be read.
    hidden: Vec<Range<u32>>,
}

impl Properties {
    pub(super) fn of(header: &Header, main: &[u8], table: &[u8], data: &[u8], styles: &[Paragraph]) -> Self {
        let mut all = Self { paragraphs: Vec::new(), hidden: Vec::new() };
        runs(header, header.paragraphs, main, table, if header.old { 7 } else { 13 }, |place, page, offset| {
            let mut paragraph = styles.first().copied().unwrap_or_default();
            if let Some(list) = paragraph_list(page, offset) {
                let style = usize::from(u16_at(list, 0).unwrap_or_default());
                let list = list.get(2..).unwrap_or_default();
                paragraph = styles.get(style).copied().unwrap_or_default();
                if header.old { paragraph.apply_old(list) } else { paragraph.apply(list, data) }
            }
            all.paragraphs.push((place, paragraph));
        });
        // Changes to characters had other codes before.
        let characters = if header.old { Part::default() } else { header.characters };
        runs(header, characters, main, table, 1, |place, page, offset| {
            if character_list(page, offset).is_some_and(is_hidden) {
                all.hidden.push(place);
            }
        });
        all.paragraphs.sort_by_key(|(place, _)| place.start);
        all.hidden.sort_by_key(|place| place.start);
        all
    }

    /// The paragraph whose end mark is there.
    pub(super) fn paragraph(&self, at: u32) -> Paragraph {
        let before = self.paragraphs.partition_point(|(place, _)| place.start <= at);
        let found = before.checked_sub(1).and_then(|index| self.paragraphs.get(index));
        found.filter(|(place, _)| place.contains(&at)).map(|(_, paragraph)| *paragraph).unwrap_or_default()
    }

    /// Whether the character there is not to be read.
    pub(super) fn is_hidden(&self, at: u32) -> bool {
        let before = self.hidden.partition_point(|place| place.start <= at);
        before.checked_sub(1).and_then(|index| self.hidden.get(index)).is_some_and(|place| place.contains(&at))
    }

    /// Whether paragraphs say what they are.
    pub(super) fn known(&self) -> bool {
        !self.paragraphs.is_empty()
    }
}

impl Paragraph {
    /// Changes it as a list of modifiers says.
    pub(super) fn apply(&mut self, list: &[u8], data: &[u8]) {
        for (code, operand) in modifiers(list) {
            let first = operand.first().copied().unwrap_or_default();
            match code {
                0x2416 => self.tables = self.tables.max(u32::from(first)),
                0x2417 => self.row_end = first != 0,
                0x6649 => self.tables = u32_at(operand, 0).unwrap_or_default(),
                // Lists that were taken away have odd numbers.
                0x460b => self.list = u16_at(operand, 0).filter(|list| *list < 0x7ff).unwrap_or_default(),
                0x260a => self.depth = first,
                0x2640 => self.heading = (first < 9).then_some(first + 1),
                // Too long for its page: it lies in a stream of its own.
                0x6645 | 0x6646 => {
                    let at = u32_at(operand, 0).unwrap_or_default() as usize;
                    let length = usize::from(u16_at(data, at).unwrap_or_default());
                    self.apply(data.get(at + 2..at + 2 + length).unwrap_or_default(), &[]);
                }
                _ => {}
            }
        }
    }

    /// The same before Word 97, where codes have one byte.
    fn apply_old(&mut self, mut list: &[u8]) {
        while let Some((code, rest)) = list.split_first() {
            let (skip, length) = match OLD.get(usize::from(*code)) {
                Some(0) => (1, usize::from(rest.first().copied().unwrap_or_default())),
                Some(length) => (0, *length),
                None => return,
            };
            let Some(operand) = rest.get(skip..skip + length) else { return };
            let is_set = operand.first() == Some(&1);
            match code {
                24 => self.tables = u32::from(is_set),
                25 => self.row_end = is_set,
                _ => {}
            }
            list = &rest[skip + length..];
        }
    }
}

/// How long the operands of a paragraph's modifiers are before Word 97, by code, to the last that matters: lists of them
/// are in order. 0 where the operand tells its own length.
const OLD: [usize; 26] = [0, 0, 2, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 0, 2, 2, 2, 2, 4, 2, 2, 0, 1, 1];

/// Calls `each` with every run of a kind of properties: its place, its page, and what the page says about it, of so many
/// bytes.
fn runs(
    header: &Header,
    part: Part,
    main: &[u8],
    table: &[u8],
    size: usize,
    mut each: impl FnMut(Range<u32>, &[u8], u8),
) {
    let table = header.part(table, part);
    let width = if header.old { 2 } else { 4 };
    let count = table.len().saturating_sub(4) / (4 + width);
    // Honest pages are read once each.
    for index in 0..count.min(main.len() / PAGE) {
        let at = (count + 1) * 4 + index * width;
        let number = if header.old { u16_at(table, at).map(u32::from) } else { u32_at(table, at) };
        let from = number.unwrap_or_default() as usize % MOST_PAGES * PAGE;
        let Some(page) = main.get(from..from + PAGE) else { continue };
        let runs = usize::from(page[PAGE - 1]);
        for run in 0..runs {
            let (Some(from), Some(to)) = (u32_at(page, run * 4), u32_at(page, run * 4 + 4)) else { break };
            let Some(offset) = page.get((runs + 1) * 4 + run * size) else { break };
            each(from..to, page, *offset);
        }
    }
}

/// A paragraph's style and modifiers.
fn paragraph_list(page: &[u8], offset: u8) -> Option<&[u8]> {
    let at = usize::from(offset) * 2;
    let (from, length) = match (at, *page.get(at)?) {
        (0, _) => return None,
        (at, 0) => (at + 2, usize::from(*page.get(at + 1)?) * 2),
        (at, words) => (at + 1, usize::from(words) * 2 - 1),
    };
    page.get(from..from + length)
}

/// A character run's modifiers.
fn character_list(page: &[u8], offset: u8) -> Option<&[u8]> {
    let at = usize::from(offset) * 2;
    let length = usize::from(*page.get(at)?);
    page.get(at + 1..at + 1 + length).filter(|_| at > 0)
}

/// Whether it was deleted with its change recorded, or stands for a symbol of a font of symbols.
fn is_hidden(list: &[u8]) -> bool {
    modifiers(list).any(|(code, operand)| code == 0x6a09 || code == 0x0800 && operand.first() == Some(&1))
}

/// A list of modifiers: the code of each, which tells how long its operand is, and the operand.
fn modifiers(mut rest: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let code = u16_at(rest, 0)?;
        let (from, length) = match code >> 13 {
            // A table's definition counts one byte too many.
            _ if code == 0xd608 => (4, usize::from(u16_at(rest, 2)?).saturating_sub(1)),
            0 | 1 => (2, 1),
            2 | 4 | 5 => (2, 2),
            3 => (2, 4),
            7 => (2, 3),
            _ => (3, usize::from(*rest.get(2)?)),
        };
        let operand = rest.get(from..from + length)?;
        rest = &rest[from + length..];
        Some((code, operand))
    })
}

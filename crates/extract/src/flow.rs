//! Characters to blocks, for formats that write a document as one stream of characters and marks: paragraphs, cells and
//! rows end where a mark says so.

use std::collections::HashSet;

use encoding_rs::{Encoding, WINDOWS_1252};

use crate::numbering::Numbering;
use crate::{Document, Role};

/// What a paragraph is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    Heading(u8),
    /// An item of a list that is counted here.
    Item {
        list: String,
        depth: u32,
    },
    /// An item with its mark.
    Marked(String),
}

/// A document in the making.
pub(crate) struct Flow {
    pub document: Document,
    numbering: Numbering,
    /// Whether this is beside the text.
    pub note: bool,
    /// What beside the text was said already: headers are kept once for each section.
    seen: HashSet<String>,
    /// The paragraph so far, and what of it is not text yet: only one of both has something.
    text: String,
    wide: Vec<u16>,
    narrow: Vec<u8>,
    encoding: &'static Encoding,
    table: Vec<Row>,
    row: Row,
    cell: Cell,
}

type Row = Vec<Cell>;
/// A cell's paragraphs.
type Cell = Vec<(Style, String)>;

impl Default for Flow {
    fn default() -> Self {
        Self::new(Document::default(), Numbering::default())
    }
}

impl Flow {
    /// Goes on with a document.
    pub(crate) fn new(document: Document, numbering: Numbering) -> Self {
        Self {
            document,
            numbering,
            note: false,
            seen: HashSet::new(),
            text: String::new(),
            wide: Vec::new(),
            narrow: Vec::new(),
            encoding: WINDOWS_1252,
            table: Vec::new(),
            row: Vec::new(),
            cell: Vec::new(),
        }
    }

    /// Adds a unit of UTF-16.
    pub(crate) fn wide(&mut self, unit: u16) {
        self.settle_narrow();
        self.wide.push(unit);
    }

    /// Adds a byte of a character set. A character may have several.
    pub(crate) fn narrow(&mut self, byte: u8, encoding: &'static Encoding) {
        if encoding != self.encoding {
            self.settle_narrow();
            self.encoding = encoding;
        }
        self.settle_wide();
        self.narrow.push(byte);
    }

    /// Adds a character.
    pub(crate) fn char(&mut self, char: char) {
        self.settle_narrow();
        self.settle_wide();
        self.text.push(char);
    }

    fn settle_wide(&mut self) {
        self.text.push_str(&String::from_utf16_lossy(&self.wide));
        self.wide.clear();
    }

    fn settle_narrow(&mut self) {
        self.text.push_str(&self.encoding.decode_without_bom_handling(&self.narrow).0);
        self.narrow.clear();
    }

    /// The text since the last mark, which is gone from here.
    pub(crate) fn take(&mut self) -> String {
        self.settle_wide();
        self.settle_narrow();
        std::mem::take(&mut self.text)
    }

    /// Ends a paragraph outside of tables.
    pub(crate) fn paragraph(&mut self, style: &Style) {
        self.end_table();
        let text = self.take();
        self.block(style, &text);
    }

    /// Ends a paragraph inside of a cell.
    pub(crate) fn part(&mut self, style: Style) {
        let text = self.take();
        self.cell.push((style, text));
    }

    /// Ends a cell, and a paragraph in it.
    pub(crate) fn cell(&mut self, style: Style) {
        self.part(style);
        self.row.push(std::mem::take(&mut self.cell));
    }

    /// Whether a row has been begun and its last cell has ended.
    pub(crate) fn between_cells(&mut self) -> bool {
        self.settle_wide();
        self.settle_narrow();
        !self.row.is_empty() && self.cell.is_empty() && self.text.is_empty()
    }

    /// Ends a row.
    pub(crate) fn row(&mut self) {
        if !self.cell.is_empty() {
            self.row.push(std::mem::take(&mut self.cell));
        }
        if !self.row.is_empty() {
            self.table.push(std::mem::take(&mut self.row));
        }
    }

    /// Ends the text.
    pub(crate) fn end(&mut self) {
        match self.cell.is_empty() && self.row.is_empty() {
            true => self.paragraph(&Style::Plain),
            false => self.cell(Style::Plain),
        }
        self.end_table();
    }

    fn end_table(&mut self) {
        self.row();
        let table = std::mem::take(&mut self.table);
        // One column is a frame around text.
        if table.iter().all(|row| row.len() <= 1) {
            for (style, text) in table.into_iter().flatten().flatten() {
                self.block(&style, &text);
            }
            return;
        }
        for row in table {
            let cells: Vec<String> = row.iter().map(one_line).collect();
            if cells.iter().any(|cell| !cell.is_empty()) {
                self.say(Role::Row, &cells.join(" | "));
            }
        }
    }

    fn block(&mut self, style: &Style, text: &str) {
        let text = text.trim();
        match style {
            _ if text.is_empty() => {}
            Style::Plain => self.say(Role::Paragraph, text),
            Style::Heading(level) => self.say(Role::Heading(*level), text),
            Style::Item { list, depth } => {
                let mark = self.numbering.mark(list, *depth);
                self.say(Role::Item, &format!("{mark} {text}"));
            }
            Style::Marked(mark) => self.say(Role::Item, &format!("{mark} {text}")),
        }
    }

    fn say(&mut self, role: Role, text: &str) {
        if !self.note {
            self.document.push(role, text, None);
        } else if self.seen.insert(text.to_owned()) {
            self.document.push(Role::Note, text, None);
        }
    }
}

fn one_line(cell: &Cell) -> String {
    cell.iter().flat_map(|(_, text)| text.split_whitespace()).collect::<Vec<_>>().join(" ")
}

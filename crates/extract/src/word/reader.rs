//! What the characters of a story mean: text, marks, and fields, which show their results.

use encoding_rs::Encoding;

use super::header::Story;
use super::pieces::Unit;
use super::properties::{Paragraph, Properties};
use crate::flow::{Flow, Style};

/// The mark that ends a cell, and a row.
const CELL: u16 = 0x07;

/// Makes a document of characters.
pub(super) struct Reader {
    pub flow: Flow,
    encoding: &'static Encoding,
    properties: Properties,
    /// The fields that are open: whether each has come to its result.
    fields: Vec<bool>,
}

impl Reader {
    pub(super) fn new(flow: Flow, encoding: &'static Encoding, properties: Properties) -> Self {
        Self { flow, encoding, properties, fields: Vec::new() }
    }

    /// Begins a story.
    pub(super) fn begin(&mut self, story: Story) {
        self.flow.note = !matches!(story, Story::Main | Story::Boxes);
        self.fields.clear();
    }

    /// Ends a story.
    pub(super) fn end(&mut self) {
        self.flow.end();
    }

    pub(super) fn unit(&mut self, unit: Unit) {
        match unit.code {
            0x13 => self.fields.push(false),
            0x14 => {
                if let Some(last) = self.fields.last_mut() {
                    *last = true;
                }
            }
            0x15 => {
                self.fields.pop();
            }
            // Paragraphs, pages and sections, cells and rows.
            CELL | 0x0c | 0x0d => self.mark(unit),
            _ if self.fields.contains(&false) || self.properties.is_hidden(unit.at) => {}
            0x09 | 0x0e => self.flow.char(' '),
            0x0b => self.flow.char('\n'),
            0x1e => self.flow.char('-'),
            // Places of notes, pictures and comments, and hyphens that only show at a line's end.
            0..0x20 => {}
            code => match (unit.wide, u8::try_from(code)) {
                (false, Ok(byte)) => self.flow.narrow(byte, self.encoding),
                _ => self.flow.wide(code),
            },
        }
    }

    fn mark(&mut self, mark: Unit) {
        // A field's code that goes on in the next paragraph is none.
        let open = self.fields.iter().position(|result| !result);
        self.fields.truncate(open.unwrap_or(usize::MAX));
        let paragraph = self.properties.paragraph(mark.at);
        let is_cell = mark.code == CELL;
        // Where paragraphs do not say what they are, a row ends with a second mark behind a cell's.
        let is_second = is_cell && !self.properties.known() && self.flow.between_cells();
        match paragraph.tables {
            0 if !is_cell => self.flow.paragraph(&style(paragraph)),
            0 | 1 if paragraph.row_end || is_second => self.flow.row(),
            0 | 1 if is_cell => self.flow.cell(style(paragraph)),
            // The cells of tables inside of tables are parts of the outer cell.
            _ => self.flow.part(style(paragraph)),
        }
    }
}

fn style(paragraph: Paragraph) -> Style {
    match (paragraph.heading, paragraph.list) {
        (Some(level), _) => Style::Heading(level),
        (None, 0) => Style::Plain,
        (None, list) => Style::Item { list: list.to_string(), depth: u32::from(paragraph.depth) },
    }
}

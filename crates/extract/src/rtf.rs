//! Rich text: groups of control words, written by Word, by mail programs and by everything that exports reports.
//!
//! A group inherits what its parent has come to, and is either text of some [`Place`] or not read at all.

#[cfg(test)]
mod tests;
mod tokens;

use std::collections::HashMap;

use encoding_rs::{Encoding, WINDOWS_1252};

use crate::flow::{Flow, Style};
use crate::{Document, Failure};
use tokens::{Token, Tokens};

/// Word nests some dozens deep. Deeper groups are made to exhaust memory.
const DEPTH: usize = 1000;
/// The font whose characters are symbols.
const SYMBOLS: i32 = 2;

/// Where a group's text goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Place {
    Main,
    Boxes,
    Notes,
    /// What the file calls itself.
    Title,
    Author,
    /// The mark before an item.
    Mark,
    /// The name of a style.
    StyleName,
    Fonts,
    Nowhere,
}

/// What a group has come to.
#[derive(Clone)]
struct Group {
    place: Place,
    /// How many characters follow one in Unicode, for programs that know none.
    fallback: usize,
    font: i32,
    /// The style of the paragraph, the outline level that it has itself, and whether it lies in a table.
    style: i32,
    outline: Option<i32>,
    in_table: bool,
    depth: i32,
    /// Whether it was deleted with its change recorded.
    deleted: bool,
}

/// Reads a document.
pub(crate) fn parse(bytes: &[u8]) -> Result<Document, Failure> {
    let mut reader = Reader::default();
    for token in Tokens::of(bytes) {
        reader.token(token)?;
    }
    Ok(reader.finish())
}

struct Reader {
    flows: HashMap<Place, Flow>,
    groups: Vec<Group>,
    /// The character set of the file, and those of its fonts.
    encoding: &'static Encoding,
    fonts: HashMap<i32, Option<&'static Encoding>>,
    /// The level of the heading that each style is.
    styles: HashMap<i32, u8>,
    /// The mark before the item that has begun.
    mark: Option<String>,
    /// The font of who names none.
    font: i32,
    /// Characters that are still to be left out after one in Unicode.
    skip: usize,
    /// Whether a group has just begun, and may be left out by who does not know its next word.
    begun: bool,
    optional: bool,
}

impl Default for Reader {
    fn default() -> Self {
        let group = Group {
            place: Place::Main,
            fallback: 1,
            font: -1,
            style: 0,
            outline: None,
            in_table: false,
            depth: 1,
            deleted: false,
        };
        Self {
            flows: HashMap::new(),
            groups: vec![group],
            encoding: WINDOWS_1252,
            fonts: HashMap::new(),
            styles: HashMap::new(),
            mark: None,
            font: -1,
            skip: 0,
            begun: false,
            optional: false,
        }
    }
}

impl Reader {
    fn token(&mut self, token: Token) -> Result<(), Failure> {
        let optional = std::mem::take(&mut self.optional);
        let begun = std::mem::take(&mut self.begun);
        match token {
            Token::Open => {
                if self.groups.len() > DEPTH {
                    return Err(Failure::Limit(format!("it nests deeper than {DEPTH} groups")));
                }
                self.skip = 0;
                self.begun = true;
                let inner = self.group().clone();
                self.groups.push(inner);
            }
            Token::Close => self.close(),
            Token::Optional => self.optional = begun,
            Token::Byte(byte) => match self.skip {
                0 => self.byte(byte),
                _ => self.skip -= 1,
            },
            Token::Word(word, number) => {
                // Characters have words, too.
                match char_of(word) {
                    Some(_) if self.skip > 0 => self.skip -= 1,
                    Some(char) => self.char(char),
                    None => self.word(word, number, optional),
                }
            }
        }
        Ok(())
    }

    fn group(&mut self) -> &mut Group {
        // The outermost is never closed.
        let last = self.groups.len() - 1;
        &mut self.groups[last]
    }

    fn flow(&mut self) -> Option<&mut Flow> {
        let Group { place, deleted, .. } = *self.group();
        if deleted || matches!(place, Place::Nowhere | Place::Fonts) {
            return None;
        }
        let flow = self.flows.entry(place).or_default();
        flow.note = place == Place::Notes;
        Some(flow)
    }

    fn byte(&mut self, byte: u8) {
        let font = self.group().font;
        let encoding = match self.fonts.get(&font) {
            // Nobody reads the letters that stand for symbols.
            Some(None) => return,
            Some(Some(encoding)) => encoding,
            None => self.encoding,
        };
        if let Some(flow) = self.flow() {
            flow.narrow(byte, encoding);
        }
    }

    fn char(&mut self, char: char) {
        if let Some(flow) = self.flow() {
            flow.char(char);
        }
    }

    /// Ends a group: what it was about is complete.
    fn close(&mut self) {
        self.skip = 0;
        if self.groups.len() == 1 {
            return;
        }
        let Some(closed) = self.groups.pop() else { return };
        let outside = self.group().place;
        match closed.place {
            Place::StyleName => {
                let name = self.flows.entry(Place::StyleName).or_default().take().trim().to_ascii_lowercase();
                let level = match name.trim_end_matches(';') {
                    "title" => Some(1),
                    name => name.strip_prefix("heading ").and_then(|level| level.parse().ok()),
                };
                let outline = closed.outline.and_then(|level| u8::try_from(level + 1).ok());
                if let Some(level) = level.or(outline).filter(|_| closed.style != 0) {
                    self.styles.insert(closed.style, level);
                }
            }
            Place::Mark if outside != Place::Mark => {
                self.mark = Some(self.flows.entry(Place::Mark).or_default().take().trim().to_owned());
            }
            Place::Notes | Place::Boxes if outside != closed.place => {
                if let Some(flow) = self.flows.get_mut(&closed.place) {
                    flow.end();
                }
            }
            _ => {}
        }
    }

    fn word(&mut self, word: &str, number: Option<i32>, optional: bool) {
        let value = number.unwrap_or(1);
        if let Some(place) = destination(word, self.group().place) {
            self.group().place = place;
            return;
        }
        if optional && !matches!(word, "shpinst" | "nestcell") {
            self.group().place = Place::Nowhere;
            return;
        }
        match word {
            "ansicpg" => self.encoding = page(value).unwrap_or(self.encoding),
            "mac" => self.encoding = encoding_rs::MACINTOSH,
            "u" => self.unicode(value),
            "uc" => self.group().fallback = usize::try_from(value).unwrap_or(1).min(8),
            "f" => self.group().font = value,
            "deff" => self.font = value,
            "plain" => {
                self.group().font = self.font;
                self.group().deleted = false;
            }
            "fcharset" if self.group().place == Place::Fonts => {
                let (font, encoding) = (self.group().font, charset(value));
                // What a font leaves to the program is the file's.
                if encoding.is_some() || value == SYMBOLS {
                    self.fonts.insert(font, encoding);
                }
            }
            "deleted" => self.group().deleted = value != 0,
            "s" => self.group().style = value,
            "outlinelevel" => self.group().outline = Some(value).filter(|level| (0..9).contains(level)),
            "intbl" => self.group().in_table = true,
            "itap" => self.group().depth = value,
            "pard" => {
                let group = self.group();
                (group.style, group.outline, group.in_table, group.depth) = (0, None, false, 1);
            }
            "cell" | "row" | "nestcell" | "par" | "sect" | "page" => self.end(word),
            _ => {}
        }
    }

    /// Ends a paragraph, a cell or a row.
    fn end(&mut self, word: &str) {
        let Group { in_table, depth, style, outline, .. } = *self.group();
        let own = outline.and_then(|level| u8::try_from(level + 1).ok());
        let style = match (own.or_else(|| self.styles.get(&style).copied()), self.mark.take()) {
            (Some(level), _) => Style::Heading(level),
            (None, None) => Style::Plain,
            // Marks that are no numbers are signs of fonts of symbols.
            (None, Some(mark)) if mark.contains(char::is_alphanumeric) => Style::Marked(mark),
            (None, Some(_)) => Style::Marked("-".to_owned()),
        };
        let Some(flow) = self.flow() else { return };
        match word {
            "row" => flow.row(),
            "cell" => flow.cell(style),
            // The cells of tables inside of tables are parts of the outer cell.
            "nestcell" => flow.part(style),
            _ if in_table && depth > 0 => flow.part(style),
            _ => flow.paragraph(&style),
        }
    }

    fn unicode(&mut self, value: i32) {
        self.skip = self.group().fallback;
        // Numbers above 32,767 are written as negative ones.
        let unit = value as u16;
        // Symbols of fonts have places for private use.
        if !(0xf000..0xf100).contains(&unit)
            && let Some(flow) = self.flow()
        {
            flow.wide(unit);
        }
    }

    fn finish(mut self) -> Document {
        let mut document = Document::default();
        for place in [Place::Main, Place::Boxes, Place::Notes] {
            if let Some(mut flow) = self.flows.remove(&place) {
                flow.end();
                document.blocks.append(&mut flow.document.blocks);
            }
        }
        let mut said = |place| self.flows.remove(&place).map(|mut flow| flow.take().trim().to_owned());
        document.title = said(Place::Title).filter(|title| !title.is_empty());
        document.attribute("author", said(Place::Author).unwrap_or_default());
        document.titled()
    }
}

/// Where the text of a group goes that begins with this word, inside of a group of some place. Groups of nowhere have
/// nothing else inside.
fn destination(word: &str, outside: Place) -> Option<Place> {
    Some(match (word, outside) {
        (_, Place::Nowhere) => return None,
        ("footnote" | "annotation" | "header" | "headerl" | "headerr" | "headerf" | "footer" | "footerl", _) => {
            Place::Notes
        }
        ("footerr" | "footerf", _) => Place::Notes,
        ("shptxt", _) => Place::Boxes,
        ("listtext" | "pntext", _) => Place::Mark,
        ("fonttbl", _) => Place::Fonts,
        ("stylesheet", _) => Place::StyleName,
        ("title", _) => Place::Title,
        ("author", _) => Place::Author,
        (
            "colortbl" | "pict" | "objdata" | "objclass" | "objname" | "nonshppict" | "fldinst" | "filetbl"
            | "listtable" | "listoverridetable" | "revtbl" | "xe" | "tc" | "tcn" | "rxe" | "sp" | "bkmkstart"
            | "bkmkend" | "pnseclvl" | "ftnsep" | "ftnsepc" | "ftncn" | "aftnsep" | "aftnsepc" | "aftncn" | "atnid"
            | "atnauthor" | "template" | "operator" | "subject" | "keywords" | "doccomm" | "comment" | "company"
            | "generator" | "htmltag" | "themedata" | "latentstyles" | "datastore" | "shprslt" | "nonesttables",
            _,
        ) => Place::Nowhere,
        _ => return None,
    })
}

/// The words that stand for characters.
fn char_of(word: &str) -> Option<char> {
    Some(match word {
        "tab" | "emspace" | "enspace" | "qmspace" | "column" => ' ',
        "line" | "softline" => '\n',
        "emdash" => '—',
        "endash" => '–',
        "lquote" => '‘',
        "rquote" => '’',
        "ldblquote" => '“',
        "rdblquote" => '”',
        "bullet" => '•',
        "~" => '\u{a0}',
        "_" => '-',
        _ => return None,
    })
}

fn page(number: i32) -> Option<&'static Encoding> {
    codepage::to_encoding(u16::try_from(number).ok()?)
}

/// The character set of a font.
fn charset(number: i32) -> Option<&'static Encoding> {
    page(match number {
        0 => 1252,
        77 => return Some(encoding_rs::MACINTOSH),
        128 => 932,
        129 => 949,
        134 => 936,
        136 => 950,
        161 => 1253,
        162 => 1254,
        163 => 1258,
        177 => 1255,
        178 => 1256,
        186 => 1257,
        204 => 1251,
        222 => 874,
        238 => 1250,
        _ => return None,
    })
}

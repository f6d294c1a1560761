use std::io::Write;

use proptest::prelude::*;

use super::*;
use crate::Role::{self, Heading, Item, Note, Paragraph, Row};

/// Modifiers: in a table, ends a row, in the second of two tables, item of the first list.
const CELL: &[u8] = &[0x16, 0x24, 1];
const ROW_END: &[u8] = &[0x16, 0x24, 1, 0x17, 0x24, 1];
const INNER: &[u8] = &[0x16, 0x24, 1, 0x49, 0x66, 2, 0, 0, 0];
const FIRST_LIST: &[u8] = &[0x0a, 0x26, 0, 0x0b, 0x46, 1, 0];
/// Where the text begins.
const TEXT: usize = 1024;

/// A document that is written to a file.
#[derive(Default)]
pub(crate) struct Draft<'a> {
    /// Text and whether it is UTF-16; in the file they lie in the opposite order.
    pieces: Vec<(&'a str, bool)>,
    /// The style and the modifiers of each paragraph, as many as there are marks.
    paragraphs: Vec<(u16, &'a [u8])>,
    /// A word that was deleted.
    deleted: &'a str,
    /// How many characters the stories have behind the main text.
    beside: [u32; 7],
    flags: u16,
}

fn put(bytes: &mut Vec<u8>, at: usize, what: &[u8]) {
    if bytes.len() < at + what.len() {
        bytes.resize(at + what.len(), 0);
    }
    bytes[at..at + what.len()].copy_from_slice(what);
}

fn words(numbers: &[u16]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

fn longs(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

/// A page of properties: the ends of the runs, and what is said of each.
fn page(from: u32, runs: &[(u32, Vec<u8>)], size: usize) -> Vec<u8> {
    let mut page = vec![0; 512];
    let mut end = 511;
    put(&mut page, 0, &from.to_le_bytes());
    for (index, (to, list)) in runs.iter().enumerate() {
        put(&mut page, 4 + index * 4, &to.to_le_bytes());
        if !list.is_empty() {
            end = (end - list.len()) & !1;
            put(&mut page, end, list);
            put(&mut page, (runs.len() + 1) * 4 + index * size, &[(end / 2) as u8]);
        }
    }
    page[511] = runs.len() as u8;
    page
}

/// A style sheet: normal text, the first heading, and one of our own that is based on it.
fn sheet() -> Vec<u8> {
    let style = |number: u16, base: u16, name: &str| {
        let mut style = words(&[number, 1 | base << 4, 1, 0, 0, name.len() as u16]);
        style.extend(words(&name.encode_utf16().chain([0]).collect::<Vec<_>>()));
        style.extend(words(&[2, 0]));
        [words(&[style.len() as u16]), style].concat()
    };
    let head = words(&[18, 3, 10, 0, 0, 0, 0, 0, 0, 0]);
    [head, style(0, 0xfff, "Normal"), style(1, 0, "heading 1"), style(0xffe, 1, "Mine")].concat()
}

/// One list that counts from 3, and paragraphs' name for it.
fn lists() -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let mut list = [words(&[1]), longs(&[77]), vec![0; 22], vec![1, 0]].concat();
    list.resize(2 + 28, 0);
    let mut level = longs(&[3]);
    level.resize(28, 0);
    level.extend(words(&[2, 0, u16::from(b'.')]));
    let mut name = longs(&[1, 77]);
    name.resize(4 + 16, 0);
    (list, level, name)
}

impl Draft<'_> {
    pub(crate) fn file(&self) -> Vec<u8> {
        let mut main = vec![0; TEXT];
        let mut places = vec![0_u32];
        let mut at = vec![0_u32; self.pieces.len()];
        for (text, _) in &self.pieces {
            places.push(places[places.len() - 1] + text.chars().count() as u32);
        }
        // Marks, and what was deleted, by their places in the file.
        let mut marks = Vec::new();
        let mut deleted = None;
        let mut paragraphs = self.paragraphs.len();
        for (index, (text, wide)) in self.pieces.iter().enumerate().rev() {
            at[index] = if *wide { main.len() as u32 } else { (main.len() as u32 * 2) | (1 << 30) };
            let from = main.len();
            let width = if *wide { 2 } else { 1 };
            match *wide {
                true => main.extend(words(&text.encode_utf16().collect::<Vec<_>>())),
                false => main.extend(encoding_rs::WINDOWS_1252.encode(text).0.iter()),
            }
            let end = |place: usize| (from + (place + 1) * width) as u32;
            let here: Vec<_> = text.chars().enumerate().filter(|(_, c)| "\r\u{7}\u{c}".contains(*c)).collect();
            paragraphs -= here.len();
            for (number, (place, _)) in here.into_iter().enumerate() {
                let (style, list) = self.paragraphs[paragraphs + number];
                let mut papx = [words(&[style]), list.to_vec()].concat();
                papx.resize(papx.len() | 1, 0);
                marks.push((end(place), [vec![papx.len().div_ceil(2) as u8], papx].concat()));
            }
            if let Some(place) = text.find(self.deleted).filter(|_| !self.deleted.is_empty()) {
                let place = text[..place].chars().count();
                deleted = Some((end(place) - width as u32, end(place + self.deleted.len() - 1)));
            }
        }
        main.resize(main.len().next_multiple_of(512), 0);
        let first = (main.len() / 512) as u32;
        main.extend(page(TEXT as u32, &marks, 13));
        let (from, to) = deleted.unwrap_or((TEXT as u32, TEXT as u32 + 1));
        let gone = if deleted.is_some() { vec![3, 0x00, 0x08, 1] } else { Vec::new() };
        main.extend(page(TEXT as u32, &[(from, Vec::new()), (to, gone)], 1));

        let pieces = at.iter().flat_map(|at| [words(&[0]), longs(&[*at]), words(&[0])].concat());
        let pieces = [longs(&places), pieces.collect()].concat();
        let fast = [vec![1], words(&[2]), vec![0xff, 0xff]].concat();
        let clx = [fast, vec![2], longs(&[pieces.len() as u32]), pieces].concat();
        let end = main.len() as u32;
        let (list, level, name) = lists();
        let mut table = Vec::new();
        for (place, part, behind) in [
            (0xa2, sheet(), Vec::new()),
            (0xfa, longs(&[TEXT as u32, end, first + 1]), Vec::new()),
            (0x102, longs(&[TEXT as u32, end, first]), Vec::new()),
            (0x1a2, clx, Vec::new()),
            (0x2e2, list, level),
            (0x2ea, name, Vec::new()),
        ] {
            put(&mut main, place, &longs(&[table.len() as u32, part.len() as u32]));
            table.extend([part, behind].concat());
        }
        put(&mut main, 0, &words(&[0xa5ec, 193]));
        put(&mut main, 0x0a, &words(&[0x0200 | self.flags]));
        let all = places[places.len() - 1];
        put(&mut main, 0x4c, &longs(&[all - self.beside.iter().sum::<u32>()]));
        put(&mut main, 0x50, &longs(&self.beside));
        container(&[("WordDocument", &main), ("1Table", &table)])
    }
}

pub(crate) fn container(streams: &[(&str, &[u8])]) -> Vec<u8> {
    let mut file = CompoundFile::create(Cursor::new(Vec::new())).unwrap();
    for (name, bytes) in streams {
        if let Some((storage, _)) = name.split_once('/') {
            file.create_storage(storage).unwrap();
        }
        file.create_stream(name).unwrap().write_all(bytes).unwrap();
    }
    file.flush().unwrap();
    file.into_inner().into_inner()
}

fn shown(document: &Document) -> Vec<(Role, &str)> {
    document.blocks.iter().map(|block| (block.role, block.text.as_str())).collect()
}

fn draft() -> Draft<'static> {
    Draft {
        pieces: vec![
            ("Birds\rMine\rDucks\u{b}cannot can swim in \u{13} HYPERLINK \"x\" \u{14}“every” po", false),
            ("nd: 鴨\u{1f}\r\u{c}", true),
            ("three\rfour\r", false),
            ("a\u{7}b\rc\u{7}\u{7}", false),
            ("\u{7}in\rner\u{7}\u{7}", true),
            ("between\rframed\r text\u{7}\u{7}", false),
            ("end.\r", false),
            ("\u{2} A note.\r", true),
            ("header\rheader\r", false),
        ],
        paragraphs: vec![
            (1, &[]),
            (2, &[]),
            (0, &[]),
            (0, &[]),
            (0, FIRST_LIST),
            (0, FIRST_LIST),
            (0, CELL),
            (0, CELL),
            (0, CELL),
            (0, ROW_END),
            (0, CELL),
            (0, INNER),
            (0, CELL),
            (0, ROW_END),
            (0, &[]),
            (0, CELL),
            (0, CELL),
            (0, ROW_END),
            (0, &[]),
            (0, &[]),
            (0, &[]),
            (0, &[]),
        ],
        deleted: "cannot ",
        beside: [10, 14, 0, 0, 0, 0, 0],
        flags: 0,
    }
}

#[test]
fn a_document_keeps_its_structure() {
    let document = crate::parse(&draft().file(), "birds.doc", None).unwrap();
    assert_eq!(
        shown(&document),
        [
            (Heading(1), "Birds"),
            (Heading(1), "Mine"),
            (Paragraph, "Ducks\ncan swim in “every” pond: 鴨"),
            (Item, "3. three"),
            (Item, "4. four"),
            (Row, "a | b c"),
            (Row, "| in ner"),
            (Paragraph, "between"),
            (Paragraph, "framed"),
            (Paragraph, "text"),
            (Paragraph, "end."),
            (Note, "A note."),
            (Note, "header"),
        ]
    );
    assert_eq!(document.title.as_deref(), Some("Birds"));
}

#[test]
fn locked_and_damaged_documents_say_so() {
    let locked = Draft { flags: 0x0100, ..draft() }.file();
    assert_eq!(crate::parse(&locked, "x.doc", None), Err(Failure::Protected));
    let whole = draft().file();
    assert!(matches!(crate::parse(&whole[..600], "x.doc", None), Err(Failure::Damaged(_))));
    let empty = container(&[("WordDocument", &words(&[0xa5ec, 193])), ("0Table", b"")]);
    assert!(matches!(crate::parse(&empty, "x.doc", None), Err(Failure::Damaged(_))));
    let other = container(&[("WordDocument", b"other")]);
    assert_eq!(crate::parse(&other, "x.doc", None), Err(Failure::Unsupported));
}

/// A file of Word 6: one run of bytes, and rows that only their properties tell from cells.
fn old(language: u16, text: &[u8], paragraphs: &[&[u8]]) -> Vec<u8> {
    let mut main = vec![0; TEXT];
    main.extend(text);
    let marks = text.iter().enumerate().filter(|(_, byte)| matches!(byte, 7 | 13));
    let list = |list: &&[u8]| [vec![(list.len() as u8 + 3).div_ceil(2), 0, 0], list.to_vec()].concat();
    let runs: Vec<_> = marks.zip(paragraphs).map(|((at, _), own)| ((TEXT + at + 1) as u32, list(own))).collect();
    main.resize(main.len().next_multiple_of(512), 0);
    let first = (main.len() / 512) as u16;
    main.extend(page(TEXT as u32, &runs, 7));
    let table = main.len() as u32;
    main.extend([longs(&[TEXT as u32, table]), words(&[first])].concat());
    put(&mut main, 0, &words(&[0xa5dc, 101, 0, language]));
    put(&mut main, 0x18, &longs(&[TEXT as u32, (TEXT + text.len()) as u32]));
    put(&mut main, 0x34, &longs(&[text.len() as u32]));
    put(&mut main, 0xc0, &longs(&[table, 10]));
    container(&[("WordDocument", &main)])
}

#[test]
fn documents_of_word_6_are_read_in_their_character_set() {
    // "Утка" by the document's language, and by what its bytes look like.
    let said = b"\xd3\xf2\xea\xe0\r";
    assert_eq!(crate::parse(&old(0x0419, said, &[]), "x.doc", None).unwrap().text(), "Утка");
    let long = b"\xd3\xf2\xea\xe0 \xef\xeb\xe0\xe2\xe0\xe5\xf2 \xe2 \xef\xf0\xf3\xe4\xf3.\r";
    assert_eq!(crate::parse(&old(0x0409, long, &[]), "x.doc", None).unwrap().text(), "Утка плавает в пруду.");
}

#[test]
fn rows_of_word_6_are_told_from_empty_cells() {
    let (cell, end): (&[u8], &[u8]) = (&[5, 0, 24, 1], &[24, 1, 25, 1]);
    let text = b"a\x07\x07c\x07\x07\x07b\x07c\x07\x07";
    let document = crate::parse(&old(0, text, &[cell, cell, cell, end, cell, cell, cell, end]), "x.doc", None).unwrap();
    assert_eq!(shown(&document), [(Row, "a |  | c"), (Row, "| b | c")]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Bytes that are anything else end the reading, and nothing else.
    #[test]
    fn damage_ends_in_text_or_a_reason(
        changes in prop::collection::vec((0_usize..8192, any::<u8>()), 1..40),
        far in prop::collection::vec((0_usize..8192, prop::sample::select(vec![0_u8, 0x7f, 0xff])), 0..8),
    ) {
        let mut bytes = draft().file();
        for (at, byte) in changes.into_iter().chain(far) {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        let read = crate::parse(&bytes, "x.doc", None);
        prop_assert!(!matches!(&read, Err(Failure::Damaged(why)) if why.contains("gave up")), "{read:?}");
    }
}

//! The file information block: what the file is, and where its parts are.

use std::ops::Range;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::Encoding;

use super::{u16_at, u32_at};
use crate::Failure;

/// The character set of a Macintosh.
const MACINTOSH: u16 = 256;
const WORD_97: u16 = 0xa5ec;
const WORD_6: u16 = 0xa5dc;
/// Word 6 and 95 of the Far East.
const WORD_6_EAST: std::ops::RangeInclusive<u16> = 0xa697..=0xa699;
/// The language of a document before Word 97 tells its character set (Windows' ANSI code pages by language).
const CODE_PAGES: [(u16, u16); 28] = [
    (0x01, 1256), // Arabic
    (0x02, 1251), // Bulgarian
    (0x04, 936),  // Chinese, simplified
    (0x05, 1250), // Czech
    (0x08, 1253), // Greek
    (0x0d, 1255), // Hebrew
    (0x0e, 1250), // Hungarian
    (0x11, 932),  // Japanese
    (0x12, 949),  // Korean
    (0x15, 1250), // Polish
    (0x18, 1250), // Romanian
    (0x19, 1251), // Russian
    (0x1a, 1250), // Croatian
    (0x1b, 1250), // Slovak
    (0x1c, 1250), // Albanian
    (0x1e, 874),  // Thai
    (0x1f, 1254), // Turkish
    (0x20, 1256), // Urdu
    (0x22, 1251), // Ukrainian
    (0x23, 1251), // Belarusian
    (0x24, 1250), // Slovenian
    (0x25, 1257), // Estonian
    (0x26, 1257), // Latvian
    (0x27, 1257), // Lithuanian
    (0x29, 1256), // Persian
    (0x2a, 1258), // Vietnamese
    (0x2f, 1251), // Macedonian
    (0x3f, 1251), // Kazakh
];

/// The header.
pub(super) struct Header {
    /// Whether it is of Word 6 or 95: bytes of a code page, and shorter tables.
    pub old: bool,
    /// Whether all text is UTF-16, which tables say piece by piece since Word 97.
    pub wide: bool,
    /// The stream of the tables.
    pub table: &'static str,
    /// What bytes mean that are no UTF-16.
    pub encoding: &'static Encoding,
    /// Where the text begins and ends that no table of pieces describes.
    pub text: Range<u32>,
    pub pieces: Part,
    pub styles: Part,
    /// Where the properties of characters and paragraphs are.
    pub characters: Part,
    pub paragraphs: Part,
    pub lists: Part,
    pub overrides: Part,
    /// How many characters each story has, in their order.
    lengths: [u32; 8],
}

/// A place in the stream of the tables: where it begins, and its length.
#[derive(Clone, Copy, Default)]
pub(super) struct Part {
    pub from: u32,
    pub length: u32,
}

/// The texts of a document, in the order in which they follow one another. Macros' was given up before Word 97.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Story {
    Main = 0,
    Footnotes = 1,
    Headers = 2,
    Comments = 4,
    Endnotes = 5,
    Boxes = 6,
    HeaderBoxes = 7,
}

impl Header {
    pub(super) fn of(main: &[u8]) -> Result<Self, Failure> {
        let old = match u16_at(main, 0) {
            Some(WORD_97) => false,
            Some(WORD_6) => true,
            Some(version) if WORD_6_EAST.contains(&version) => true,
            _ => return Err(Failure::Unsupported),
        };
        let number = |at| u32_at(main, at).unwrap_or_default();
        let part = |at| Part { from: number(at), length: number(at + 4) };
        let flags = u16_at(main, 0x0a).unwrap_or_default();
        if flags & 0x0100 != 0 {
            return Err(Failure::Protected);
        }
        let lengths = |at: usize| std::array::from_fn(|story| number(at + 4 * story));
        let text = number(0x18)..number(0x1c);
        Ok(if old {
            Self {
                old,
                wide: flags & 0x1000 != 0,
                table: "WordDocument",
                encoding: old_encoding(main, text.clone()),
                text,
                pieces: part(0x160),
                styles: Part::default(),
                characters: part(0xb8),
                paragraphs: part(0xc0),
                lists: Part::default(),
                overrides: Part::default(),
                lengths: lengths(0x34),
            }
        } else {
            Self {
                old,
                wide: false,
                table: if flags & 0x0200 == 0 { "0Table" } else { "1Table" },
                encoding: encoding_rs::WINDOWS_1252,
                text,
                pieces: part(0x1a2),
                styles: part(0xa2),
                characters: part(0xfa),
                paragraphs: part(0x102),
                lists: part(0x2e2),
                overrides: part(0x2ea),
                lengths: lengths(0x4c),
            }
        })
    }

    /// A part of the stream of the tables; nothing where it would lie outside.
    pub(super) fn part<'a>(&self, table: &'a [u8], part: Part) -> &'a [u8] {
        let from = part.from as usize;
        table.get(from..from.saturating_add(part.length as usize)).unwrap_or_default()
    }

    /// What follows a part.
    pub(super) fn behind<'a>(&self, table: &'a [u8], part: Part) -> &'a [u8] {
        table.get((part.from as usize).saturating_add(part.length as usize)..).unwrap_or_default()
    }

    /// Where a story's characters are.
    pub(super) fn range(&self, story: Story) -> Range<u32> {
        let sum = |lengths: &[u32]| lengths.iter().fold(0_u32, |sum, length| sum.saturating_add(*length));
        sum(&self.lengths[..story as usize])..sum(&self.lengths[..=story as usize])
    }
}

/// What bytes mean before Word 97: that of the Macintosh, of the document's language where that has a character set of its
/// own, or else what they look like.
fn old_encoding(main: &[u8], text: Range<u32>) -> &'static Encoding {
    if u16_at(main, 0x14) == Some(MACINTOSH) {
        return encoding_rs::MACINTOSH;
    }
    let locale = u16_at(main, 0x06).unwrap_or_default();
    let language = locale & 0x3ff;
    let page = match locale {
        0x0404 => Some(950),
        _ => CODE_PAGES.iter().find(|(known, _)| *known == language).map(|(_, page)| *page),
    };
    page.and_then(codepage::to_encoding).unwrap_or_else(|| {
        let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
        detector.feed(main.get(text.start as usize..text.end as usize).unwrap_or_default(), true);
        detector.guess(None, Utf8Detection::Deny)
    })
}

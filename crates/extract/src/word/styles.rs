//! The style sheet: what paragraphs of each style are.

use super::properties::Paragraph;
use super::u16_at;

/// Word's own number of the style "Title".
const TITLE: u16 = 62;
/// The base of a style that has none.
const NONE: u16 = 0xfff;

struct Style<'a> {
    /// Word's own number, for its own styles.
    number: u16,
    base: u16,
    modifiers: &'a [u8],
}

/// Each style's paragraphs, by the style's place in the sheet.
pub(super) fn of(sheet: &[u8]) -> Vec<Paragraph> {
    let styles = read(sheet).unwrap_or_default();
    (0..styles.len()).map(|index| inherited(&styles, index)).collect()
}

/// Before Word 97 the first styles of a sheet are known without it.
pub(super) fn old() -> Vec<Paragraph> {
    let heading = |level: u8| Paragraph { heading: Some(level).filter(|level| *level > 0), ..Paragraph::default() };
    (0..=9).map(heading).collect()
}

/// A style's own properties on top of those of the styles that it is based on.
fn inherited(styles: &[Option<Style>], index: usize) -> Paragraph {
    let mut chain = Vec::new();
    let mut next = index;
    // Styles that are based on one another in a circle are damaged files.
    while let Some(Some(style)) = styles.get(next).filter(|_| chain.len() < 20) {
        chain.push(style);
        next = usize::from(style.base);
        if style.base == NONE {
            break;
        }
    }
    let mut paragraph = Paragraph::default();
    for style in chain.into_iter().rev() {
        match style.number {
            level @ 1..=9 => paragraph.heading = u8::try_from(level).ok(),
            TITLE => paragraph.heading = Some(1),
            _ => {}
        }
        paragraph.apply(style.modifiers, &[]);
    }
    paragraph
}

fn read(sheet: &[u8]) -> Option<Vec<Option<Style<'_>>>> {
    let head = usize::from(u16_at(sheet, 0)?);
    let count = usize::from(u16_at(sheet, 2)?);
    let fixed = usize::from(u16_at(sheet, 4)?);
    let mut styles = Vec::new();
    let mut at = 2 + head;
    for _ in 0..count {
        let Some(length) = u16_at(sheet, at) else { break };
        let style = sheet.get(at + 2..at + 2 + usize::from(length)).unwrap_or_default();
        styles.push(one(style, fixed));
        at += 2 + usize::from(length);
        // Styles begin at even places.
        at += at % 2;
    }
    Some(styles)
}

fn one(style: &[u8], fixed: usize) -> Option<Style<'_>> {
    let (number, second) = (u16_at(style, 0)? & 0xfff, u16_at(style, 2)?);
    let (kind, base) = (second & 0xf, second >> 4);
    let name = usize::from(u16_at(style, fixed)?);
    // The name ends with a zero of its own; the list of a paragraph begins with the style's place.
    let at = fixed + 2 + name * 2 + 2;
    let at = at + at % 2;
    let length = usize::from(u16_at(style, at).unwrap_or_default());
    let list = style.get(at + 4..at + 2 + length).filter(|_| kind == 1);
    Some(Style { number, base, modifiers: list.unwrap_or_default() })
}

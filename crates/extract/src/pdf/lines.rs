//! Glyphs to pieces of lines: what stands on one baseline without a gap that divides.

use super::glyphs::Glyph;

/// A run of text on one baseline.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub text: String,
    pub left: f64,
    pub right: f64,
    /// Of the baseline.
    pub y: f64,
    pub size: f64,
}

/// From this gap on, in heights of the font, two words may be neighbours by accident: columns or cells. Text that is
/// spread out to fill a line has such gaps too; they are closed again once columns are told apart.
const APART: f64 = 0.8;
/// From this gap on a word ends.
const WORD: f64 = 0.17;

/// The pieces of one direction's glyphs, from top to bottom and from left to right.
pub(super) fn pieces(mut glyphs: Vec<Glyph>) -> Vec<Piece> {
    glyphs.sort_by(|a, b| a.y.total_cmp(&b.y));
    let mut all = Vec::new();
    let mut line: Vec<Glyph> = Vec::new();
    for glyph in glyphs {
        // Raised and lowered characters belong to the line of larger ones.
        let belongs = line.last().is_none_or(|last| {
            let size = line.iter().map(|other| other.size).fold(glyph.size, f64::max);
            let start = line.first().map_or(last.y, |first| first.y);
            let raised = last.size.min(glyph.size) < size * 0.85;
            glyph.y - last.y < size * if raised { 0.5 } else { 0.3 } && glyph.y - start < size * 0.75
        });
        if !belongs {
            cut(std::mem::take(&mut line), &mut all);
        }
        line.push(glyph);
    }
    cut(line, &mut all);
    all
}

/// A line's pieces.
fn cut(mut line: Vec<Glyph>, into: &mut Vec<Piece>) {
    line.sort_by(|a, b| a.x.total_cmp(&b.x));
    let mut piece: Vec<Glyph> = Vec::new();
    let mut right = f64::NEG_INFINITY;
    for glyph in line {
        if glyph.text.trim().is_empty() {
            // Drawn spaces say that a word ends, nothing about where.
            if let Some(last) = piece.last_mut()
                && !last.text.ends_with(' ')
                && glyph.x - right < last.size * APART
            {
                last.text.push(' ');
            }
            continue;
        }
        let gap = glyph.x - right;
        let size = piece.last().map_or(glyph.size, |last| last.size.min(glyph.size));
        if !piece.is_empty() && gap > size * APART {
            finish(std::mem::take(&mut piece), into);
        } else if let Some(last) = piece.last_mut()
            && gap > size * WORD
            && !last.text.ends_with(' ')
        {
            last.text.push(' ');
        }
        right = right.max(glyph.x + glyph.width);
        if piece.is_empty() {
            right = glyph.x + glyph.width;
        }
        piece.push(glyph);
    }
    finish(piece, into);
}

fn finish(glyphs: Vec<Glyph>, into: &mut Vec<Piece>) {
    let (Some(first), Some(last)) = (glyphs.first(), glyphs.last()) else { return };
    let (left, right) = (first.x, last.x + last.width);
    // The larger characters of a piece say where its line is; raised ones do not.
    let size = glyphs.iter().map(|glyph| glyph.size).fold(0.0, f64::max);
    let base = glyphs.iter().filter(|glyph| glyph.size > size * 0.9);
    let (sum, count) = base.fold((0.0, 0.0), |(sum, count), glyph| (sum + glyph.y, count + 1.0));
    let text = logical(&glyphs);
    if !text.is_empty() {
        into.push(Piece { text, left, right, y: if count > 0.0 { sum / count } else { first.y }, size });
    }
}

/// The text in the order in which it is read: glyphs come from left to right, Arabic and Hebrew do not.
fn logical(glyphs: &[Glyph]) -> String {
    let parts: Vec<&str> = glyphs.iter().map(|glyph| glyph.text.as_str()).collect();
    let (mut right, mut left) = (0, 0);
    for char in parts.iter().flat_map(|part| part.chars()) {
        if is_rtl(char) {
            right += 1;
        } else if char.is_alphabetic() {
            left += 1;
        }
    }
    let words: String = if right == 0 {
        parts.concat()
    } else {
        // Single characters again: a space was added behind a glyph, not to it.
        let mut units: Vec<String> = Vec::new();
        for part in parts {
            let letter = part.trim_end();
            units.push(letter.to_owned());
            if letter.len() < part.len() {
                units.push(" ".to_owned());
            }
        }
        if right * 2 >= left {
            units.reverse();
            turn(&mut units, |unit| unit.chars().any(|c| c.is_alphanumeric() && !is_rtl(c)));
        } else {
            turn(&mut units, |unit| unit.chars().any(is_rtl));
        }
        units.concat()
    };
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Reverses the runs of units that read the other way, with what stands between two of them.
fn turn(units: &mut [String], other: impl Fn(&str) -> bool) {
    let neutral = |unit: &str| unit.chars().all(|c| !c.is_alphabetic());
    let mut at = 0;
    while at < units.len() {
        if !other(&units[at]) {
            at += 1;
            continue;
        }
        let mut end = at + 1;
        let mut ahead = end;
        while ahead < units.len() && (other(&units[ahead]) || neutral(&units[ahead])) {
            ahead += 1;
            if other(&units[ahead - 1]) {
                end = ahead;
            }
        }
        units[at..end].reverse();
        at = end;
    }
}

fn is_rtl(char: char) -> bool {
    matches!(char as u32, 0x0590..=0x08ff | 0xfb1d..=0xfdff | 0xfe70..=0xfeff | 0x10800..=0x10fff | 0x1e800..=0x1efff)
}

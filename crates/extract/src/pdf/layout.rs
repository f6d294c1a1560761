//! Pieces to lines in reading order: columns one after another, what spans them between.

use super::glyphs::Glyph;
use super::lines::{Piece, pieces};

/// Pieces that stand side by side and belong together.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub pieces: Vec<Piece>,
    /// The column it stands in, numbered over the page: paragraphs end with it.
    pub region: usize,
    /// Whether it runs against the direction of most of the page: a note on the margin, an axis.
    pub turned: bool,
}

/// From this gap on, in heights of the font, the pieces of a line are cells.
const CELLS: f64 = 1.3;

impl Line {
    pub fn left(&self) -> f64 {
        self.pieces.first().map_or(0.0, |piece| piece.left)
    }

    pub fn right(&self) -> f64 {
        self.pieces.last().map_or(0.0, |piece| piece.right)
    }

    pub fn y(&self) -> f64 {
        self.pieces.first().map_or(0.0, |piece| piece.y)
    }

    pub fn size(&self) -> f64 {
        self.pieces.iter().map(|piece| piece.size).fold(0.0, f64::max)
    }

    /// All of it, its pieces divided by what is given.
    pub fn text(&self, between: &str) -> String {
        self.pieces.iter().map(|piece| piece.text.as_str()).collect::<Vec<_>>().join(between)
    }
}

/// A page's lines in reading order. The direction of most text comes first.
pub(super) fn lines(glyphs: Vec<Glyph>) -> Vec<Line> {
    let mut turns: [Vec<Glyph>; 4] = Default::default();
    for glyph in glyphs {
        turns[usize::from(glyph.turn) % 4].push(glyph);
    }
    turns.sort_by_key(|glyphs| std::cmp::Reverse(glyphs.len()));
    let mut all = Vec::new();
    let mut region = 0;
    for (place, glyphs) in turns.into_iter().enumerate() {
        let from = all.len();
        read(pieces(glyphs), 0, &mut region, &mut all);
        for line in &mut all[from..] {
            line.turned = place > 0;
        }
    }
    all
}

fn read(pieces: Vec<Piece>, depth: usize, region: &mut usize, into: &mut Vec<Line>) {
    let gutter = if depth < 4 { gutter(&pieces) } else { None };
    let Some(gutter) = gutter else {
        *region += 1;
        return rows(pieces, *region, into);
    };
    // What reaches over the gutter divides the page into bands; in each the left column comes first.
    let (mut left, mut right, mut over) = (Vec::new(), Vec::new(), Vec::new());
    let mut bands = Vec::new();
    for piece in pieces {
        if piece.right <= gutter || piece.left >= gutter {
            if !over.is_empty() {
                bands.push((std::mem::take(&mut over), true));
            }
            if piece.right <= gutter { left.push(piece) } else { right.push(piece) }
        } else {
            if !left.is_empty() || !right.is_empty() {
                bands.push((std::mem::take(&mut left), false));
                bands.push((std::mem::take(&mut right), false));
            }
            over.push(piece);
        }
    }
    bands.push((over, true));
    bands.push((left, false));
    bands.push((right, false));
    for (band, whole) in bands {
        if band.is_empty() {
            continue;
        }
        if whole {
            *region += 1;
            rows(band, *region, into);
        } else {
            read(band, depth + 1, region, into);
        }
    }
}

/// Where a region's columns part, if it has columns of running text. A table's do not count: its rows belong together.
fn gutter(pieces: &[Piece]) -> Option<f64> {
    if pieces.len() < 8 {
        return None;
    }
    let from = pieces.iter().map(|piece| piece.left).fold(f64::INFINITY, f64::min);
    let to = pieces.iter().map(|piece| piece.right).fold(f64::NEG_INFINITY, f64::max);
    let width = to - from;
    if !(width > 0.0 && width < 1e5) {
        return None;
    }
    // How many pieces cover each slice of the width.
    const SLICES: usize = 300;
    let slice = |x: f64| (((x - from) / width * SLICES as f64) as usize).min(SLICES - 1);
    let mut cover = [0usize; SLICES];
    for piece in pieces {
        for covered in &mut cover[slice(piece.left)..=slice(piece.right)] {
            *covered += 1;
        }
    }
    let few = pieces.len() / 6;
    let mut best: Option<(usize, f64)> = None;
    for at in SLICES / 8..SLICES * 7 / 8 {
        if cover[at] > few || best.is_some_and(|(least, _)| cover[at] >= least) {
            continue;
        }
        // The middle of the run of slices that are as free.
        let end = (at..SLICES).find(|other| cover[*other] != cover[at]).unwrap_or(SLICES);
        let x = from + (at + end) as f64 / 2.0 / SLICES as f64 * width;
        if are_columns(pieces, x) {
            best = Some((cover[at], x));
        }
    }
    best.map(|(_, x)| x)
}

/// Whether running text stands on both sides of a gutter.
fn are_columns(pieces: &[Piece], gutter: f64) -> bool {
    let side = |of: &dyn Fn(&&Piece) -> bool| -> Option<(f64, f64)> {
        let own: Vec<&Piece> = pieces.iter().filter(of).collect();
        if own.len() < 4 {
            return None;
        }
        let from = own.iter().map(|piece| piece.left).fold(f64::INFINITY, f64::min);
        let to = own.iter().map(|piece| piece.right).fold(f64::NEG_INFINITY, f64::max);
        // Running text fills the width of its column in most lines, and with more than some words.
        let full = own.iter().filter(|piece| piece.right - piece.left > (to - from) * 0.6).count();
        let letters: usize = own.iter().map(|piece| piece.text.chars().count()).sum();
        let is_text = full * 2 >= own.len() && letters >= own.len() * 18;
        let top = own.iter().map(|piece| piece.y).fold(f64::INFINITY, f64::min);
        let bottom = own.iter().map(|piece| piece.y).fold(f64::NEG_INFINITY, f64::max);
        is_text.then_some((top, bottom))
    };
    let (Some(left), Some(right)) = (side(&|piece| piece.right <= gutter), side(&|piece| piece.left >= gutter)) else {
        return false;
    };
    let shared = left.1.min(right.1) - left.0.max(right.0);
    let shorter = (left.1 - left.0).min(right.1 - right.0);
    shared > shorter * 0.3
}

/// Pieces that share a baseline, as lines.
fn rows(mut pieces: Vec<Piece>, region: usize, into: &mut Vec<Line>) {
    pieces.sort_by(|a, b| a.y.total_cmp(&b.y));
    let mut lines: Vec<Line> = Vec::new();
    for piece in pieces {
        let joins = lines.last().is_some_and(|line| {
            let size = line.size().max(piece.size);
            piece.y - line.y() < size * 0.45
                && line.pieces.iter().all(|o| piece.left >= o.right || piece.right <= o.left)
        });
        match lines.last_mut() {
            Some(line) if joins => line.pieces.push(piece),
            _ => lines.push(Line { pieces: vec![piece], region, turned: false }),
        }
    }
    for line in &mut lines {
        line.pieces.sort_by(|a, b| a.left.total_cmp(&b.left));
        close(line);
        label(line);
    }
    into.extend(lines);
}

/// Joins pieces whose gap only spreads out a line.
fn close(line: &mut Line) {
    let mut joined: Vec<Piece> = Vec::with_capacity(line.pieces.len());
    for piece in line.pieces.drain(..) {
        match joined.last_mut() {
            Some(last) if piece.left - last.right < last.size.max(piece.size) * CELLS => {
                last.text.push(' ');
                last.text.push_str(&piece.text);
                last.right = last.right.max(piece.right);
                last.size = last.size.max(piece.size);
            }
            _ => joined.push(piece),
        }
    }
    line.pieces = joined;
}

/// Joins an item's mark, which stands apart, with the item.
fn label(line: &mut Line) {
    if line.pieces.len() != 2 || !is_label(&line.pieces[0].text) {
        return;
    }
    if line.pieces[1].left - line.pieces[0].right > line.size() * 4.0 {
        return;
    }
    let rest = line.pieces.remove(1);
    if let Some(mark) = line.pieces.first_mut() {
        mark.text = format!("{} {}", mark.text, rest.text);
        mark.right = rest.right;
    }
}

/// A bullet, or a number or letter that counts.
pub(super) fn is_label(text: &str) -> bool {
    if matches!(text, "•" | "◦" | "▪" | "■" | "●" | "○" | "-" | "–" | "—" | "*" | "o" | "‣" | "➢" | "✓" | "")
    {
        return true;
    }
    let inner = text.strip_prefix('(').unwrap_or(text);
    let Some(inner) = inner.strip_suffix([')', '.']) else { return false };
    let numbered =
        inner.split('.').all(|part| !part.is_empty() && part.len() <= 3 && part.bytes().all(|b| b.is_ascii_digit()));
    let lettered = inner.len() == 1 && inner.bytes().all(|b| b.is_ascii_alphabetic());
    numbered || lettered || matches!(inner, "ii" | "iii" | "iv" | "vi" | "vii" | "viii" | "ix")
}

//! Pieces to lines in reading order: columns one after another, what spans them between.

use std::collections::BTreeMap;

use super::bidi::directions;
use super::columns::{Part, gutter, parts};
use super::glyphs::{Glyph, Rule};
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
pub(super) fn lines(glyphs: Vec<Glyph>, rules: &[Rule]) -> Vec<Line> {
    let mut turns: BTreeMap<u16, Vec<Glyph>> = BTreeMap::new();
    for glyph in glyphs {
        turns.entry(glyph.turn).or_default().push(glyph);
    }
    let mut turns: Vec<(u16, Vec<Glyph>)> = turns.into_iter().collect();
    turns.sort_by_key(|(_, glyphs)| std::cmp::Reverse(glyphs.len()));
    let mut all = Vec::new();
    let mut region = 0;
    for (place, (turn, glyphs)) in turns.into_iter().enumerate() {
        let from = all.len();
        let mut pieces = pieces(glyphs);
        let (right, left) = directions(pieces.iter().flat_map(|piece| piece.text.chars()));
        // Rules are known as they lie on the page.
        let mut rules = if turn == 0 { rules.to_vec() } else { Vec::new() };
        if right > left {
            mirror(&mut pieces, &mut rules);
        }
        pieces.sort_by(|a, b| a.y.total_cmp(&b.y).then(a.left.total_cmp(&b.left)));
        read(pieces, 0, &rules, &mut region, &mut all);
        for line in &mut all[from..] {
            line.turned = place > 0;
        }
    }
    all
}

/// Where text runs from right to left, so do columns and cells: in the mirror they are read as others are.
fn mirror(pieces: &mut [Piece], rules: &mut [Rule]) {
    for piece in pieces {
        (piece.left, piece.right) = (-piece.right, -piece.left);
    }
    for rule in rules {
        (rule.left, rule.right) = (-rule.right, -rule.left);
    }
}

/// Columns in columns in columns: nobody sets more.
const DEPTH: usize = 6;

/// Reads the pieces of a region, which come from top to bottom.
fn read(pieces: Vec<Piece>, depth: usize, rules: &[Rule], region: &mut usize, into: &mut Vec<Line>) {
    let gutter = if depth < DEPTH { gutter(&pieces, rules) } else { None };
    let Some(gutter) = gutter else {
        *region += 1;
        return rows(pieces, *region, into);
    };
    let mut deeper = |pieces: Vec<&Piece>| read(pieces.into_iter().cloned().collect(), depth + 1, rules, region, into);
    for part in parts(&pieces, gutter, rules) {
        match part {
            Part::Whole(pieces) => deeper(pieces),
            Part::Columns(left, right) => {
                deeper(left);
                deeper(right);
            }
        }
    }
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

//! Where a region's columns part.

use super::glyphs::Rule;
use super::lines::Piece;

/// A part of a region, from top to bottom.
pub(super) enum Part<'p> {
    /// What reaches over the gutter, and what stands beside it without being columns: a table's rows.
    Whole(Vec<&'p Piece>),
    /// Two columns: the left one is read first.
    Columns(Vec<&'p Piece>, Vec<&'p Piece>),
}

/// A column has so many lines before it shows that there are columns at all, and then further down the page.
const FIRST: usize = 4;
const FURTHER: usize = 2;
/// A table has so many lines across: a page of columns may have one below its head and one above its foot.
const RULED: usize = 3;

/// A region as a gutter divides it. Pieces come from top to bottom.
pub(super) fn parts<'p>(pieces: &'p [Piece], gutter: f64, rules: &[Rule]) -> Vec<Part<'p>> {
    let mut all: Vec<Part> = Vec::new();
    for band in bands(pieces, gutter) {
        let (left, right): (Vec<&Piece>, Vec<&Piece>) = band.iter().partition(|piece| piece.right <= gutter);
        if are_columns(&left, &right, gutter, rules, FURTHER) {
            all.push(Part::Columns(left, right));
        } else if let Some(Part::Whole(before)) = all.last_mut() {
            before.extend(band);
        } else {
            all.push(Part::Whole(band.iter().collect()));
        }
    }
    all
}

/// Runs of pieces that keep clear of a gutter, and the runs between them that reach over it.
fn bands(pieces: &[Piece], gutter: f64) -> impl Iterator<Item = &[Piece]> {
    let crosses = move |piece: &Piece| piece.left < gutter && piece.right > gutter;
    pieces.chunk_by(move |one, next| crosses(one) == crosses(next))
}

/// The place between columns that divides the most, if a region has any.
pub(super) fn gutter(pieces: &[Piece], rules: &[Rule]) -> Option<f64> {
    if pieces.len() < 2 * FIRST {
        return None;
    }
    let from = pieces.iter().map(|piece| piece.left).fold(f64::INFINITY, f64::min);
    let to = pieces.iter().map(|piece| piece.right).fold(f64::NEG_INFINITY, f64::max);
    let width = to - from;
    if !(width > 0.0 && width < 1e5) {
        return None;
    }
    // How many pieces cover each slice of the width.
    const SLICES: usize = 600;
    let slice = |x: f64| (((x - from) / width * SLICES as f64) as usize).min(SLICES - 1);
    let mut cover = [0usize; SLICES];
    for piece in pieces {
        for covered in &mut cover[slice(piece.left)..=slice(piece.right)] {
            *covered += 1;
        }
    }
    let mut best: Option<(usize, f64)> = None;
    let mut at = 0;
    while at < SLICES {
        // The middle of a run of slices that are as free, where more stands on either side.
        let end = (at..SLICES).find(|other| cover[*other] != cover[at]).unwrap_or(SLICES);
        let deepens = at > 0 && end < SLICES && cover[at - 1] > cover[at] && cover[end] > cover[at];
        if deepens && cover[at] * 2 < pieces.len() {
            let x = from + (at + end) as f64 / 2.0 / SLICES as f64 * width;
            let divided = divided(pieces, x, rules);
            if best.is_none_or(|(most, _)| divided > most) && divided > 0 {
                best = Some((divided, x));
            }
        }
        at = end;
    }
    best.map(|(_, x)| x)
}

/// How many pieces a gutter divides into columns.
fn divided(pieces: &[Piece], gutter: f64, rules: &[Rule]) -> usize {
    let columns = |band: &&[Piece]| {
        let (left, right): (Vec<&Piece>, Vec<&Piece>) = band.iter().partition(|piece| piece.right <= gutter);
        are_columns(&left, &right, gutter, rules, FIRST)
    };
    bands(pieces, gutter).filter(columns).map(<[Piece]>::len).sum()
}

/// Whether what stands on both sides of a gutter is read one side after the other. A table is not: its rows belong
/// together.
fn are_columns(left: &[&Piece], right: &[&Piece], gutter: f64, rules: &[Rule], least: usize) -> bool {
    if left.len() < least || right.len() < least {
        return false;
    }
    let (Some(one), Some(other)) = (reach(left), reach(right)) else { return false };
    let shared = (one.0.max(other.0), one.1.min(other.1));
    let shorter = (one.1 - one.0).min(other.1 - other.0);
    if shared.1 - shared.0 <= shorter * 0.3 {
        return false;
    }
    let across = |rule: &&Rule| rule.left < gutter && rule.right > gutter && rule.y > shared.0 && rule.y < shared.1;
    let mut heights: Vec<f64> = rules.iter().filter(across).map(|rule| rule.y).collect();
    // Both edges of a thin box are one line.
    heights.dedup_by(|next, one| (*next - *one).abs() < 4.0);
    if heights.len() >= RULED {
        return false;
    }
    match (is_running(left), is_running(right)) {
        (true, true) => true,
        (false, false) => false,
        // A list beside the text has lines of its own; labels stand beside what they label.
        _ => !are_aligned(left, right),
    }
}

/// The height of the first and of the last line.
fn reach(pieces: &[&Piece]) -> Option<(f64, f64)> {
    Some((pieces.first()?.y, pieces.last()?.y))
}

/// Whether this is running text: it fills the width of its column in most lines, with more than some words.
fn is_running(pieces: &[&Piece]) -> bool {
    let mut widths: Vec<f64> = pieces.iter().map(|piece| piece.right - piece.left).collect();
    widths.sort_by(f64::total_cmp);
    let Some(column) = widths.get(widths.len() * 9 / 10) else { return false };
    let full = widths.iter().filter(|width| **width > column * 0.6).count();
    let letters: usize = pieces.iter().map(|piece| letters(&piece.text)).sum();
    full * 2 >= pieces.len() && letters >= pieces.len() * 18
}

/// How much is written, in letters of an alphabet: an ideograph is as good as two.
fn letters(text: &str) -> usize {
    text.chars().map(|char| if super::paragraphs::is_wide(char) { 2 } else { 1 }).sum()
}

/// Whether most lines of the side that has fewer stand at the height of a line on the other side.
fn are_aligned(left: &[&Piece], right: &[&Piece]) -> bool {
    let (few, many) = if left.len() < right.len() { (left, right) } else { (right, left) };
    let beside = |piece: &&&Piece| {
        let at = many.partition_point(|other| other.y < piece.y);
        let near = |other: Option<&&Piece>| other.is_some_and(|o| (o.y - piece.y).abs() < piece.size * 0.15);
        near(many.get(at)) || at > 0 && near(many.get(at - 1))
    };
    few.iter().filter(beside).count() * 2 >= few.len()
}

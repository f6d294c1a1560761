//! Glyphs to pieces of lines: what stands on one baseline without a gap that divides.

use std::collections::HashMap;

use super::bidi;
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
/// So far, in heights of the font, glyphs of one line may reach into one another.
const OVERLAP: f64 = 0.5;
/// A line is looked for among the last so many pieces of its height.
const LOOK_BACK: usize = 64;

/// The pieces of one direction's glyphs. What is drawn in one go belongs together: neighbouring columns whose lines stand
/// at nearly the same height, and texts that lie upon one another, are never mixed letter by letter.
pub(super) fn pieces(glyphs: Vec<Glyph>) -> Vec<Piece> {
    joined(drawn(glyphs)).iter().filter_map(Run::piece).collect()
}

/// Glyphs that belong together, and the space that they take.
struct Run {
    glyphs: Vec<Glyph>,
    left: f64,
    right: f64,
    y: f64,
    size: f64,
}

impl Run {
    fn of(glyph: Glyph) -> Self {
        let (left, right, y, size) = (glyph.x, glyph.x + glyph.width, glyph.y, glyph.size);
        Self { glyphs: vec![glyph], left, right, y, size }
    }

    /// Whether something of this height stands on the run's baseline; raised and lowered characters do.
    fn shares_line(&self, y: f64, size: f64) -> bool {
        let (larger, smaller) = (self.size.max(size), self.size.min(size));
        let raised = smaller < larger * 0.85;
        (y - self.y).abs() < larger * if raised { 0.5 } else { 0.3 }
    }

    /// Whether something from `left` to `right` stands right behind or right before the run.
    fn touches(&self, left: f64, right: f64, size: f64) -> bool {
        let near = |gap: f64| gap > -OVERLAP * size && gap < APART * size;
        near(left - self.right) || near(self.left - right)
    }

    /// Whether another run stands in a gap between the run's glyphs.
    fn has_room(&self, other: &Self) -> bool {
        let slack = self.size.min(other.size) * OVERLAP / 2.0;
        let meets = |glyph: &Glyph| glyph.x < other.right - slack && glyph.x + glyph.width > other.left + slack;
        other.left > self.left && other.right < self.right && !self.glyphs.iter().any(meets)
    }

    fn add(&mut self, other: Self) {
        self.left = self.left.min(other.left);
        self.right = self.right.max(other.right);
        // The larger characters say where the line is.
        if other.size > self.size * 1.1 {
            self.y = other.y;
        }
        self.size = self.size.max(other.size);
        self.glyphs.extend(other.glyphs);
    }

    fn piece(&self) -> Option<Piece> {
        let mut glyphs: Vec<&Glyph> = self.glyphs.iter().collect();
        glyphs.sort_by(|a, b| a.x.total_cmp(&b.x));
        // The larger characters of a piece say where its line is; raised ones do not.
        let base = glyphs.iter().filter(|glyph| glyph.size > self.size * 0.9);
        let (sum, count) = base.fold((0.0, 0.0), |(sum, count), glyph| (sum + glyph.y, count + 1.0));
        let y = if count > 0.0 { sum / count } else { self.y };
        let text = bidi::logical(&spaced(&glyphs));
        (!text.is_empty()).then_some(Piece { text, left: self.left, right: self.right, y, size: self.size })
    }
}

/// Glyphs that were drawn one after the other and stand side by side.
fn drawn(glyphs: Vec<Glyph>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for glyph in glyphs {
        let space = glyph.text.trim().is_empty();
        match runs.last_mut() {
            Some(run)
                if run.shares_line(glyph.y, glyph.size)
                    && run.touches(glyph.x, glyph.x + glyph.width, run.size.min(glyph.size)) =>
            {
                if space {
                    run.space(&glyph);
                } else {
                    run.add(Run::of(glyph));
                }
            }
            _ if space => {}
            _ => runs.push(Run::of(glyph)),
        }
    }
    runs
}

impl Run {
    /// Drawn spaces say that a word ends, nothing about where.
    fn space(&mut self, space: &Glyph) {
        let before = self.glyphs.iter_mut().rev().take(8).filter(|glyph| glyph.x <= space.x);
        if let Some(last) = before.max_by(|a, b| a.x.total_cmp(&b.x))
            && !last.text.ends_with(' ')
        {
            last.text.push(' ');
        }
    }
}

/// Runs that go on with one another, whatever the order in which they were drawn.
fn joined(mut runs: Vec<Run>) -> Vec<Run> {
    runs.sort_by(|a, b| a.left.total_cmp(&b.left));
    let mut all: Vec<Run> = Vec::new();
    // Where runs stand, in strips of the page's height.
    const STRIP: f64 = 8.0;
    let strip = |y: f64| (y / STRIP).floor() as i64;
    let mut strips: HashMap<i64, Vec<usize>> = HashMap::new();
    for run in runs {
        let reach = ((run.size * 0.5 / STRIP).ceil() as i64).clamp(1, 16);
        let home = strip(run.y);
        let near = (home - reach..=home + reach).filter_map(|at| strips.get(&at));
        let candidates = near.flat_map(|members| members.iter().rev().take(LOOK_BACK).copied());
        let gap = |at: &usize| (run.left - all[*at].right).abs();
        let best = candidates
            .filter(|at| {
                let other = &all[*at];
                let size = other.size.min(run.size);
                let gap = run.left - other.right;
                let behind = gap > -OVERLAP * size && gap < APART * size;
                other.shares_line(run.y, run.size) && (behind || other.has_room(&run))
            })
            .min_by(|a, b| gap(a).total_cmp(&gap(b)));
        match best {
            Some(at) => all[at].add(run),
            None => {
                strips.entry(home).or_default().push(all.len());
                all.push(run);
            }
        }
    }
    all
}

/// The texts of glyphs from left to right, with a space behind each that ends a word.
fn spaced(glyphs: &[&Glyph]) -> Vec<String> {
    let usual = tracking(glyphs);
    let mut out: Vec<String> = Vec::with_capacity(glyphs.len());
    let mut right = f64::NEG_INFINITY;
    let mut before: Option<&Glyph> = None;
    for glyph in glyphs {
        if let (Some(before), Some(last)) = (before, out.last_mut()) {
            let gap = glyph.x - right;
            let size = before.size.min(glyph.size);
            let letters = is_letter(before) && is_letter(glyph);
            if gap > size * WORD + if letters { usual } else { 0.0 } && !last.ends_with(' ') {
                last.push(' ');
            }
        }
        out.push(glyph.text.clone());
        right = right.max(glyph.x + glyph.width);
        before = Some(glyph);
    }
    out
}

fn is_letter(glyph: &Glyph) -> bool {
    glyph.text.trim_end().chars().all(char::is_alphabetic)
}

/// The gap between the letters of a word that is spaced out, or nothing.
fn tracking(glyphs: &[&Glyph]) -> f64 {
    let pairs =
        glyphs.windows(2).filter(|pair| is_letter(pair[0]) && is_letter(pair[1]) && !pair[0].text.ends_with(' '));
    let mut gaps: Vec<f64> = pairs.map(|pair| (pair[1].x - pair[0].x - pair[0].width) / pair[0].size).collect();
    if gaps.len() < 4 {
        return 0.0;
    }
    gaps.sort_by(f64::total_cmp);
    // Nearly all letters stand that far apart: words that are drawn without a gap inside have few such.
    let usual = gaps[gaps.len() / 4];
    if usual > WORD * 0.6 { usual * glyphs[0].size } else { 0.0 }
}

//! Lines to paragraphs, headings, items and table rows.

use std::collections::BTreeMap;

use super::layout::{Line, is_label};
use crate::{Document, Role};

/// Adds the blocks of all pages. Headings are told by their size against the document's body.
pub(super) fn blocks(pages: Vec<Vec<Line>>, document: &mut Document) {
    let sizes = Sizes::of(&pages);
    for (lines, page) in pages.into_iter().zip(1u32..) {
        let mut writer = Writer { document, sizes: &sizes, page, text: String::new(), role: Role::Paragraph };
        writer.page(&lines);
    }
}

/// Font sizes in half points: the body's, and the larger ones that head it.
struct Sizes {
    body: u32,
    heads: Vec<u32>,
}

fn half_points(size: f64) -> u32 {
    (size * 2.0).round().clamp(0.0, 1e6) as u32
}

impl Sizes {
    fn of(pages: &[Vec<Line>]) -> Self {
        let mut letters: BTreeMap<u32, usize> = BTreeMap::new();
        for piece in pages.iter().flatten().filter(|line| !line.turned).flat_map(|line| &line.pieces) {
            *letters.entry(half_points(piece.size)).or_default() += piece.text.chars().count();
        }
        let body = letters.iter().max_by_key(|(_, count)| **count).map_or(0, |(size, _)| *size);
        let larger = letters.keys().rev().filter(|size| **size * 20 >= body * 23).copied();
        let mut heads: Vec<u32> = Vec::new();
        for size in larger {
            // Sizes that differ by a hair are one.
            if heads.last().is_none_or(|last| last - size > 2) {
                heads.push(size);
            }
        }
        Self { body, heads }
    }

    fn level(&self, size: f64) -> Option<u8> {
        let size = half_points(size);
        if self.body == 0 || size * 20 < self.body * 23 {
            return None;
        }
        let at = self.heads.iter().position(|head| size + 2 >= *head)?;
        Some(u8::try_from(at + 1).unwrap_or(6).min(6))
    }
}

struct Writer<'a> {
    document: &'a mut Document,
    sizes: &'a Sizes,
    page: u32,
    text: String,
    role: Role,
}

impl Writer<'_> {
    fn page(&mut self, lines: &[Line]) {
        let leading = leading(lines);
        let mut at = 0;
        while at < lines.len() {
            if let Some(end) = table(lines, at) {
                self.flush();
                self.rows(&lines[at..end]);
                at = end;
                continue;
            }
            let line = &lines[at];
            let text = line.text(" ");
            let level = self.sizes.level(line.size()).filter(|_| !line.turned && text.chars().count() <= 200);
            let role = level.map_or(Role::Paragraph, Role::Heading);
            let opens_item = level.is_none() && text.split(' ').next().is_some_and(is_label) && text.contains(' ');
            let goes_on = at > 0 && self.continues(&lines[at - 1], line, role, leading);
            if !goes_on || opens_item {
                self.flush();
                self.role = if opens_item { Role::Item } else { role };
            }
            self.append(&text);
            at += 1;
        }
        self.flush();
    }

    /// Whether a line goes on with what the line before it began.
    fn continues(&self, before: &Line, line: &Line, role: Role, leading: f64) -> bool {
        if self.text.is_empty() || before.region != line.region {
            return false;
        }
        let headings = matches!(role, Role::Heading(_)) || matches!(self.role, Role::Heading(_));
        if headings && self.role != role {
            return false;
        }
        let size = line.size().max(before.size());
        let step = line.y() - before.y();
        // A heading's lines stand as far apart as its size asks, whatever the body does.
        let usual = if headings { size * 1.2 } else { leading.clamp(size * 0.9, size * 2.2) };
        if step > usual * 1.35 + 0.5 || step < 0.0 {
            return false;
        }
        if !headings && (line.size() - before.size()).abs() > size * 0.2 {
            return false;
        }
        // A first line is drawn in, or a last line ends early behind a full stop.
        let indented = line.left() - before.left() > size * 0.8 && self.role != Role::Item;
        let ended = self.text.ends_with(['.', '!', '?', ':']) && before.right() < line.right() - size * 4.0;
        let opens = indented && self.role == Role::Paragraph && self.text.ends_with(['.', '!', '?', ':', '"', '”']);
        !(opens || ended)
    }

    fn append(&mut self, text: &str) {
        if self.text.is_empty() {
            self.text.push_str(text);
            return;
        }
        // A word that was broken at a line's end goes on in small letters.
        let broken = self.text.strip_suffix('-').is_some_and(|stem| stem.ends_with(char::is_alphabetic))
            && text.starts_with(char::is_lowercase);
        if broken {
            self.text.pop();
        } else if !self.text.ends_with(is_wide) || !text.starts_with(is_wide) {
            self.text.push(' ');
        }
        self.text.push_str(text);
    }

    fn flush(&mut self) {
        let text = std::mem::take(&mut self.text);
        self.document.push(self.role, text, Some(self.page));
        self.role = Role::Paragraph;
    }

    /// A table's rows. A line with fewer pieces right below a row, none in the first column, goes on with its cells.
    fn rows(&mut self, lines: &[Line]) {
        let mut open: Vec<(f64, f64, String)> = Vec::new();
        let mut last: Option<&Line> = None;
        let mut done: Vec<String> = Vec::new();
        for line in lines {
            let near = last.is_some_and(|last| line.y() - last.y() < line.size() * 1.6);
            let home = |piece: &super::lines::Piece| {
                open.iter().position(|(left, right, _)| piece.left < *right && piece.right > *left)
            };
            let homes: Option<Vec<usize>> = line.pieces.iter().map(home).collect();
            match homes {
                Some(homes) if near && line.pieces.len() < open.len() && homes.first().is_some_and(|at| *at > 0) => {
                    for (piece, at) in line.pieces.iter().zip(homes) {
                        let cell = &mut open[at];
                        cell.0 = cell.0.min(piece.left);
                        cell.1 = cell.1.max(piece.right);
                        cell.2 = format!("{} {}", cell.2, piece.text);
                    }
                }
                _ => {
                    done.push(open.iter().map(|(_, _, text)| text.as_str()).collect::<Vec<_>>().join(" | "));
                    open = line.pieces.iter().map(|piece| (piece.left, piece.right, piece.text.clone())).collect();
                }
            }
            last = Some(line);
        }
        done.push(open.iter().map(|(_, _, text)| text.as_str()).collect::<Vec<_>>().join(" | "));
        for row in done {
            self.document.push(Role::Row, row, Some(self.page));
        }
    }
}

/// Where a table that begins at a line ends: at least two lines with several pieces that stand under one another.
fn table(lines: &[Line], from: usize) -> Option<usize> {
    if lines[from].pieces.len() < 2 {
        return None;
    }
    let mut end = from + 1;
    let mut rows = 1;
    let mut last = &lines[from];
    while let Some(line) = lines.get(end) {
        let size = line.size().max(last.size());
        let near = line.region == last.region && line.y() - lines[end - 1].y() < size * 4.0;
        if !near {
            break;
        }
        if line.pieces.len() >= 2 {
            if !aligned(last, line) {
                break;
            }
            rows += 1;
            last = line;
        } else {
            // A cell's second line: short, inside of the table, and not in its first column.
            let inside = line.left() > last.pieces[1].left - size && line.right() < last.right() + size * 2.0;
            if !inside || line.y() - lines[end - 1].y() > size * 1.6 {
                break;
            }
        }
        end += 1;
    }
    (rows >= 2).then_some(end)
}

/// Whether at least two pieces of one line stand under pieces of the other.
fn aligned(above: &Line, below: &Line) -> bool {
    let under = |piece: &&super::lines::Piece| {
        above.pieces.iter().any(|other| piece.left < other.right && piece.right > other.left)
    };
    below.pieces.iter().filter(under).count() >= 2
}

/// The distance between lines of a paragraph: smaller ones are more common than those between paragraphs.
fn leading(lines: &[Line]) -> f64 {
    let mut steps: Vec<f64> = lines
        .windows(2)
        .filter(|pair| pair[0].region == pair[1].region)
        .map(|pair| pair[1].y() - pair[0].y())
        .filter(|step| *step > 1.0)
        .collect();
    steps.sort_by(f64::total_cmp);
    steps.get(steps.len() / 4).copied().unwrap_or(14.0)
}

/// Scripts that are written without spaces.
pub(super) fn is_wide(char: char) -> bool {
    matches!(char as u32, 0x2e80..=0x9fff | 0xf900..=0xfaff | 0xff00..=0xffef | 0x20000..=0x3ffff)
}

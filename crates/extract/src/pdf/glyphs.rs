//! What a page draws as text, and where.

use std::collections::HashSet;

use hayro_cmap::WritingMode;
use hayro_interpret::font::{Glyph as Drawn, GlyphRun};
use hayro_interpret::{
    BlendMode, ClipPath, Context, Device, DrawMode, DrawProps, Image, ImageDrawProps, InterpreterCache, SoftMask,
    interpret_page,
};
use hayro_syntax::Pdf;
use hayro_syntax::page::Page;
use kurbo::{Affine, BezPath, PathSeg, Point, Rect};
use unicode_normalization::UnicodeNormalization;

use super::fonts::{Fonts, string};

/// A character on a page, in the direction of its text: `x` grows as one reads, `y` grows from line to line.
#[derive(Debug, Clone)]
pub(super) struct Glyph {
    pub text: String,
    pub x: f64,
    /// Of the baseline.
    pub y: f64,
    pub width: f64,
    /// The height of the font.
    pub size: f64,
    /// How far the text is turned against the page, in degrees from 0 to 359; [`DOWN`] where characters stand upright
    /// below one another.
    pub turn: u16,
    /// Nothing but the code of the glyph says what it stands for.
    pub guessed: bool,
}

/// The direction of Chinese and Japanese that is written from top to bottom, in lines from right to left.
pub(super) const DOWN: u16 = 360;

/// What was found on a page.
#[derive(Default)]
pub(super) struct Found {
    pub glyphs: Vec<Glyph>,
    /// Glyphs without a meaning.
    pub unknown: usize,
    pub images: usize,
    /// Lines that are drawn across, from left to right: of tables, and others.
    pub rules: Vec<Rule>,
}

/// A drawn horizontal line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    pub left: f64,
    pub right: f64,
    pub y: f64,
}

/// More glyphs than a page of the densest print has. What a page draws on top of that is an attack.
const GLYPHS: usize = 2_000_000;

/// More rules than a page of the finest table has.
const RULES: usize = 20_000;
/// Shorter than any row of a table, in points.
const SHORT: f64 = 6.0;

/// Interprets a page.
pub(super) fn of<'a>(page: &Page<'a>, pdf: &'a Pdf, cache: &InterpreterCache<'a>, fonts: &mut Fonts) -> Found {
    let (width, height) = page.render_dimensions();
    let bounds = Rect::new(0.0, 0.0, f64::from(width), f64::from(height));
    let transform = Affine::new(page.initial_transform(true).as_coeffs());
    let mut context = Context::new(transform, bounds, cache, pdf.xref(), fonts.settings());
    // A character that reaches over the edge is still seen.
    let mut reader = Reader { found: Found::default(), fonts, seen: bounds.inflate(5.0, 5.0) };
    interpret_page(page, &mut context, &mut reader);
    let mut found = reader.found;
    found.rules = joined(found.rules);
    if !is_language(found.glyphs.iter().filter(|glyph| glyph.guessed)) {
        let all = found.glyphs.len();
        found.glyphs.retain(|glyph| !glyph.guessed);
        found.unknown += all - found.glyphs.len();
    }
    found
}

struct Reader<'f> {
    found: Found,
    fonts: &'f mut Fonts,
    /// The part of the page that is shown.
    seen: Rect,
}

impl Device<'_> for Reader<'_> {
    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, '_>, props: DrawProps<'_>, _: &DrawMode) {
        let down = run.writing_mode() == WritingMode::Vertical;
        for glyph in run.glyphs() {
            if self.found.glyphs.len() >= GLYPHS {
                return;
            }
            let place = props.transform * glyph.transform();
            if !self.seen.contains(place * Point::ZERO) {
                continue;
            }
            let (text, guessed) = match self.said(glyph) {
                Some(text) => (text, false),
                None => match guess(glyph.char_code()) {
                    Some(text) => (text, true),
                    None => {
                        self.found.unknown += 1;
                        continue;
                    }
                },
            };
            if text.is_empty() {
                continue;
            }
            let advance = match &**glyph {
                Drawn::Outline(outline) => outline.advance_width(),
                Drawn::Type3(shape) => shape.advance_width(),
            };
            let advance = f64::from(advance.unwrap_or(500.0));
            if let Some(glyph) = placed(text, place, advance, down) {
                self.add(Glyph { guessed, ..glyph });
            }
        }
    }

    fn draw_image(&mut self, _: Image<'_, '_>, _: ImageDrawProps<'_>) {
        self.found.images += 1;
    }

    fn draw_path(&mut self, path: &BezPath, props: DrawProps<'_>, _: &DrawMode) {
        for segment in path.segments() {
            let PathSeg::Line(line) = segment else { continue };
            let (from, to) = (props.transform * line.p0, props.transform * line.p1);
            let level = (from.y - to.y).abs() < 1.0 && (from.x - to.x).abs() > SHORT;
            if level && self.found.rules.len() < RULES {
                self.found.rules.push(Rule { left: from.x.min(to.x), right: from.x.max(to.x), y: from.y });
            }
        }
    }

    fn push_clip_path(&mut self, _: &ClipPath) {}
    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'_>>, _: BlendMode) {}
    fn pop_clip(&mut self) {}
    fn pop_transparency_group(&mut self) {}
}

impl Reader<'_> {
    /// What the file or the font says that a glyph stands for, which may be nothing.
    fn said(&mut self, glyph: &Drawn<'_>) -> Option<String> {
        if let Some(said) = glyph.as_unicode().map(string) {
            let damaged = said.chars().any(|char| char.is_control() || char == '\u{fffd}');
            let text = meaning(&said);
            if !text.is_empty() || !damaged {
                return Some(text);
            }
        }
        match glyph {
            Drawn::Outline(outline) => self.fonts.meaning(outline).map(|text| meaning(&text)),
            Drawn::Type3(_) => None,
        }
    }

    fn add(&mut self, glyph: Glyph) {
        // Bold is faked, and outlines are drawn, by painting the same twice.
        let close = |other: &Glyph| {
            other.turn == glyph.turn
                && (other.x - glyph.x).abs() < glyph.size * 0.1
                && (other.y - glyph.y).abs() < glyph.size * 0.1
                && other.text == glyph.text
        };
        let recent = self.found.glyphs.len().saturating_sub(200);
        if self.found.glyphs[recent..].iter().rev().any(close) && !glyph.text.trim().is_empty() {
            return;
        }
        // A mark belongs to the letter that it was drawn after, wherever sorting would put it.
        if glyph.text.chars().all(is_mark)
            && let Some(letter) = self.found.glyphs.last_mut()
        {
            letter.text.push_str(&glyph.text);
            return;
        }
        self.found.glyphs.push(glyph);
    }
}

/// Rules that go on with one another as one: borders are drawn cell by cell, and both edges of a thin box are one line.
fn joined(mut rules: Vec<Rule>) -> Vec<Rule> {
    // What is drawn within this distance is meant to meet.
    const MEET: f64 = 2.0;
    let line = |y: f64| (y / MEET).round() as i64;
    rules.sort_by(|a, b| line(a.y).cmp(&line(b.y)).then(a.left.total_cmp(&b.left)));
    let mut all: Vec<Rule> = Vec::new();
    for rule in rules {
        match all.last_mut() {
            Some(last) if line(last.y) == line(rule.y) && rule.left < last.right + MEET => {
                last.right = last.right.max(rule.right);
            }
            _ => all.push(rule),
        }
    }
    all
}

fn placed(text: String, place: Affine, advance: f64, down: bool) -> Option<Glyph> {
    let origin = place * Point::ZERO;
    let along = place * Point::new(1000.0, 0.0) - origin;
    let up = place * Point::new(0.0, 1000.0) - origin;
    let size = up.hypot();
    let finite = origin.is_finite() && along.is_finite() && size.is_finite();
    if !finite || size < 0.1 || origin.x.abs() > 1e6 || origin.y.abs() > 1e6 {
        return None;
    }
    let width = (along.hypot() * advance / 1000.0).clamp(0.0, size * 4.0);
    if down {
        return Some(Glyph { text, x: origin.y, y: -origin.x, width: size, size, turn: DOWN, guessed: false });
    }
    let degrees = along.y.atan2(along.x).to_degrees().round();
    // Text that leans by a hair, as scanned pages do, is not turned.
    let quarter = (degrees / 90.0).round() * 90.0;
    let degrees = if (degrees - quarter).abs() <= 3.0 { quarter } else { degrees };
    let back = Affine::rotate(-degrees.to_radians()) * origin;
    let turn = degrees.rem_euclid(360.0) as u16;
    Some(Glyph { text, x: back.x, y: back.y, width, size, turn, guessed: false })
}

/// A character by its code alone. Fonts whose glyphs are pictures often keep the codes of the text that they were made
/// of, and say nothing else.
fn guess(code: u32) -> Option<String> {
    let char = char::from_u32(code).filter(|_| matches!(code, 0x20..=0x7e | 0xc0..=0xff))?;
    Some(char.to_string())
}

/// Whether guessed characters look like a language that is written in Latin letters: they are many and not always the
/// same, mostly letters, and between a quarter and a half of those are vowels. A font that counts its glyphs as it needs
/// them gives none of that.
fn is_language<'g>(guessed: impl Iterator<Item = &'g Glyph>) -> bool {
    let (mut all, mut letters, mut vowels) = (0, 0, 0);
    let mut kinds = HashSet::new();
    for char in guessed.flat_map(|glyph| glyph.text.chars()).filter(|char| !char.is_whitespace()) {
        all += 1;
        letters += usize::from(char.is_alphabetic());
        vowels += usize::from("aeiouAEIOU".contains(char));
        kinds.insert(char);
    }
    kinds.len() >= 10 && letters * 10 >= all * 6 && vowels * 100 >= letters * 25 && vowels * 100 <= letters * 55
}

/// The characters that a glyph stands for. Presentation forms and ligatures become the letters they are made of.
fn meaning(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '\u{fb00}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}' => out.extend(std::iter::once(char).nfkc()),
            '\u{a0}' | '\u{2002}'..='\u{200a}' | '\u{202f}' | '\t' | '\n' | '\r' => out.push(' '),
            // Soft hyphens are drawn where a word was broken.
            '\u{ad}' => out.push('-'),
            '\u{200b}'..='\u{200f}' | '\u{feff}' | '\u{fffd}' => {}
            '\u{e000}'..='\u{f8ff}' => out.push('•'),
            char if char.is_control() => {}
            char => out.push(char),
        }
    }
    out
}

fn is_mark(char: char) -> bool {
    unicode_normalization::char::is_combining_mark(char)
}

//! What a page draws as text, and where.

use hayro_cmap::BfString;
use hayro_interpret::font::{Glyph as Drawn, GlyphRun};
use hayro_interpret::{
    BlendMode, ClipPath, Context, Device, DrawMode, DrawProps, Image, ImageDrawProps, InterpreterCache,
    InterpreterSettings, SoftMask, interpret_page,
};
use hayro_syntax::Pdf;
use hayro_syntax::page::Page;
use kurbo::{Affine, BezPath, Point, Rect};
use unicode_normalization::UnicodeNormalization;

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
    /// A quarter turn of the text against the page, 0 to 3.
    pub turn: u8,
}

/// What was found on a page.
#[derive(Default)]
pub(super) struct Found {
    pub glyphs: Vec<Glyph>,
    /// Glyphs without a meaning.
    pub unknown: usize,
    pub images: usize,
}

/// More glyphs than a page of the densest print has. What a page draws on top of that is an attack.
const GLYPHS: usize = 2_000_000;

/// Interprets a page.
pub(super) fn of<'a>(page: &Page<'a>, pdf: &'a Pdf, cache: &InterpreterCache<'a>) -> Found {
    let (width, height) = page.render_dimensions();
    let bounds = Rect::new(0.0, 0.0, f64::from(width), f64::from(height));
    let transform = Affine::new(page.initial_transform(true).as_coeffs());
    let mut context = Context::new(transform, bounds, cache, pdf.xref(), InterpreterSettings::default());
    let mut reader = Reader::default();
    interpret_page(page, &mut context, &mut reader);
    reader.0
}

#[derive(Default)]
struct Reader(Found);

impl Device<'_> for Reader {
    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, '_>, props: DrawProps<'_>, _: &DrawMode) {
        for glyph in run.glyphs() {
            if self.0.glyphs.len() >= GLYPHS {
                return;
            }
            let Some(text) = glyph.as_unicode() else {
                self.0.unknown += 1;
                continue;
            };
            let text = meaning(text);
            if text.is_empty() {
                continue;
            }
            let advance = match &**glyph {
                Drawn::Outline(outline) => outline.advance_width(),
                Drawn::Type3(shape) => shape.advance_width(),
            };
            let place = props.transform * glyph.transform();
            if let Some(glyph) = placed(text, place, f64::from(advance.unwrap_or(500.0))) {
                self.add(glyph);
            }
        }
    }

    fn draw_image(&mut self, _: Image<'_, '_>, _: ImageDrawProps<'_>) {
        self.0.images += 1;
    }

    fn draw_path(&mut self, _: &BezPath, _: DrawProps<'_>, _: &DrawMode) {}
    fn push_clip_path(&mut self, _: &ClipPath) {}
    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'_>>, _: BlendMode) {}
    fn pop_clip(&mut self) {}
    fn pop_transparency_group(&mut self) {}
}

impl Reader {
    fn add(&mut self, glyph: Glyph) {
        // Bold is faked, and outlines are drawn, by painting the same twice.
        let close = |other: &Glyph| {
            other.turn == glyph.turn
                && (other.x - glyph.x).abs() < glyph.size * 0.1
                && (other.y - glyph.y).abs() < glyph.size * 0.1
                && other.text == glyph.text
        };
        let recent = self.0.glyphs.len().saturating_sub(200);
        if self.0.glyphs[recent..].iter().rev().any(close) && !glyph.text.trim().is_empty() {
            return;
        }
        // A mark belongs to the letter that it was drawn after, wherever sorting would put it.
        if glyph.text.chars().all(is_mark)
            && let Some(letter) = self.0.glyphs.last_mut()
        {
            letter.text.push_str(&glyph.text);
            return;
        }
        self.0.glyphs.push(glyph);
    }
}

fn placed(text: String, place: Affine, advance: f64) -> Option<Glyph> {
    let origin = place * Point::ZERO;
    let along = place * Point::new(1000.0, 0.0) - origin;
    let up = place * Point::new(0.0, 1000.0) - origin;
    let size = up.hypot();
    let finite = origin.is_finite() && along.is_finite() && size.is_finite();
    if !finite || size < 0.1 || origin.x.abs() > 1e6 || origin.y.abs() > 1e6 {
        return None;
    }
    let width = (along.hypot() * advance / 1000.0).clamp(0.0, size * 4.0);
    // Slanted watermarks count with the nearest quarter.
    let turn = ((along.y.atan2(along.x) / std::f64::consts::FRAC_PI_2).round() as i64).rem_euclid(4) as u8;
    let (x, y) = match turn {
        0 => (origin.x, origin.y),
        1 => (origin.y, -origin.x),
        2 => (-origin.x, -origin.y),
        _ => (-origin.y, origin.x),
    };
    Some(Glyph { text, x, y, width, size, turn })
}

/// The characters that a glyph stands for. Presentation forms and ligatures become the letters they are made of.
fn meaning(text: BfString) -> String {
    let text = match text {
        BfString::Char(char) => char.to_string(),
        BfString::String(text) => text,
    };
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

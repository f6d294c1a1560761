//! What a font program itself says of its glyphs, for fonts whose PDF does not say which characters they draw.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use hayro_cmap::{BfString, CMap, CidFamily, load_embedded};
use hayro_interpret::InterpreterSettings;
use hayro_interpret::font::{FontData, FontQuery, OutlineGlyph};
use skrifa::{Font, GlyphId};

/// The fonts of a document that were asked.
#[derive(Default)]
pub(super) struct Fonts {
    asked: HashMap<u128, HashMap<u32, String>>,
    stand_ins: Arc<Mutex<Vec<usize>>>,
}

impl Fonts {
    /// Settings for an interpreter that note which fonts only stand in for one that the file lacks: their glyphs have
    /// other numbers.
    pub(super) fn settings(&self) -> InterpreterSettings {
        let mut settings = InterpreterSettings::default();
        let (usual, noted) = (settings.font_resolver.clone(), self.stand_ins.clone());
        settings.font_resolver = Arc::new(move |query| {
            let found = usual(query);
            if let (FontQuery::Fallback(_), Some((data, _))) = (query, &found) {
                noted.lock().unwrap_or_else(PoisonError::into_inner).push(address(data));
            }
            found
        });
        settings
    }

    /// The characters that a glyph of an embedded font stands for.
    pub(super) fn meaning(&mut self, glyph: &OutlineGlyph) -> Option<String> {
        let program = glyph.font_data()?;
        if self.stand_ins.lock().unwrap_or_else(PoisonError::into_inner).contains(&address(&program.data)) {
            return None;
        }
        let meanings =
            self.asked.entry(program.cache_key).or_insert_with(|| meanings(program.data).unwrap_or_default());
        meanings.get(&glyph.glyph_id().to_u32()).cloned()
    }
}

fn address(data: &FontData) -> usize {
    let bytes: &[u8] = (**data).as_ref();
    bytes.as_ptr() as usize
}

/// What each glyph of a font stands for, by the font's own tables.
fn meanings(data: FontData) -> Option<HashMap<u32, String>> {
    let collection = collection((*data).as_ref());
    let font = Font::new(data, 0)?;
    if font.is_cid_keyed() {
        let characters = CMap::parse(load_embedded(collection?.ucs2_cmap()?)?, load_embedded)?;
        let of = |cid: u32| Some((font.glyph_by_cid(cid)?.to_u32(), string(characters.lookup_bf_string(cid)?)));
        return Some((1..=font.max_cid()?).filter_map(of).collect());
    }
    let mut all = HashMap::new();
    for (glyph, name) in font.glyph_names() {
        if let Some(char) = name.as_str().strip_prefix("uni").and_then(|hex| u32::from_str_radix(hex, 16).ok()) {
            note(&mut all, glyph, char);
        }
    }
    let mut mapped: Vec<(u32, GlyphId)> = font.charmap().unicodes().collect();
    // Of the characters that share a glyph the first is the usual one: a space, not a space without a break.
    mapped.sort_unstable_by(|a, b| b.cmp(a));
    for (char, glyph) in mapped {
        note(&mut all, glyph, char);
    }
    Some(all)
}

/// Fonts of symbols have their characters in a private area, in the places that they have in the font.
fn note(into: &mut HashMap<u32, String>, glyph: GlyphId, char: u32) {
    let char = if (0xf020..=0xf0ff).contains(&char) { char - 0xf000 } else { char };
    if let Some(char) = char::from_u32(char).filter(|char| !char.is_control()) {
        into.insert(glyph.to_u32(), char.to_string());
    }
}

/// The character collection that a CFF font is made for. Its name stands among the font's first strings.
fn collection(font: &[u8]) -> Option<CidFamily> {
    let head = &font[..font.len().min(4096)];
    let orderings = ["Japan1", "GB1", "CNS1", "Korea1"];
    let named = |ordering: &&str| memchr::memmem::find(head, format!("Adobe{ordering}").as_bytes()).is_some();
    let ordering = orderings.into_iter().find(named)?;
    Some(CidFamily::from_registry_ordering(b"Adobe", ordering.as_bytes()))
}

/// A mapped text, however it is kept.
pub(super) fn string(text: BfString) -> String {
    match text {
        BfString::Char(char) => char.to_string(),
        BfString::String(text) => text,
    }
}

#[cfg(test)]
mod tests;

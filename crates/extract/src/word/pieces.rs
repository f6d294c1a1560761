//! The table of pieces: where in the file each run of characters is, and how it is written.

use std::ops::Range;

use super::header::Header;
use super::{u16_at, u32_at};
use crate::Failure;

/// What a place in the file says that it is written in bytes, each a character.
const NARROW: u32 = 1 << 30;

/// A document's characters.
pub(super) struct Pieces<'a> {
    stream: &'a [u8],
    all: Vec<Piece>,
}

struct Piece {
    /// Which characters of the document they are.
    places: Range<u32>,
    /// Where the first is in the file.
    at: u32,
    wide: bool,
}

/// A character, or half of one: a unit of UTF-16, or a byte.
#[derive(Clone, Copy)]
pub(super) struct Unit {
    pub code: u16,
    pub wide: bool,
    /// Where it is in the file.
    pub at: u32,
}

impl<'a> Pieces<'a> {
    pub(super) fn of(header: &Header, stream: &'a [u8], table: &[u8]) -> Result<Self, Failure> {
        let mut all = match table_of(header.part(table, header.pieces)) {
            Some(table) => pieces(table, header),
            // Word 6 has no table where the text was never saved in parts.
            None if header.old && header.text.start > 0 => {
                let length = header.text.end.saturating_sub(header.text.start) / if header.wide { 2 } else { 1 };
                vec![Piece { places: 0..length, at: header.text.start, wide: header.wide }]
            }
            None => return Err(Failure::Damaged("it has no table of its text".into())),
        };
        // Every character takes a byte at least: pieces that overlap are made to be endless.
        let most = u32::try_from(stream.len()).unwrap_or(u32::MAX);
        all.retain(|piece| piece.places.end <= most);
        Ok(Self { stream, all })
    }

    /// The characters of a range.
    pub(super) fn units(&self, range: Range<u32>) -> impl Iterator<Item = Unit> {
        self.all.iter().flat_map(move |piece| {
            let from = piece.places.start.max(range.start);
            let to = piece.places.end.min(range.end);
            (from..to).map_while(move |place| self.unit(piece, place))
        })
    }

    fn unit(&self, piece: &Piece, place: u32) -> Option<Unit> {
        let at = piece.at.checked_add((place - piece.places.start) * if piece.wide { 2 } else { 1 })?;
        let code = match piece.wide {
            true => u16_at(self.stream, at as usize)?,
            false => u16::from(*self.stream.get(at as usize)?),
        };
        Some(Unit { code, wide: piece.wide, at })
    }
}

/// The table itself, behind the property lists of fast saves.
fn table_of(mut clx: &[u8]) -> Option<&[u8]> {
    loop {
        match clx.first()? {
            1 => clx = clx.get(3 + usize::from(u16_at(clx, 1)?)..)?,
            2 => return clx.get(5..5_usize.checked_add(u32_at(clx, 1)? as usize)?),
            _ => return None,
        }
    }
}

/// n + 1 places, then n descriptions of eight bytes.
fn pieces(table: &[u8], header: &Header) -> Vec<Piece> {
    let count = table.len().saturating_sub(4) / 12;
    let piece = |index: usize| {
        let places = u32_at(table, index * 4)?..u32_at(table, index * 4 + 4)?;
        let at = u32_at(table, (count + 1) * 4 + index * 8 + 2)?;
        Some(match (header.old, at & NARROW != 0) {
            (true, _) => Piece { places, at, wide: header.wide },
            (false, true) => Piece { places, at: (at & !NARROW) / 2, wide: false },
            (false, false) => Piece { places, at, wide: true },
        })
    };
    (0..count).map_while(piece).filter(|piece| piece.places.start < piece.places.end).collect()
}

//! What is in memory of an index: what a query reads, and what a write changes in one step.

use super::codes::{Code, Codes};
use super::columns::Columns;
use super::file::Vectors;
use super::words::Searcher;
use crate::{Metadata, Shape};

/// One chunk, as memory holds it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place {
    /// Its key in the truth; 0 where the place is free.
    pub key: i64,
    /// Its parent's key in the truth; 0 where it has none.
    pub parent: i64,
}

/// An index as queries see it.
pub(super) struct State {
    places: Vec<Place>,
    parents: bool,
    pub columns: Columns,
    pub vectors: Vectors,
    /// Of numbers; bits are their own.
    pub codes: Option<Codes>,
    pub words: Searcher,
}

/// What a write changes.
#[derive(Default)]
pub(super) struct Change {
    pub removed: Vec<(u32, Metadata)>,
    pub added: Vec<Added>,
    /// What a chunk's attributes were, and what they are.
    pub described: Vec<(u32, Metadata, Metadata)>,
}

/// A chunk that is new.
pub(super) struct Added {
    pub slot: u32,
    pub place: Place,
    pub metadata: Metadata,
    pub code: Option<Code>,
}

impl State {
    pub(super) fn new(shape: Shape, vectors: Vectors, words: Searcher) -> Self {
        let codes = (!shape.binary).then(|| Codes::new(shape.dimensions as usize));
        Self { places: Vec::new(), parents: false, columns: Columns::default(), vectors, codes, words }
    }

    /// The key of the chunk at a place; 0 where there is none.
    pub(super) fn key(&self, slot: u32) -> i64 {
        self.places.get(slot as usize).map_or(0, |place| place.key)
    }

    /// The key of its parent; 0 where there is none.
    pub(super) fn parent(&self, slot: u32) -> i64 {
        self.places.get(slot as usize).map_or(0, |place| place.parent)
    }

    /// Whether any chunk ever had a parent, so that hits may become fewer.
    pub(super) fn parents(&self) -> bool {
        self.parents
    }

    /// How many places there are, free ones among them.
    pub(super) fn places(&self) -> u32 {
        u32::try_from(self.places.len()).unwrap_or(u32::MAX)
    }

    pub(super) fn apply(&mut self, change: Change) {
        for (slot, metadata) in &change.removed {
            self.columns.remove(*slot, metadata);
            if let Some(place) = self.places.get_mut(*slot as usize) {
                *place = Place::default();
            }
            if let Some(codes) = &mut self.codes {
                codes.clear(*slot);
            }
        }
        for (slot, old, new) in change.described {
            self.columns.remove(slot, &old);
            self.columns.add(slot, new);
        }
        for added in change.added {
            self.add(added);
        }
    }

    pub(super) fn add(&mut self, added: Added) {
        let at = added.slot as usize;
        if at >= self.places.len() {
            self.places.resize(at + 1, Place::default());
        }
        self.places[at] = added.place;
        self.parents |= added.place.parent != 0;
        self.columns.add(added.slot, added.metadata);
        if let (Some(codes), Some(code)) = (&mut self.codes, &added.code) {
            codes.set(added.slot, code);
        }
    }
}

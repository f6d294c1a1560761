//! What is in memory of an index: what a query reads, and what a write changes in one step.

use super::columns::Columns;
use super::file::Vectors;
use super::words::Searcher;
use crate::Metadata;

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
    pub words: Searcher,
}

/// What a write changes.
#[derive(Default)]
pub(super) struct Change {
    pub removed: Vec<(u32, Metadata)>,
    pub added: Vec<(u32, Place, Metadata)>,
}

impl State {
    pub(super) fn new(vectors: Vectors, words: Searcher) -> Self {
        Self { places: Vec::new(), parents: false, columns: Columns::default(), vectors, words }
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
        }
        for (slot, place, metadata) in change.added {
            let at = slot as usize;
            if at >= self.places.len() {
                self.places.resize(at + 1, Place::default());
            }
            self.places[at] = place;
            self.parents |= place.parent != 0;
            self.columns.add(slot, metadata);
        }
    }
}

//! The marks before the items of a word processor's lists.

use std::collections::HashMap;

/// The lists of a document, and how far each has counted.
#[derive(Default)]
pub(crate) struct Numbering {
    levels: HashMap<(String, u32), Option<u32>>,
    counts: HashMap<(String, u32), u32>,
}

impl Numbering {
    /// `levels` says by list and level from where it counts; nothing where it does not count.
    pub(crate) fn new(levels: HashMap<(String, u32), Option<u32>>) -> Self {
        Self { levels, counts: HashMap::new() }
    }

    /// The mark before the next item.
    pub(crate) fn mark(&mut self, list: &str, depth: u32) -> String {
        self.counts.retain(|(other, level), _| other != list || *level <= depth);
        let key = (list.to_owned(), depth);
        let Some(start) = self.levels.get(&key).copied().flatten() else { return "-".to_owned() };
        let count = self.counts.entry(key).or_insert(start.saturating_sub(1));
        *count = count.saturating_add(1);
        format!("{count}.")
    }
}

//! The same over text that is still arriving: what may go on, masked, and what is still held.
//!
//! Nothing goes on that could still become part of a match. Meaning is judged a window at a time; the beginning of a window
//! goes on earlier while it is far from all that is looked for.
//! What goes on does not depend on the pieces in which the text came.

mod beginning;
mod growth;
mod prefix;
mod settled;
#[cfg(test)]
mod tests;
mod watch;

use std::ops::Range;
use std::sync::Arc;

use crate::assess::{Mask, merged, put};
use crate::{Assessment, Failed, Guard, How, Passage, Role};

pub(crate) use growth::Growth;
use watch::Watch;

/// So much held text is not looked at again for every word that comes.
const MUCH: usize = 4_096;

/// How much text is held for a judgement of its meaning, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// The text that is judged as one, and held for it.
    pub window: usize,
    /// From so much text on, what there is of a window is looked at before the window is full, then at twice as much,
    /// and so on, and goes on as long as it is far from all that is looked for. As long as a window: windows go on
    /// whole.
    pub first: usize,
}

impl Default for Pace {
    /// Windows of a text unit, looked at from the first word on.
    fn default() -> Self {
        Self { window: 1_000, first: 4 }
    }
}

/// What came of a piece of text.
#[derive(Debug, Default)]
pub struct Step {
    /// What may go on, masked.
    pub text: String,
    /// Something of it is masked.
    pub masked: bool,
    /// What was judged.
    pub assessed: Vec<Said>,
    /// A guard blocks: nothing more goes on.
    pub blocked: bool,
    /// A guard could not judge what goes on with this step, if the caller lets it.
    pub failed: Option<(usize, Failed)>,
}

/// What a guard said of a window of the text.
#[derive(Debug)]
pub struct Said {
    /// The place of the guard.
    pub guard: usize,
    /// What it said.
    pub found: Assessment,
    /// The bytes of all that came of which it said so.
    pub window: Range<usize>,
}

/// One text, while it arrives, under one or several guards.
#[derive(Debug)]
pub struct Stream {
    text: String,
    /// Bytes that went on.
    released: usize,
    /// Bytes that were there when it was last looked.
    looked: usize,
    watches: Vec<Watch>,
    beside: Vec<(Role, String)>,
}

impl Stream {
    /// An answer under `guards`; `beside` it the sources and queries with which it is compared.
    pub fn new(guards: impl IntoIterator<Item = Arc<Guard>>, beside: Vec<(Role, String)>, pace: Pace) -> Self {
        let watches = guards.into_iter().map(|guard| Watch::new(guard, pace)).collect();
        Self { text: String::new(), released: 0, looked: 0, watches, beside }
    }

    /// The same, judged in another way.
    #[must_use]
    pub fn judged(mut self, how: How) -> Self {
        self.watches.iter_mut().for_each(|watch| watch.how = how);
        self
    }

    /// All that came.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether so many more characters are enough for a judgement of meaning, which takes time.
    pub fn judges(&self, arrived: &str) -> bool {
        self.watches.iter().any(|watch| watch.due(&self.text, arrived))
    }

    /// Takes what arrived.
    pub fn push(&mut self, arrived: &str) -> Step {
        self.text.push_str(arrived);
        let held = self.text.len() - self.released;
        if held > MUCH && self.text.len() - self.looked < held / 16 {
            return Step::default();
        }
        self.step(false)
    }

    /// No more text comes.
    pub fn finish(&mut self) -> Step {
        self.step(true)
    }

    fn step(&mut self, done: bool) -> Step {
        self.looked = self.text.len();
        let Self { text, watches, beside, released, .. } = self;
        let beside: Vec<Passage<'_>> = beside.iter().map(|(role, text)| Passage { text, role: *role }).collect();
        let mut step = Step::default();
        let (mut limit, mut masks, mut blocks) = (text.len(), Vec::<Mask<'_>>::new(), None);
        let guards: Vec<Arc<Guard>> = watches.iter().map(|watch| Arc::clone(&watch.guard)).collect();
        for (place, guard) in guards.iter().enumerate() {
            let found = guard.growth().look(guard, text, *released, done);
            limit = limit.min(found.settled);
            masks.extend(found.masks);
            if found.blocked {
                blocks.get_or_insert(place);
            }
        }
        if blocks.is_none() {
            for (place, watch) in watches.iter_mut().enumerate() {
                let judged = watch.judge(text, &beside, done);
                limit = limit.min(judged.until);
                step.assessed.extend(judged.assessed.into_iter().map(|(window, found)| Said {
                    guard: place,
                    found,
                    window,
                }));
                step.failed = step.failed.or(judged.failed.map(|failed| (place, failed)));
                if judged.blocked {
                    blocks = Some(place);
                    break;
                }
            }
        }
        if blocks.is_some() {
            // Whoever has not spoken yet does: those who read the assessments want to know everything.
            for (place, watch) in watches.iter_mut().enumerate() {
                if step.assessed.iter().any(|said| said.guard == place) {
                    continue;
                }
                match watch.conclude(text, &beside) {
                    Ok((window, found)) => step.assessed.push(Said { guard: place, found, window }),
                    Err(failed) => step.failed = step.failed.or(Some((place, failed))),
                }
            }
            step.blocked = true;
            return step;
        }
        let masks = merged(masks);
        if let Some(cut) = masks.iter().find(|mask| mask.range.start < limit && limit < mask.range.end) {
            limit = cut.range.start;
        }
        if limit > *released {
            put(&mut step.text, text, *released..limit, &masks);
            step.masked = masks.iter().any(|mask| (*released..limit).contains(&mask.range.start));
            *released = limit;
        }
        step
    }
}

//! Words and phrases: a guardrail's own, and the managed list of profanity.
//!
//! Both are looked for in a folded copy of the text (`fold`): a guardrail's own words exactly, whatever their case, on
//! token boundaries (`custom`); profanity also where it is disguised (`profanity`).

mod custom;
mod fold;
mod profanity;

use std::ops::Range;

use custom::Custom;

pub use custom::is_blank;

#[doc(hidden)]
pub use profanity::found_by;

/// Where a word is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// The guardrail's own, by its place.
    Custom(usize),
    /// The managed list.
    Profanity,
}

/// A word in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// Its bytes.
    pub range: Range<usize>,
    /// Where it is from.
    pub list: List,
}

/// The words of a guardrail, ready to be found.
#[derive(Debug, Default)]
pub struct Words {
    custom: Option<Custom>,
    profanity: bool,
}

impl Words {
    /// The words of `custom`, and those of the managed list where `profanity` is true.
    pub fn new(custom: &[&str], profanity: bool) -> Self {
        Self { custom: Custom::new(custom), profanity }
    }

    /// The words in `text`, in order, none inside another. A word that is on both lists is the guardrail's own.
    pub fn find(&self, text: &str) -> Vec<Hit> {
        let mut hits = Vec::new();
        if let Some(custom) = &self.custom {
            custom.find(text, &mut hits);
        }
        if !self.profanity {
            return hits;
        }
        let own = hits.len();
        profanity::find(text, &mut hits);
        if own > 0 {
            // The longer one stays; of equal ones the guardrail's own, which a stable sort leaves first.
            hits.sort_by_key(|hit| (hit.range.start, std::cmp::Reverse(hit.range.end)));
            let mut end = 0;
            hits.retain(|hit| {
                let free = hit.range.start >= end;
                if free {
                    end = hit.range.end;
                }
                free
            });
        }
        hits
    }
}

#[cfg(test)]
mod tests;

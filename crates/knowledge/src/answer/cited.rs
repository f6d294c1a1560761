//! Whether a passage supports what a model wrote, and which does it best.
//!
//! A model's own sources are claims. A part keeps those of them that support it; where none does, it gets the passage
//! that does; where no passage does, it is left out if it states names or numbers, and else left without a source.

#[cfg(test)]
mod tests;

use outcrop_guard::grounding::support::{FACTS, SUPPORTED};

use super::Part;
use super::evidence::support;
use super::written::Written;

/// The part with the sources that support it; none where it must not be said.
pub(super) fn checked(written: Written, passages: &[&str]) -> Option<Part> {
    let supports: Vec<(f32, f32)> = passages.iter().map(|passage| support(&written.text, passage)).collect();
    let holds =
        |place: &usize| supports.get(*place).is_some_and(|(words, facts)| *words >= SUPPORTED && *facts >= FACTS);
    let mut sources: Vec<usize> = written.sources.iter().copied().filter(holds).collect();
    if sources.is_empty() {
        let best = (0..passages.len()).filter(holds).max_by(|a, b| supports[*a].0.total_cmp(&supports[*b].0));
        sources.extend(best);
    }
    if sources.is_empty() {
        // Several passages may hold it together.
        let together: String =
            written.sources.iter().filter_map(|at| passages.get(*at)).copied().collect::<Vec<_>>().join("\n");
        let (words, facts) = support(&written.text, &together);
        if words >= SUPPORTED && facts >= FACTS {
            return Some(Part { text: written.text, sources: written.sources });
        }
        let all = passages.join("\n");
        let (_, facts) = support(&written.text, &all);
        if facts < FACTS {
            tracing::debug!("a part of an answer is in no retrieved text, and left out");
            return None;
        }
    }
    Some(Part { text: written.text, sources })
}

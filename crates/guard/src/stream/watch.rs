//! One guardrail over text that is still arriving: its windows, and what it said of each.

use std::ops::Range;
use std::sync::Arc;

use super::Pace;
use crate::{Acted, Assessment, Failed, Guard, How, Passage, Role, Side};

/// The longest answer that is compared with a source ("Contextual grounding check" of the user guide). The whole of it
/// is compared, so it is held.
const COMPARED: usize = 5_000;

/// One guardrail.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) guard: Arc<Guard>,
    pub(super) how: How,
    judges: bool,
    pace: Pace,
    /// Where the window begins that is judged next.
    window: usize,
    /// Up to where it was judged.
    until: usize,
    /// At so many characters of the window it is judged next.
    next: usize,
}

/// What came of judging.
#[derive(Default)]
pub(super) struct Judged {
    pub(super) until: usize,
    pub(super) assessed: Vec<(Range<usize>, Assessment)>,
    pub(super) blocked: bool,
    pub(super) failed: Option<Failed>,
}

impl Watch {
    pub(super) fn new(guard: Arc<Guard>, pace: Pace) -> Self {
        let window = pace.window.max(1);
        let pace = match guard.grounds(Side::Output) {
            true => Pace { window: COMPARED, first: COMPARED },
            false => Pace { window, first: pace.first.clamp(1, window) },
        };
        let judges = guard.judges(Side::Output);
        Self { guard, how: How::default(), judges, pace, window: 0, until: 0, next: pace.first }
    }

    /// Whether it judges something when `arrived` is added to `text`.
    pub(super) fn due(&self, text: &str, arrived: &str) -> bool {
        let open = text.len() + arrived.len() - self.window;
        // Bytes are at least as many as characters: it may say yes too soon, never no too late.
        self.judges && open >= self.next
    }

    /// Judges whatever is due.
    pub(super) fn judge(&mut self, text: &str, beside: &[Passage<'_>], done: bool) -> Judged {
        let mut judged = Judged { until: text.len(), ..Judged::default() };
        while self.judges {
            let open = text.get(self.window..).unwrap_or_default();
            let Some((end, _)) = open.char_indices().nth(self.next.saturating_sub(1)) else { break };
            let end = self.window + end + open.get(end..).and_then(|s| s.chars().next()).map_or(1, char::len_utf8);
            if self.next < self.pace.window {
                self.begin(text, end);
                continue;
            }
            let end = self.cut(text, end);
            match self.assess(text, end, beside) {
                Ok(assessment) => {
                    judged.blocked = assessment.acted == Acted::Blocked;
                    judged.assessed.push((self.window..end, assessment));
                }
                Err(failed) => judged.failed = Some(failed),
            }
            (self.window, self.until, self.next) = (end, end, self.pace.first);
            if judged.blocked {
                return judged;
            }
        }
        if done {
            // An answer without a character is an answer, too.
            if self.window < text.len() || text.is_empty() {
                match self.conclude(text, beside) {
                    Ok((window, assessment)) => {
                        judged.blocked = assessment.acted == Acted::Blocked;
                        judged.assessed.push((window, assessment));
                    }
                    Err(failed) => judged.failed = Some(failed),
                }
            }
        } else if self.judges {
            judged.until = self.until;
        }
        judged
    }

    /// Lets what there is of a window up to `end` go on, to its last whole word, where that is far from all that is looked
    /// for. Where it is not it is held: with twice as much text it may show what it is, and the whole window says so.
    fn begin(&mut self, text: &str, end: usize) {
        let open = text.get(self.window..end).unwrap_or_default();
        let word = open.rfind(char::is_whitespace).map_or(0, |at| self.window + at);
        self.next = (self.next * 2).min(self.pace.window);
        if word <= self.until {
            return;
        }
        match self.guard.far(self.how, text.get(self.window..word).unwrap_or_default()) {
            Ok(true) => self.until = word,
            Ok(false) => {}
            // The whole window fails likewise, and says so.
            Err(_) => self.next = self.pace.window,
        }
    }

    /// What it says of all that it has not said anything of.
    pub(super) fn conclude(
        &mut self,
        text: &str,
        beside: &[Passage<'_>],
    ) -> Result<(Range<usize>, Assessment), Failed> {
        let window = self.window..text.len();
        let assessed = self.assess(text, text.len(), beside).map(|found| (window, found));
        (self.window, self.until) = (text.len(), text.len());
        assessed
    }

    fn assess(&self, text: &str, end: usize, beside: &[Passage<'_>]) -> Result<Assessment, Failed> {
        let before = text.get(..self.window).unwrap_or_default();
        let text = text.get(self.window..end).unwrap_or_default();
        let mut passages = vec![Passage { text, role: Role::Content }];
        if self.guard.grounds(Side::Output) {
            passages.extend_from_slice(beside);
        }
        let mut found = self.guard.assess_as(self.how, Side::Output, &passages)?;
        if !found.explained.is_empty() {
            let before = before.chars().count();
            for place in found.explained.iter_mut().filter_map(|entry| entry.at.as_mut()) {
                (place.start, place.end) = (place.start + before, place.end + before);
            }
        }
        Ok(found)
    }

    /// The end of a window of which `end` is the last character that it may have: between two words where that leaves
    /// at least half of it, and not in the middle of something that is found.
    fn cut(&self, text: &str, end: usize) -> usize {
        let prefix = text.get(..end).unwrap_or(text);
        let settled = self.guard.growth().look(&self.guard, prefix, self.until, false).settled;
        let open = prefix.get(self.window..).unwrap_or_default();
        let word = open.rfind(char::is_whitespace).map_or(0, |at| self.window + at);
        let cut = if word > self.window + open.len() / 2 { word } else { end };
        let cut = cut.min(settled);
        if cut > self.until { cut } else { end }
    }
}

//! Whether the beginning of a window may go on before the window is full.

use crate::content::Category;
use crate::scan::Scan;
use crate::{Does, Failed, Guard, How, Side, Topic, Unmeasured};

/// How much less than a topic's threshold counts as far from it.
const FAR: f32 = 0.8;

impl Guard {
    /// Whether nothing that a text is blocked for is anywhere near in `text`. It blocks nothing: the whole window does.
    pub(super) fn far(&self, how: How, text: &str) -> Result<bool, Failed> {
        // A language shows late.
        if how.unmeasured == Unmeasured::Block {
            return Ok(false);
        }
        let scan = Scan::new(text, self.encoder());
        let categories: Vec<Category> = self.filters(Side::Output).map(|filter| filter.category).collect();
        if !categories.is_empty() && !self.classifier().far(&scan, &categories)? {
            return Ok(false);
        }
        let denied = |topic: &Topic| topic.sides.on(Side::Output) != Does::Off;
        if !self.policy().topics.iter().any(denied) {
            return Ok(true);
        }
        let judged = self.topics().judge(&scan)?;
        let mut denied = self.policy().topics.iter().zip(judged).filter(|(topic, _)| denied(topic));
        Ok(denied.all(|(_, judged)| judged.score < FAR * judged.threshold))
    }
}

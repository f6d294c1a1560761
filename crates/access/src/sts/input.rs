//! The constraints of STS's inputs, worded as AWS words them.

use super::StsError;
use std::fmt::Write;
use std::ops::RangeInclusive;

/// Collects every broken constraint of one input.
#[derive(Default)]
pub(super) struct Problems(Vec<String>);

impl Problems {
    fn add(&mut self, value: &str, path: &str, constraint: &str) {
        self.0.push(format!("Value '{value}' at '{path}' failed to satisfy constraint: Member must {constraint}"));
    }

    /// A text that must be there.
    pub fn required(&mut self, value: &str, path: &str) {
        if value.is_empty() {
            self.0.push(format!("Value null at '{path}' failed to satisfy constraint: Member must not be null"));
        }
    }

    /// A text of so many characters.
    pub fn length(&mut self, value: &str, path: &str, bounds: RangeInclusive<usize>) {
        let length = value.chars().count();
        if length < *bounds.start() {
            self.add(value, path, &format!("have length greater than or equal to {}", bounds.start()));
        }
        if length > *bounds.end() {
            self.add(value, path, &format!("have length less than or equal to {}", bounds.end()));
        }
    }

    /// A secret text of so many characters; the answer does not repeat it.
    pub fn secret_length(&mut self, value: &str, path: &str, bounds: RangeInclusive<usize>) {
        if !value.is_empty() && !bounds.contains(&value.chars().count()) {
            let side = if value.len() > *bounds.end() { "less" } else { "greater" };
            let bound = if value.len() > *bounds.end() { bounds.end() } else { bounds.start() };
            self.add("****", path, &format!("have length {side} than or equal to {bound}"));
        }
    }

    /// A text of `\w` and `others`; `pattern` is how the model says it.
    pub fn word(&mut self, value: &str, path: &str, others: &str, pattern: &str) {
        if !value.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || others.contains(c)) {
            self.add(value, path, &format!("satisfy regular expression pattern: {pattern}"));
        }
    }

    /// A number within bounds.
    pub fn range(&mut self, value: u32, path: &str, bounds: RangeInclusive<u32>) {
        if value < *bounds.start() {
            self.add(&value.to_string(), path, &format!("have value greater than or equal to {}", bounds.start()));
        }
        if value > *bounds.end() {
            self.add(&value.to_string(), path, &format!("have value less than or equal to {}", bounds.end()));
        }
    }

    /// A list of at most so many members.
    pub fn at_most(&mut self, length: usize, path: &str, most: usize) {
        if length > most {
            self.add(&format!("[{length} members]"), path, &format!("have length less than or equal to {most}"));
        }
    }

    /// The error, if there was a problem.
    pub fn finish(self) -> Result<(), StsError> {
        if self.0.is_empty() {
            return Ok(());
        }
        let count = self.0.len();
        let mut text = format!("{count} validation error{} detected: ", if count == 1 { "" } else { "s" });
        let _ = write!(text, "{}", self.0.join("; "));
        Err(StsError::Validation(text))
    }
}

//! The table that the bench prints, in Markdown.

use std::io::Write;

/// Writes rows as they are measured.
pub(crate) struct Report<W = std::io::StdoutLock<'static>> {
    out: W,
}

impl<W: Write> Report<W> {
    pub(crate) fn new(out: W) -> Self {
        Self { out }
    }

    /// Begins a table.
    pub(crate) fn heading(&mut self, name: &str) -> Result<(), String> {
        self.line(&format!("\n### {name}\n\n| what | measured | wanted |\n|---|---|---|"))
    }

    /// One line of the table.
    pub(crate) fn row(&mut self, what: &str, measured: &str, wanted: &str) -> Result<(), String> {
        self.line(&format!("| {what} | {measured} | {wanted} |"))
    }

    /// Anything else.
    pub(crate) fn line(&mut self, line: &str) -> Result<(), String> {
        writeln!(self.out, "{line}").and_then(|()| self.out.flush()).map_err(|e| e.to_string())
    }
}

//! How fast words and sensitive information are found.

use super::super::Report;

/// Measures.
pub(crate) fn run(report: &mut Report) -> Result<(), String> {
    report.row("speed", "", "")
}

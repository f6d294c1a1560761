//! What knowledge bases reach: `bench-knowledge` prints one table a part. It takes the folder with the collections as
//! an argument: the texts themselves are not part of the repository. One module a part.

mod index;
mod quality;
mod vectors;

use std::path::Path;

use clap::ValueEnum;

use crate::guardrails::Report;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// The embedded index: recall, rates, disk, start.
    Index,
    /// Search on SQuAD.
    Squad,
    /// Search on SciFact.
    Scifact,
}

/// Measures `only`, or everything.
pub(crate) fn bench(data: &Path, only: Option<Part>, cache: Option<&Path>) -> Result<(), String> {
    let mut report = Report::new(std::io::stdout().lock());
    for part in Part::value_variants() {
        if only.is_none_or(|only| only == *part) {
            report.heading(&format!("{part:?}"))?;
            match part {
                Part::Index => index::bench(data, cache, &mut report)?,
                Part::Squad => quality::bench(&quality::squad(data)?, cache, &mut report)?,
                Part::Scifact => quality::bench(&quality::scifact(data)?, cache, &mut report)?,
            }
        }
    }
    Ok(())
}

//! What knowledge bases reach: `bench-knowledge` prints one table a part. It takes the folder with the collections as an
//! argument: the texts themselves are not part of the repository. One module a part.

mod answers;
mod documents;
mod index;
mod quality;
mod squad;
mod vectors;

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use crate::guardrails::Report;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Real files of every format against what must be read from them.
    Documents,
    /// Cited answers, and refusals.
    Answers,
    /// The embedded index with 100,000 vectors: recall, rates, disk.
    Index,
    /// The embedded index with 1,000,000 vectors: the same, memory, start.
    Large,
    /// Search on SQuAD.
    Squad,
    /// Search on SciFact.
    Scifact,
}

/// Learns the weights of `outcrop_knowledge::answer::evidence`.
pub(crate) fn train(data: &Path, cache: Option<&Path>) -> Result<(), String> {
    answers::train(data, cache, &mut Report::new(std::io::stdout().lock()))
}

/// Fills an index of a server that does not run.
pub(crate) fn fill(data: &Path, cache: Option<&Path>, folder: &Path, base: &str) -> Result<(), String> {
    index::fill(data, cache, folder, base)
}

/// Measures `only`, or everything.
pub(crate) fn bench(data: &Path, only: Option<Part>, cache: Option<&Path>) -> Result<(), String> {
    let mut report = Report::new(std::io::stdout().lock());
    for part in Part::value_variants() {
        if only.is_none_or(|only| only == *part) {
            report.heading(&format!("{part:?}"))?;
            match part {
                Part::Documents => documents::bench(&data.join("documents"))?,
                Part::Answers => answers::bench(data, cache, &mut report)?,
                Part::Index => index::bench(data, cache, &mut report)?,
                Part::Large => index::large(data, cache, &mut report)?,
                Part::Squad => quality::bench(&quality::squad(data)?, cache, &mut report)?,
                Part::Scifact => quality::bench(&quality::scifact(data)?, cache, &mut report)?,
            }
        }
    }
    Ok(())
}

/// Measures search on collections of anyone's.
pub(crate) fn compare(collections: &[PathBuf], cache: Option<&Path>) -> Result<(), String> {
    let mut report = Report::new(std::io::stdout().lock());
    for folder in collections {
        report.heading(&folder.display().to_string())?;
        quality::bench(&quality::any(folder)?, cache, &mut report)?;
    }
    Ok(())
}

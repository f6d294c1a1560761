//! What knowledge bases are measured on: a module a part.

mod documents;

use std::path::Path;

use clap::ValueEnum;

/// A part that is measured on its own.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// Real files of every format against what must be read from them.
    Documents,
}

/// Measures one part, or all.
pub fn bench(data: &Path, only: Option<Part>) -> Result<(), String> {
    let wanted = |part| only.is_none_or(|only| only == part);
    if wanted(Part::Documents) {
        documents::bench(&data.join("documents"))?;
    }
    Ok(())
}

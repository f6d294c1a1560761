//! What guardrails' classifiers are trained from, and what they reach.
//!
//! `train-guardrails` writes `crates/guard/weights`; `bench-guardrails` prints one table a part. Both take the folder
//! with the labelled texts as an argument: the texts themselves are not part of the repository. One module a part.

mod cascade;
mod clock;
mod content;
mod data;
mod encode;
mod examples;
mod grounding;
mod measure;
mod pii;
mod report;
mod speed;
mod tensors;
#[cfg(test)]
mod tests;
mod topics;

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use outcrop_guard::content::Classifier;

pub(crate) use report::Report;

/// What is trained or measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    Content,
    Topics,
    Pii,
    Grounding,
    Examples,
    Cascade,
    Speed,
}

/// Where the trained weights belong.
pub(crate) fn weights() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../guard/weights")
}

/// Trains `only`, or all that is trained. `quick` trains a seeded subset into a temporary folder: it proves that
/// training runs, and its weights are for nothing else.
pub(crate) fn train(data: &Path, only: Option<Part>, quick: bool, cache: Option<&Path>) -> Result<(), String> {
    let folder = if quick { std::env::temp_dir().join("outcrop-guardrail-weights") } else { weights() };
    std::fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    for part in [Part::Content, Part::Topics, Part::Pii, Part::Grounding, Part::Examples] {
        if only.is_none_or(|only| only == part) {
            match part {
                Part::Content => content::train(data, &folder, quick, cache)?,
                Part::Topics => topics::train(data, &folder)?,
                Part::Pii => pii::train(data, &folder, quick)?,
                Part::Grounding => grounding::train(data, &folder, quick, &grounding::Once::load()?)?,
                Part::Examples => examples::train(&folder)?,
                Part::Cascade | Part::Speed => {
                    return Err(format!("{part:?} of {} is not trained yet", data.display()));
                }
            }
        }
    }
    Ok(())
}

/// The filters of a file, or those that are checked in.
fn classifier(weights: Option<&Path>) -> Result<Classifier, String> {
    let Some(file) = weights else { return Classifier::load().map_err(|e| e.to_string()) };
    let bytes = std::fs::read(file).map_err(|e| format!("{}: {e}", file.display()))?;
    Classifier::trained(&bytes).map_err(|e| e.to_string())
}

/// Measures `only`, or everything, on the dev split.
pub(crate) fn bench(
    data: &Path,
    only: Option<Part>,
    cache: Option<&Path>,
    plots: Option<&Path>,
    weights: Option<&Path>,
) -> Result<(), String> {
    let encoder = encode::Remembering::load(cache)?;
    let mut report = Report::new(std::io::stdout().lock());
    let plot = |name: &str| plots.map(|folder| folder.join(name));
    for part in Part::value_variants() {
        if only.is_none_or(|only| only == *part) {
            report.heading(&format!("{part:?}"))?;
            match part {
                Part::Content => {
                    let classifier = classifier(weights)?;
                    let plot = plot("guardrails-reliability.svg");
                    content::bench(data, &classifier, &encoder, plot.as_deref(), &mut report)?
                }
                Part::Topics => topics::bench(data, &encoder, &mut report)?,
                Part::Pii => pii::bench(data, &mut report)?,
                Part::Grounding => grounding::bench(data, &grounding::Once::load()?, &mut report)?,
                // They decide nothing.
                Part::Examples => {}
                Part::Cascade => {
                    cascade::bench(data, [classifier(weights)?, classifier(weights)?], &encoder, &mut report)?
                }
                Part::Speed => speed::bench(data, plot("guardrails-growth.svg").as_deref(), &mut report)?,
            }
        }
    }
    Ok(())
}

//! Own-written texts of the train split with their sentence vectors: what explanations show as the nearest examples.

use std::collections::HashSet;
use std::path::Path;

use outcrop_guard::Encoder;
use outcrop_guard::content::{Category, Head};

use super::data;
use super::encode::MiniLm;
use super::tensors::File;

/// Their bytes at most: whoever reads an explanation reads them.
const LONG: usize = 100;

/// Writes them. They need no data but the repository's own.
pub(crate) fn train(folder: &Path) -> Result<(), String> {
    // A harmless and a harmful one of a theme: its texts resemble each other, and the weights are to stay small.
    let mut taken = HashSet::new();
    let mut rows: Vec<data::Row> = data::own()?.into_iter().filter(|row| row.train && row.text.len() <= LONG).collect();
    rows.retain(|row| taken.insert((row.source.clone(), row.labels.contains(&Some(true)))));
    let texts: Vec<&str> = rows.iter().map(|row| row.text.as_str()).collect();
    let mut vectors = Vec::new();
    for encoded in MiniLm::load()?.encode(&texts).map_err(|e| e.to_string())? {
        vectors.extend(encoded.vector);
    }
    let labels = |row: &data::Row| {
        let is = |category: &Category| row.is(Head::from(*category)) == Some(true);
        Category::ALL
            .iter()
            .filter(|category| is(category))
            .map(|category| category.name())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let lines: String = rows.iter().map(|row| format!("{}\t{}\n", labels(row), row.text)).collect();
    let mut file = File::default();
    file.rows("vectors", vectors.len() / rows.len().max(1), &vectors);
    file.i8("texts", &[lines.len()], lines.bytes().map(u8::cast_signed).collect());
    file.write(folder, "examples.safetensors")
}

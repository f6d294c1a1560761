//! The own-written texts among those that the filters learned from, for people who want to know what a text resembles.
//! They decide nothing.

use std::sync::OnceLock;

use crate::Refused;
use crate::content::tensors::Tensors;

const FILE: &str = "examples.safetensors";
const WEIGHTS: &[u8] = include_bytes!("../weights/examples.safetensors");
/// The values in a sentence vector.
const WIDTH: usize = 384;

/// One of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// What it was labelled as; nothing where it is harmless.
    pub labels: String,
    /// The text.
    pub text: String,
    vector: Vec<f32>,
}

/// All of them, read when somebody asks for the first time; none where the file is damaged, which the log of a start has
/// no need to know: nothing is decided by them.
fn all() -> &'static [Example] {
    static ALL: OnceLock<Vec<Example>> = OnceLock::new();
    ALL.get_or_init(|| read(WEIGHTS).unwrap_or_default())
}

fn read(bytes: &[u8]) -> Result<Vec<Example>, Refused> {
    let tensors = Tensors::read(FILE, bytes)?;
    let text = tensors.text("texts")?;
    let lines: Vec<(&str, &str)> = text.lines().filter_map(|line| line.split_once('\t')).collect();
    let vectors = tensors.rows("vectors", lines.len(), WIDTH)?;
    let examples = lines.iter().zip(vectors.chunks_exact(WIDTH));
    let example = |((labels, text), vector): (&(&str, &str), &[f32])| Example {
        labels: (*labels).to_owned(),
        text: (*text).to_owned(),
        vector: vector.to_vec(),
    };
    Ok(examples.map(example).collect())
}

/// The `most` that resemble a text with this sentence vector, the closest first, each with its cosine.
pub fn nearest(vector: &[f32], most: usize) -> Vec<(&'static Example, f32)> {
    let cosine = |example: &Example| example.vector.iter().zip(vector).map(|(a, b)| a * b).sum::<f32>();
    let mut near: Vec<(&Example, f32)> = all().iter().map(|example| (example, cosine(example))).collect();
    near.sort_by(|a, b| b.1.total_cmp(&a.1));
    near.truncate(most);
    near
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_there_and_each_is_closest_to_itself() {
        assert!(all().len() > 200, "{}", all().len());
        assert!(all().iter().any(|one| one.labels.is_empty()) && all().iter().any(|one| one.labels == "VIOLENCE"));
        for example in all().iter().step_by(37) {
            let near = nearest(&example.vector, 3);
            assert_eq!((near.len(), &near[0].0.text), (3, &example.text));
            assert!((near[0].1 - 1.0).abs() < 0.05 && near[0].1 >= near[2].1);
        }
    }
}

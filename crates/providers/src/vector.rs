//! Vectors as this server has them: of unit length, and as long as is asked for.

use outcrop_engine::embed::project;
use serde::Deserialize;

use crate::Embedded;

/// A vector of a list, as OpenAI's format and those like it have it.
#[derive(Deserialize)]
pub(crate) struct Item {
    /// Of which text; its place in the list where absent.
    index: Option<usize>,
    embedding: Vec<f32>,
}

/// Adds the vectors of `texts` texts, each at its place. False where one has none.
pub(crate) fn add(items: Vec<Item>, texts: usize, dimensions: usize, out: &mut Embedded) -> bool {
    let mut vectors = vec![Vec::new(); texts];
    for (i, item) in items.into_iter().enumerate() {
        if let Some(place) = vectors.get_mut(item.index.unwrap_or(i)) {
            *place = item.embedding;
        }
    }
    for vector in vectors {
        let Some((vector, length)) = unit(vector) else { return false };
        out.vectors.push(fit(vector, dimensions));
        out.lengths.push(length);
    }
    true
}

/// The vector at unit length, and its own length; none where it is empty or holds no numbers.
pub(crate) fn unit(mut vector: Vec<f32>) -> Option<(Vec<f32>, f32)> {
    let square: f64 = vector.iter().map(|x| f64::from(*x) * f64::from(*x)).sum();
    let length = square.sqrt();
    if vector.is_empty() || !length.is_finite() {
        return None;
    }
    if length > 0.0 {
        vector.iter_mut().for_each(|x| *x = (f64::from(*x) / length) as f32);
    }
    Some((vector, length as f32))
}

/// Nested vectors may be cut, others not: those are projected, as of local models.
pub(crate) fn fit(vector: Vec<f32>, dimensions: usize) -> Vec<f32> {
    if dimensions == 0 || vector.len() == dimensions { vector } else { project(&vector, dimensions, 0) }
}

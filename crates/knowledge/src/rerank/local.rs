//! The scorer for where nobody serves a model that ranks: how close query and document are in meaning (cosine of
//! sentence vectors), how many of the query's words the document has (rare words count more, endings do not), and
//! whether words that are neighbours in the query are neighbours in the document. A bi-encoder with words, not a
//! cross-encoder: it reads query and document apart.

use outcrop_guard::{EncodeError, Encoder};

use crate::answer::evidence::likeness;

/// Documents whose meaning is compared, at most: beyond them those that share fewest words with the query are ranked by
/// words alone, so that a request of 1,000 documents takes seconds, not minutes.
const READ: usize = 200;
/// What meaning, words and neighbours weigh.
const WEIGHTS: [f32; 3] = [0.55, 0.35, 0.10];

/// How relevant each document is to `query`: 0 to 1.
pub(super) fn scores(query: &str, documents: &[String], encoder: &dyn Encoder) -> Result<Vec<f32>, EncodeError> {
    let words: Vec<(f32, f32)> = documents.iter().map(|document| likeness(query, document)).collect();
    let mut order: Vec<usize> = (0..documents.len()).collect();
    order.sort_by(|a, b| words[*b].0.total_cmp(&words[*a].0).then(a.cmp(b)));
    order.truncate(READ);
    let texts: Vec<&str> = std::iter::once(query).chain(order.iter().map(|at| documents[*at].as_str())).collect();
    let encoded = encoder.encode(&texts)?;
    let mut cosines = vec![0.0_f32; documents.len()];
    if let Some((asked, found)) = encoded.split_first() {
        for (at, found) in order.iter().zip(found) {
            let cosine: f32 = asked.vector.iter().zip(&found.vector).map(|(a, b)| a * b).sum();
            cosines[*at] = cosine.clamp(0.0, 1.0);
        }
    }
    let [meaning, covered, neighbours] = WEIGHTS;
    let joined = cosines
        .iter()
        .zip(&words)
        .map(|(cosine, (words, pairs))| (meaning * cosine + covered * words + neighbours * pairs).clamp(0.0, 1.0));
    Ok(joined.collect())
}

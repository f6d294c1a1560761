//! Search by codes finds what comparing with everything finds.

use super::*;
use crate::{Filter, Metadata, Value};

/// Vectors in clusters, as texts are.
fn vectors(count: usize, dimensions: usize) -> Vec<Vec<f32>> {
    let mut random = fastrand::Rng::with_seed(7);
    let mut one = |spread: f32| (0..dimensions).map(|_| (random.f32() - 0.5) * spread).collect::<Vec<f32>>();
    let centres: Vec<Vec<f32>> = (0..50).map(|_| one(1.0)).collect();
    (0..count).map(|at| one(1.2).iter().zip(&centres[at % 50]).map(|(a, b)| a + b).collect()).collect()
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    product(a, b) / (product(a, a) * product(b, b)).sqrt()
}

fn best(vectors: &[Vec<f32>], to: &[f32], of: impl Fn(usize) -> bool) -> Vec<String> {
    let mut all: Vec<(f32, usize)> =
        vectors.iter().enumerate().filter(|(at, _)| of(*at)).map(|(at, v)| (cosine(v, to), at)).collect();
    all.sort_by(|a, b| b.0.total_cmp(&a.0));
    all.iter().take(10).map(|(_, at)| format!("r{at}")).collect()
}

#[tokio::test]
async fn finds_what_comparing_with_all_finds_filtered_and_after_removal() {
    // Of one word, of a whole code and of one with a back: in few dimensions, all are alike.
    for dimensions in [24, 96, 320] {
        finds_what_comparing_with_all_finds(dimensions).await;
    }
}

async fn finds_what_comparing_with_all_finds(dimensions: usize) {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path());
    let index = engine.open("b", Shape { dimensions: dimensions as u32, binary: false }).await.unwrap();
    let vectors = vectors(9000, dimensions);
    let record = |at: usize| Record {
        id: format!("r{at}"),
        text: String::new(),
        parent: None,
        vector: Vector::Float(vectors[at].clone()),
        metadata: Metadata::from([("at".to_owned(), Value::Number((at % 100) as f64))]),
    };
    let document = |d: usize, records| Replace { source: "s".to_owned(), document: format!("d{d}"), records };
    let documents = (0..90).map(|d| document(d, (d * 100..d * 100 + 100).map(record).collect()));
    index.replace(documents.collect()).await.unwrap();
    // Every third document goes, and a few places are used again.
    index.replace((0..90).step_by(3).map(|d| document(d, Vec::new())).collect()).await.unwrap();
    index.replace(vec![document(0, (0..100).map(record).collect())]).await.unwrap();
    let there = |at: usize| at < 100 || !(at / 100).is_multiple_of(3);

    let (mut right, mut asked) = (0, 0);
    for at in (5..9000).step_by(180) {
        let half: Vec<f32> = vectors[at].iter().zip(&vectors[(at * 7) % 9000]).map(|(a, b)| a + 0.4 * b).collect();
        for below in [100, 80, 1] {
            let filter = Filter::LessThan("at".to_owned(), f64::from(below));
            let query = Query {
                vector: Vector::Float(half.clone()),
                text: String::new(),
                mode: Mode::Semantic,
                filter: (below < 100).then_some(filter),
                limit: 10,
                said: None,
            };
            let expected = best(&vectors, &half, |at| there(at) && at % 100 < below as usize);
            let hits = index.search(query).await.unwrap();
            asked += expected.len();
            right += hits.iter().filter(|hit| expected.contains(&hit.id)).count();
        }
    }
    assert!(right as f64 >= 0.998 * asked as f64, "{dimensions}: {right} of {asked}");
}

//! SQuAD as a collection: paragraphs, questions, and a plain search over them (BM25 and cosine, joined by
//! `outcrop_vectors`), so that answers are measured apart from any index.

use std::collections::HashMap;
use std::path::Path;

use outcrop_guard::grounding::stems;
use outcrop_vectors::{Parts, Scale, join};
use serde_json::Value;

use super::vectors::Vectors;

/// A paragraph.
pub(crate) struct Paragraph {
    pub id: String,
    pub article: String,
    pub text: String,
}

/// A question.
pub(crate) struct Question {
    pub text: String,
    pub answers: Vec<String>,
    pub article: String,
    /// The paragraph that it was asked of.
    pub gold: usize,
}

/// The collection.
pub(crate) struct Squad {
    pub paragraphs: Vec<Paragraph>,
    pub questions: Vec<Question>,
}

impl Squad {
    /// Reads it from its folder.
    pub(crate) fn read(data: &Path) -> Result<Self, String> {
        let folder = data.join("squad-v1.1-dev");
        let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
        let mut paragraphs = Vec::new();
        for row in rows(&folder.join("corpus.jsonl"))? {
            paragraphs.push(Paragraph { id: text(&row, "id"), article: text(&row, "title"), text: text(&row, "text") });
        }
        let places: HashMap<&str, usize> = paragraphs.iter().enumerate().map(|(at, p)| (p.id.as_str(), at)).collect();
        let qrels = file(&folder.join("qrels.tsv"))?;
        let gold: HashMap<&str, usize> = qrels
            .lines()
            .filter_map(|line| {
                let mut cells = line.split('\t');
                Some((cells.next()?, *places.get(cells.next()?)?))
            })
            .collect();
        let mut questions = Vec::new();
        for row in rows(&folder.join("queries.jsonl"))? {
            let Some(&gold) = gold.get(text(&row, "id").as_str()) else { continue };
            let answers = row["answers"].as_array().into_iter().flatten();
            questions.push(Question {
                text: text(&row, "text"),
                answers: answers.filter_map(|answer| answer.as_str().map(str::to_owned)).collect(),
                article: paragraphs[gold].article.clone(),
                gold,
            });
        }
        Ok(Self { paragraphs, questions })
    }
}

fn file(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))
}

fn rows(path: &Path) -> Result<Vec<Value>, String> {
    let read = |line: &str| serde_json::from_str(line).map_err(|e| format!("{}: {e}", path.display()));
    file(path)?.lines().filter(|line| !line.is_empty()).map(read).collect()
}

/// The search.
pub(crate) struct Search {
    vectors: Vec<Vec<f32>>,
    postings: HashMap<String, Vec<(usize, f32)>>,
    lengths: Vec<f32>,
    mean: f32,
}

impl Search {
    /// Over `paragraphs`, whose vectors are among `vectors`.
    pub(crate) fn new(paragraphs: &[Paragraph], vectors: &Vectors) -> Self {
        let mut postings: HashMap<String, Vec<(usize, f32)>> = HashMap::new();
        let mut lengths = Vec::new();
        for (at, paragraph) in paragraphs.iter().enumerate() {
            let mut counts: HashMap<String, f32> = HashMap::new();
            for word in paragraph.text.split(|c: char| !c.is_alphanumeric()) {
                for stem in stems(word) {
                    *counts.entry(stem).or_default() += 1.0;
                }
            }
            lengths.push(counts.values().sum());
            for (stem, count) in counts {
                postings.entry(stem).or_default().push((at, count));
            }
        }
        let mean = lengths.iter().sum::<f32>() / lengths.len().max(1) as f32;
        let vectors = paragraphs.iter().map(|paragraph| vectors.of(&paragraph.text).to_vec()).collect();
        Self { vectors, postings, lengths, mean }
    }

    /// The paragraphs that fit best, of those that `keep` keeps.
    pub(crate) fn find(&self, query: &str, vector: &[f32], most: usize, keep: &dyn Fn(usize) -> bool) -> Vec<usize> {
        let all = self.lengths.len() as f32;
        let mut words = vec![0.0_f32; self.lengths.len()];
        let mut possible = 0.0;
        for stem in stems(query) {
            let postings = self.postings.get(&stem).map(Vec::as_slice).unwrap_or_default();
            let idf = (1.0 + (all - postings.len() as f32 + 0.5) / (postings.len() as f32 + 0.5)).ln();
            possible += idf * 2.2;
            for (at, count) in postings {
                let norm = 1.2 * (0.25 + 0.75 * self.lengths[*at] / self.mean);
                words[*at] += idf * count * 2.2 / (count + norm);
            }
        }
        let likeness: Vec<f32> =
            self.vectors.iter().map(|other| other.iter().zip(vector).map(|(a, b)| a * b).sum()).collect();
        let top = |scores: &[f32]| {
            let mut order: Vec<usize> = (0..scores.len()).filter(|at| keep(*at)).collect();
            order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
            order.truncate(100);
            order
        };
        let mut union = top(&words);
        union.extend(top(&likeness));
        union.sort_unstable();
        union.dedup();
        let parts = |at: &usize| Parts { cosine: f64::from(likeness[*at]), words: f64::from(words[*at]) };
        let scale = Scale { possible: f64::from(possible), length: f64::from(self.mean) };
        let scores = join(&union.iter().map(parts).collect::<Vec<_>>(), scale);
        let mut joined: Vec<(f64, usize)> = scores.into_iter().zip(union).collect();
        joined.sort_by(|a, b| b.0.total_cmp(&a.0));
        joined.into_iter().take(most).map(|(_, at)| at).collect()
    }
}

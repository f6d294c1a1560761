//! Search on collections with judged answers: by words alone, by vectors alone, by both.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use outcrop_engine::embed::DIMENSIONS;
use outcrop_vectors::{Embedded, Engine, Index, Metadata, Mode, Query, Record, Replace, Shape, Vector};
use serde_json::Value;

use super::vectors::Vectors;
use crate::guardrails::Report;

/// Texts, questions, and which texts answer them.
pub(crate) struct Collection {
    /// Name and text.
    texts: Vec<(String, String)>,
    questions: Vec<(String, HashSet<String>)>,
    /// The least recall@5 and nDCG@10.
    wanted: (f64, f64),
    /// How much better than its better part searching by both must be.
    gain: f64,
}

/// Paragraphs of articles, and questions that people asked of them.
pub(crate) fn squad(data: &Path) -> Result<Collection, String> {
    let read = read(&data.join("squad-v1.1-dev"), false)?;
    Ok(Collection { wanted: (0.945, 0.885), gain: 0.02, ..read })
}

/// Abstracts, and claims that they support or refute.
pub(crate) fn scifact(data: &Path) -> Result<Collection, String> {
    Ok(Collection { wanted: (0.79, 0.725), gain: 0.02, ..any(&data.join("scifact"))? })
}

/// Whatever lies in a folder of the same form, or of BEIR's. There, searching by both must not lose more than chance.
pub(crate) fn any(folder: &Path) -> Result<Collection, String> {
    read(folder, true)
}

fn read(folder: &Path, title: bool) -> Result<Collection, String> {
    let field = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
    let id = |row: &Value| field(row, if row["id"].is_null() { "_id" } else { "id" });
    let text = |row: &Value| match field(row, "title") {
        name if title && !name.is_empty() => format!("{name} {}", field(row, "text")),
        _ => field(row, "text"),
    };
    let there = |names: &[&str]| {
        let found = names.iter().map(|name| folder.join(name)).find(|path| path.exists());
        found.ok_or_else(|| format!("{}: none of {}", folder.display(), names.join(", ")))
    };
    let texts = rows(&folder.join("corpus.jsonl"))?.iter().map(|row| (id(row), text(row))).collect();
    let mut answers: HashMap<String, HashSet<String>> = HashMap::new();
    for line in file(&there(&["qrels-test.tsv", "qrels.tsv", "qrels/test.tsv"])?)?.lines().skip(1) {
        let mut cells = line.split('\t');
        if let (Some(query), Some(text), Some(score)) = (cells.next(), cells.next(), cells.next())
            && score.trim() != "0"
        {
            answers.entry(query.to_owned()).or_default().insert(text.to_owned());
        }
    }
    let asked = |row: &Value| Some((field(row, "text"), answers.get(&id(row))?.clone()));
    let questions = rows(&there(&["queries-test.jsonl", "queries.jsonl"])?)?.iter().filter_map(asked).collect();
    Ok(Collection { texts, questions, wanted: (0.0, 0.0), gain: -0.003 })
}

fn file(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))
}

fn rows(path: &Path) -> Result<Vec<Value>, String> {
    let line = |line: &str| serde_json::from_str(line).map_err(|e| format!("{}: {e}", path.display()));
    file(path)?.lines().map(line).collect()
}

/// The three ways to search. By words alone is by both with a vector that is like nothing.
const WAYS: [&str; 3] = ["BM25 alone", "MiniLM alone", "HYBRID"];

pub(crate) fn bench<W: std::io::Write>(
    collection: &Collection,
    cache: Option<&Path>,
    report: &mut Report<W>,
) -> Result<(), String> {
    let mut vectors = Vectors::load(cache)?;
    let texts = collection.texts.iter().map(|(_, text)| text.as_str());
    vectors.add(&texts.chain(collection.questions.iter().map(|(text, _)| text.as_str())).collect::<Vec<_>>())?;
    let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
    let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(|e| e.to_string())?;
    let measured = runtime.block_on(measure(collection, &vectors, folder.path())).map_err(|e| e.to_string())?;

    let size = format!("{} texts, {} questions", collection.texts.len(), collection.questions.len());
    report.row("size", &size, "")?;
    for (way, (recall, ndcg)) in WAYS.iter().zip(&measured) {
        let wanted = match *way {
            "HYBRID" => {
                let better = |part: fn(&(f64, f64)) -> f64| {
                    part(&collection.wanted).max(part(&measured[0]).max(part(&measured[1])) + collection.gain)
                };
                format!("{:.3} / {:.3}", better(|m| m.0), better(|m| m.1))
            }
            _ => String::new(),
        };
        report.row(&format!("{way}: recall@5 / nDCG@10"), &format!("{recall:.3} / {ndcg:.3}"), &wanted)?;
    }
    Ok(())
}

/// Recall@5 and nDCG@10 of each way.
async fn measure(of: &Collection, vectors: &Vectors, folder: &Path) -> outcrop_vectors::Result<[(f64, f64); 3]> {
    let engine = Embedded::open(folder)?;
    let index = engine.open("bench", Shape { dimensions: DIMENSIONS as u32, binary: false }).await?;
    let replace = |(id, text): &(String, String)| Replace {
        source: "bench".to_owned(),
        document: id.clone(),
        records: vec![Record {
            id: id.clone(),
            text: text.clone(),
            parent: None,
            vector: Vector::Float(vectors.of(text).to_vec()),
            metadata: Metadata::new(),
        }],
    };
    for some in of.texts.chunks(1000) {
        index.replace(some.iter().map(replace).collect()).await?;
    }
    let mut sums = [(0.0, 0.0); 3];
    for (text, answers) in &of.questions {
        let vector = vectors.of(text);
        let ways =
            [(vec![0.0; DIMENSIONS], Mode::Hybrid), (vector.to_vec(), Mode::Semantic), (vector.to_vec(), Mode::Hybrid)];
        for ((vector, mode), sum) in ways.into_iter().zip(&mut sums) {
            let found = ask(&*index, text, vector, mode).await?;
            let hit = |id: &String| answers.contains(id);
            sum.0 += found.iter().take(5).filter(|id| hit(id)).count() as f64 / answers.len() as f64;
            let gain = |rank: usize| 1.0 / (rank as f64 + 2.0).log2();
            let gained: f64 = found.iter().enumerate().filter(|(_, id)| hit(id)).map(|(rank, _)| gain(rank)).sum();
            sum.1 += gained / (0..answers.len().min(10)).map(gain).sum::<f64>();
        }
    }
    let count = of.questions.len() as f64;
    Ok(sums.map(|(recall, ndcg)| (recall / count, ndcg / count)))
}

async fn ask(index: &dyn Index, text: &str, vector: Vec<f32>, mode: Mode) -> outcrop_vectors::Result<Vec<String>> {
    let query =
        Query { vector: Vector::Float(vector), text: text.to_owned(), mode, filter: None, limit: 10, said: None };
    Ok(index.search(query).await?.into_iter().map(|hit| hit.id).collect())
}

/// SQuAD's paragraphs and its questions.
pub(crate) fn texts(data: &Path) -> Result<(Vec<String>, Vec<String>), String> {
    let squad = squad(data)?;
    Ok((
        squad.texts.into_iter().map(|(_, text)| text).collect(),
        squad.questions.into_iter().map(|(text, _)| text).collect(),
    ))
}

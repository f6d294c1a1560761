//! The contract as tests, for every engine: [`run`] on an engine without the indexes that it makes.
//! A failure panics with what was expected, as a test's assertion does.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::missing_panics_doc)]

mod documents;
mod filters;
mod found;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::{Engine, Filter, Hit, Index, Metadata, Mode, Query, Record, Replace, Shape, Value, Vector};

/// What an engine under test can do; what it cannot is not asked of it.
#[derive(Debug, Clone, Copy)]
pub struct Can {
    /// Compare bits.
    pub binary: bool,
}

/// Everything that an [`Engine`] promises and that can be seen from outside.
pub async fn run(engine: &dyn Engine, can: Can) {
    documents::replaced_and_removed(engine).await;
    documents::described(engine).await;
    documents::forgotten(engine).await;
    documents::discarded(engine).await;
    documents::shapes(engine).await;
    documents::many(engine).await;
    found::order_and_scores(engine).await;
    found::few(engine).await;
    found::parents(engine).await;
    found::words(engine).await;
    filters::each(engine).await;
    filters::nested(engine).await;
    filters::within_search(engine).await;
    if can.binary {
        found::bits(engine).await;
    }
}

const SHAPE: Shape = Shape { dimensions: 4, binary: false };

async fn opened(engine: &dyn Engine, base: &str) -> Arc<dyn Index> {
    engine.discard(base).await.unwrap();
    engine.open(base, SHAPE).await.unwrap()
}

fn record(id: &str, text: &str, vector: [f32; 4]) -> Record {
    let metadata = Metadata::new();
    Record { id: id.to_owned(), text: text.to_owned(), parent: None, vector: Vector::Float(vector.to_vec()), metadata }
}

fn document(source: &str, document: &str, records: Vec<Record>) -> Replace {
    Replace { source: source.to_owned(), document: document.to_owned(), records }
}

fn near(vector: [f32; 4]) -> Query {
    let vector = Vector::Float(vector.to_vec());
    Query { vector, text: String::new(), mode: Mode::Semantic, filter: None, limit: 100, said: None }
}

fn ids(hits: &[Hit]) -> Vec<&str> {
    hits.iter().map(|hit| hit.id.as_str()).collect()
}

async fn sorted_ids(index: &dyn Index, query: Query) -> Vec<String> {
    let mut ids: Vec<String> = index.search(query).await.unwrap().into_iter().map(|hit| hit.id).collect();
    ids.sort();
    ids
}

fn metadata<const N: usize>(of: [(&str, Value); N]) -> Metadata {
    of.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<BTreeMap<_, _>>()
}

fn string(value: &str) -> Value {
    Value::String(value.to_owned())
}

fn within(filter: Filter) -> Query {
    Query { filter: Some(filter), ..near([1.0, 0.0, 0.0, 0.0]) }
}

//! Searching: by the k-NN query within its filter, and by a match query; what one list lacks of the other is asked for.

use std::collections::{HashMap, HashSet};

use async_trait::async_trait;
use serde_json::{Value as Json, json};

use super::Kept;
use super::filter::condition;
use super::write::numbers;
use crate::ranked::{Candidate, Finds};
use crate::record::Row;
use crate::{Mode, Query, Result, Shape, VectorError};

/// Words of a question that are looked for; OpenSearch takes 1,024 clauses.
const MOST_WORDS: usize = 500;

/// What a search answered: each document's own name, its score and what it is.
type Found = (String, f64, Json);

#[async_trait]
impl Finds for Kept {
    fn shape(&self) -> Shape {
        self.layout.shape
    }

    async fn near(&self, query: &Query, limit: usize) -> Result<Vec<Candidate>> {
        let found = self.nearest(query, limit, None).await?;
        let words = match query.mode {
            Mode::Semantic => HashMap::new(),
            Mode::Hybrid => self.words(query, found.len(), Some(&found)).await?.into_iter().map(scored).collect(),
        };
        found.into_iter().map(|one| self.candidate(&one, one.1, words.get(&one.0).copied())).collect()
    }

    async fn said(&self, query: &Query, limit: usize) -> Result<Vec<Candidate>> {
        let found = self.words(query, limit, None).await?;
        let near = self.nearest(query, found.len(), Some(&found)).await?;
        let near: HashMap<_, _> = near.into_iter().map(scored).collect();
        found
            .into_iter()
            .map(|one| self.candidate(&one, near.get(&one.0).copied().unwrap_or(0.0), Some(one.1)))
            .collect()
    }
}

fn scored((id, score, _): Found) -> (String, f64) {
    (id, score)
}

impl Kept {
    /// The nearest, with their likeness; of `among` only, where that is said.
    async fn nearest(&self, query: &Query, limit: usize, among: Option<&[Found]>) -> Result<Vec<Found>> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let filter = self.own(self.filters(query, among));
        let asked = match numbers(&query.vector) {
            Some(vector) => {
                json!({ "knn": { &self.layout.vector: { "vector": vector, "k": limit, "filter": filter } } })
            }
            // A vector without a direction is like nothing, and no cosine takes it.
            None => filter,
        };
        let none = numbers(&query.vector).is_none();
        let found = self.ask(asked, limit).await?;
        let likeness = |score| match none {
            true => 0.0,
            false => self.layout.space.likeness(score, self.layout.shape.dimensions),
        };
        Ok(found.into_iter().map(|(id, score, source)| (id, likeness(score), source)).collect())
    }

    /// What shares words, with BM25's score; of `among` only, where that is said.
    async fn words(&self, query: &Query, limit: usize, among: Option<&[Found]>) -> Result<Vec<Found>> {
        let mut seen = HashSet::new();
        let words: Vec<_> = query.text.split_whitespace().filter(|word| seen.insert(*word)).take(MOST_WORDS).collect();
        if words.is_empty() || limit == 0 {
            return Ok(Vec::new());
        }
        let matched = json!({ "match": { &self.layout.text: { "query": words.join(" ") } } });
        let filter = self.own(self.filters(query, among));
        self.ask(json!({ "bool": { "must": [matched], "filter": [filter] } }), limit).await
    }

    fn filters(&self, query: &Query, among: Option<&[Found]>) -> Vec<Json> {
        let mut filters: Vec<_> = query.filter.iter().map(condition).collect();
        if let Some(among) = among {
            let ids: Vec<_> = among.iter().map(|(id, ..)| id).collect();
            filters.push(json!({ "ids": { "values": ids } }));
        }
        filters
    }

    async fn ask(&self, query: Json, limit: usize) -> Result<Vec<Found>> {
        let fields = [&self.layout.text, &self.layout.metadata];
        let mut found = self.post("_search", &json!({ "size": limit, "query": query, "_source": fields })).await?;
        let Json::Array(hits) = found["hits"]["hits"].take() else { return Ok(Vec::new()) };
        let one = |mut hit: Json| {
            let id = hit["_id"].as_str().unwrap_or_default().to_owned();
            (id, hit["_score"].as_f64().unwrap_or(0.0), hit["_source"].take())
        };
        Ok(hits.into_iter().map(one).collect())
    }

    fn candidate(&self, (_, _, source): &Found, likeness: f64, words: Option<f64>) -> Result<Candidate> {
        let row = source[&self.layout.metadata].as_str().unwrap_or_default();
        let row: Row = serde_json::from_str(row).map_err(|why| VectorError::failed("a document's metadata", why))?;
        Ok(Candidate {
            id: row.chunk,
            source: row.data_source,
            document: row.document,
            text: source[&self.layout.text].as_str().unwrap_or_default().to_owned(),
            parent: row.parent,
            metadata: row.attributes.unwrap_or_default(),
            likeness,
            words: words.unwrap_or(0.0),
        })
    }
}

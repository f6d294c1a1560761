//! Qdrant, over its REST interface.
//!
//! Each knowledge base has a collection (`outcrop_` and its id), made and deleted here. Qdrant changes points one by one,
//! so a document's chunks carry the number of their writing, and one more point, the document's head, says which number
//! counts: it is written in one step when all chunks are there. What a search finds is held against the heads.
//!
//! It searches by vectors alone; words are not scored there. It does not compare bits.

mod filter;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use http::{HeaderName, Method};
use outcrop_outbound::Outbound;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::http::{Http, Key};
use crate::ranked::{self, Candidate, Finds};
use crate::record::described;
use crate::{
    Engine, Hit, Index, Metadata, Parent, Place, Query, Record, Replace, Result, Shape, Stats, Store, Vector,
    VectorError,
};
use filter::{attributes, condition, of_document, of_source};

/// Points that are sent together.
const STRIDE: usize = 100;
/// How often a search is made again that met a document while it was replaced.
const TRIES: usize = 4;
/// The name of the vector: heads have none.
const VECTOR: &str = "chunk";

/// What filters look at. The strings themselves have no index: without one, a text is looked for as a part.
const INDEXED: [(&str, &str); 9] = [
    ("source", "keyword"),
    ("document", "keyword"),
    ("writing", "keyword"),
    ("head", "bool"),
    ("is", "keyword"),
    ("numbers[].k", "keyword"),
    ("numbers[].v", "float"),
    ("strings[].k", "keyword"),
    ("members[].k", "keyword"),
];

/// A Qdrant.
#[derive(Clone)]
pub struct Qdrant(Arc<Inner>);

struct Inner {
    http: Http,
    open: Mutex<HashMap<String, Shape>>,
}

/// A collection.
struct Collection {
    store: Qdrant,
    path: String,
    shape: Shape,
}

/// What a chunk's point carries beside what filters look at.
#[derive(Serialize, Deserialize)]
struct Payload {
    source: String,
    document: String,
    chunk: String,
    text: String,
    parent: Option<Parent>,
    metadata: Metadata,
    writing: String,
}

impl Qdrant {
    /// The Qdrant at `url`, which knows this server by its API key.
    pub fn new(url: &str, key: Option<&str>, outbound: &Outbound) -> Result<Self> {
        let key = match key {
            Some(key) => Key::header(HeaderName::from_static("api-key"), key)?,
            None => Key::Nothing,
        };
        Ok(Self(Arc::new(Inner { http: Http::new(url, key, outbound)?, open: Mutex::default() })))
    }

    /// What a collection's vectors are; none where there is no such collection.
    async fn holds(&self, path: &str) -> Result<Option<Shape>> {
        let Some(found) = self.0.http.ask(Method::GET, path, None).await? else { return Ok(None) };
        let size = found.pointer(&format!("/result/config/params/vectors/{VECTOR}/size")).and_then(Json::as_u64);
        let Some(dimensions) = size.and_then(|size| u32::try_from(size).ok()) else {
            return Err(VectorError::Invalid(format!("the collection has no vector that is called {VECTOR}")));
        };
        Ok(Some(Shape { dimensions, binary: false }))
    }

    async fn make(&self, path: &str, shape: Shape) -> Result<()> {
        let http = &self.0.http;
        let vectors = json!({ VECTOR: { "size": shape.dimensions, "distance": "Cosine" } });
        http.must(Method::PUT, path, &json!({ "vectors": vectors, "on_disk_payload": true })).await?;
        for (field, kind) in INDEXED {
            let index = json!({ "field_name": field, "field_schema": kind });
            http.must(Method::PUT, &format!("{path}/index?wait=true"), &index).await?;
        }
        Ok(())
    }
}

impl Store for Qdrant {
    fn at(&self, _: Option<Place>) -> Arc<dyn Engine> {
        Arc::new(self.clone())
    }
}

#[async_trait]
impl Engine for Qdrant {
    async fn open(&self, base: &str, shape: Shape) -> Result<Arc<dyn Index>> {
        if shape.binary {
            return Err(VectorError::Unsupported("Qdrant does not compare binary vectors: use FLOAT32".to_owned()));
        }
        let path = path(base)?;
        let known = self.0.open.lock().unwrap_or_else(PoisonError::into_inner).get(base).copied();
        let holds = match known {
            Some(holds) => holds,
            None => {
                let holds = match self.holds(&path).await? {
                    Some(holds) => holds,
                    None => {
                        // Of two who make it at once, one is told that it is there.
                        if let Err(error) = self.make(&path, shape).await {
                            tracing::debug!(%error, "making a collection");
                        }
                        let made = self.holds(&path).await?;
                        made.ok_or_else(|| VectorError::Failed("the collection could not be made".to_owned()))?
                    }
                };
                self.0.open.lock().unwrap_or_else(PoisonError::into_inner).insert(base.to_owned(), holds);
                holds
            }
        };
        if holds != shape {
            return Err(VectorError::Shape { holds, given: shape });
        }
        Ok(Arc::new(Collection { store: self.clone(), path, shape }))
    }

    async fn discard(&self, base: &str) -> Result<()> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner).remove(base);
        self.0.http.ask(Method::DELETE, &path(base)?, None).await.map(drop)
    }

    fn hybrid(&self) -> bool {
        false
    }
}

fn path(base: &str) -> Result<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    match !base.is_empty() && base.len() <= 128 && base.chars().all(plain) {
        true => Ok(format!("/collections/outcrop_{base}")),
        false => Err(VectorError::Invalid(format!("a collection cannot be named after {base:?}"))),
    }
}

/// The name of a document's head: always the same.
fn head(source: &str, document: &str) -> String {
    let hash = Sha256::digest(format!("{}:{source}{document}", source.len()));
    let mut id = [0; 16];
    id.copy_from_slice(&hash[..16]);
    Uuid::from_bytes(id).to_string()
}

fn random() -> String {
    Uuid::new_v4().to_string()
}

impl Collection {
    async fn post(&self, path: &str, body: &Json) -> Result<Json> {
        self.store.0.http.must(Method::POST, &format!("{}{path}", self.path), body).await
    }

    async fn upsert(&self, points: &[Json]) -> Result<()> {
        for some in points.chunks(STRIDE) {
            let body = json!({ "points": some });
            self.store.0.http.must(Method::PUT, &format!("{}/points?wait=true", self.path), &body).await?;
        }
        Ok(())
    }

    async fn remove(&self, filter: Json) -> Result<()> {
        self.post("/points/delete?wait=true", &json!({ "filter": filter })).await.map(drop)
    }

    fn point(&self, document: &Replace, record: &Record, writing: &str) -> Result<Json> {
        record.vector.check(self.shape)?;
        let Vector::Float(numbers) = &record.vector else { return Err(VectorError::Invalid("bits".to_owned())) };
        let payload = Payload {
            source: document.source.clone(),
            document: document.document.clone(),
            chunk: record.id.clone(),
            text: record.text.clone(),
            parent: record.parent.as_deref().cloned(),
            metadata: record.metadata.clone(),
            writing: writing.to_owned(),
        };
        let mut payload = serde_json::to_value(payload).map_err(|why| VectorError::failed("writing a payload", why))?;
        merge(&mut payload, attributes(&record.metadata));
        Ok(json!({ "id": random(), "vector": { VECTOR: numbers }, "payload": payload }))
    }

    /// The writing that counts of each of these documents.
    async fn heads(&self, found: &[Payload]) -> Result<HashMap<String, String>> {
        let ids: HashSet<String> = found.iter().map(|one| head(&one.source, &one.document)).collect();
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let answer = self.post("/points", &json!({ "ids": ids, "with_payload": ["writing"] })).await?;
        let heads = answer["result"].as_array().cloned().unwrap_or_default();
        let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
        Ok(heads.iter().map(|head| (text(&head["id"]), text(&head["payload"]["writing"]))).collect())
    }

    /// The nearest `limit` points, and those of them that count.
    async fn found(&self, query: &Query, limit: usize) -> Result<(usize, Vec<Candidate>)> {
        let Vector::Float(numbers) = &query.vector else { return Ok((0, Vec::new())) };
        let mut ask = json!({ "query": numbers, "using": VECTOR, "limit": limit, "with_payload": true });
        if let Some(filter) = &query.filter {
            ask["filter"] = json!({ "must": [condition(filter)] });
        }
        let mut answer = self.post("/points/query", &ask).await?;
        let points = match answer["result"]["points"].take() {
            Json::Array(points) => points,
            _ => Vec::new(),
        };
        let bad = |why: serde_json::Error| VectorError::failed("a point's payload", why);
        let mut scores = Vec::with_capacity(points.len());
        let mut payloads = Vec::with_capacity(points.len());
        for mut point in points {
            scores.push(point["score"].as_f64().filter(|score| score.is_finite()).unwrap_or(0.0));
            payloads.push(serde_json::from_value::<Payload>(point["payload"].take()).map_err(bad)?);
        }
        let heads = self.heads(&payloads).await?;
        let count = payloads.len();
        // A part of a text is one word by word in some of its versions: what passes is looked at again.
        let passes = |one: &Payload| query.filter.as_ref().is_none_or(|filter| filter.passes(&one.metadata));
        let counts = |one: &Payload| heads.get(&head(&one.source, &one.document)) == Some(&one.writing) && passes(one);
        let candidates = payloads.into_iter().zip(scores).filter(|(one, _)| counts(one));
        let candidates = candidates.map(|(one, likeness)| Candidate {
            id: one.chunk,
            source: one.source,
            document: one.document,
            text: one.text,
            parent: one.parent,
            metadata: one.metadata,
            likeness,
            words: 0.0,
        });
        Ok((count, candidates.collect()))
    }
}

fn merge(into: &mut Json, from: Json) {
    if let (Json::Object(into), Json::Object(from)) = (into, from) {
        into.extend(from);
    }
}

#[async_trait]
impl Index for Collection {
    async fn replace(&self, documents: Vec<Replace>) -> Result<()> {
        // Of two of one name the later counts.
        let mut last: HashMap<(String, String), Replace> = HashMap::new();
        for document in documents {
            last.insert((document.source.clone(), document.document.clone()), document);
        }
        let writing = random();
        let (mut points, mut heads) = (Vec::new(), Vec::new());
        let mut gone = Vec::new();
        for document in last.values() {
            for record in &document.records {
                points.push(self.point(document, record, &writing)?);
            }
            let id = head(&document.source, &document.document);
            if document.records.is_empty() {
                gone.push(id);
            } else {
                let payload = json!({
                    "head": true, "source": document.source, "document": document.document, "writing": writing,
                });
                heads.push(json!({ "id": id, "vector": {}, "payload": payload }));
            }
        }
        self.upsert(&points).await?;
        self.upsert(&heads).await?;
        if !gone.is_empty() {
            self.post("/points/delete?wait=true", &json!({ "points": gone })).await?;
        }
        // From here on nobody finds the old; what is left of them after a crash goes with the next writing.
        let old = |document: &Replace| {
            let mut filter = of_document(&document.source, &document.document);
            filter["must_not"] = json!([{ "key": "writing", "match": { "value": writing } }]);
            json!({ "delete": { "filter": filter } })
        };
        let all: Vec<_> = last.values().map(old).collect();
        for some in all.chunks(STRIDE) {
            self.post("/points/batch?wait=true", &json!({ "operations": some })).await?;
        }
        Ok(())
    }

    async fn describe(&self, source: &str, document: &str, own: &[&str], metadata: Metadata) -> Result<()> {
        let mut filter = of_document(source, document);
        filter["must_not"] = json!([{ "key": "head", "match": { "value": true } }]);
        let mut asked = json!({ "filter": filter, "limit": STRIDE, "with_payload": ["metadata"] });
        loop {
            let mut found = self.post("/points/scroll", &asked).await?["result"].take();
            let mut all = Vec::new();
            for point in found["points"].as_array_mut().into_iter().flatten() {
                let bad = |why: serde_json::Error| VectorError::failed("a point's payload", why);
                let old: Metadata = serde_json::from_value(point["payload"]["metadata"].take()).map_err(bad)?;
                let new = described(&old, own, &metadata);
                let mut payload = json!({ "metadata": new });
                merge(&mut payload, attributes(&new));
                all.push(json!({ "set_payload": { "payload": payload, "points": [point["id"]] } }));
            }
            if !all.is_empty() {
                self.post("/points/batch?wait=true", &json!({ "operations": all })).await?;
            }
            asked["offset"] = found["next_page_offset"].take();
            if asked["offset"].is_null() {
                return Ok(());
            }
        }
    }

    async fn forget(&self, source: &str) -> Result<()> {
        // Heads first: without one, none of a document's chunks is found.
        let mut heads = of_source(source);
        if let Some(must) = heads["must"].as_array_mut() {
            must.push(json!({ "key": "head", "match": { "value": true } }));
        }
        self.remove(heads).await?;
        self.remove(of_source(source)).await
    }

    async fn search(&self, query: Query) -> Result<Vec<Hit>> {
        ranked::search(self, &query).await
    }

    async fn stats(&self) -> Result<Stats> {
        let is_head = json!({ "key": "head", "match": { "value": true } });
        let count = async |how: &str| {
            let asked = json!({ "filter": { how: [is_head] }, "exact": true });
            Ok::<_, VectorError>(self.post("/points/count", &asked).await?["result"]["count"].as_u64().unwrap_or(0))
        };
        Ok(Stats { documents: count("must").await?, chunks: count("must_not").await?, bytes: 0 })
    }
}

#[async_trait]
impl Finds for Collection {
    fn shape(&self) -> Shape {
        self.shape
    }

    async fn near(&self, query: &Query, limit: usize) -> Result<Vec<Candidate>> {
        let mut wanted = limit;
        for _ in 1..TRIES {
            let (count, found) = self.found(query, wanted).await?;
            if found.len() >= limit || found.len() == count {
                return Ok(found);
            }
            // Some were of a writing that does not count: they are replaced just now, or were left by a crash.
            wanted += count - found.len();
        }
        Ok(self.found(query, wanted.saturating_mul(2)).await?.1)
    }

    async fn said(&self, _: &Query, _: usize) -> Result<Vec<Candidate>> {
        Ok(Vec::new())
    }
}

//! Writing: what is new first, then what was before goes, then all of it is shown.

use std::collections::HashMap;

use bytes::Bytes;
use http::Method;
use serde_json::{Value as Json, json};

use super::Kept;
use super::filter::attributes;
use crate::record::{Row, described};
use crate::{Metadata, Record, Replace, Result, Vector, VectorError};

/// Documents that are sent together.
const STRIDE: usize = 200;
/// Old chunks that are looked up together.
const PAGE: usize = 5000;

/// A vector as it is written and asked: numbers with the length 1, bits as signed bytes. None without a direction.
pub(super) fn numbers(vector: &Vector) -> Option<Json> {
    match vector {
        Vector::Float(numbers) => {
            let length = numbers.iter().map(|n| f64::from(*n).powi(2)).sum::<f64>().sqrt();
            (length > 0.0).then(|| numbers.iter().map(|n| f64::from(*n) / length).map(|n| n as f32).collect())
        }
        Vector::Binary(bytes) => Some(bytes.iter().map(|byte| byte.cast_signed()).collect()),
    }
}

fn key(source: &str, document: &str) -> String {
    format!("{}:{source}{document}", source.len())
}

impl Kept {
    pub(super) async fn write(&self, documents: Vec<Replace>) -> Result<()> {
        // Of two of one name the later counts.
        let mut last: HashMap<String, &Replace> = HashMap::new();
        for document in &documents {
            for record in &document.records {
                record.vector.check(self.layout.shape)?;
            }
            last.insert(key(&document.source, &document.document), document);
        }
        let mut unseen = self.turn.lock().await;
        self.seen(&mut unseen, |key| last.contains_key(key)).await?;
        // What a write left that was broken off is old, too, and was never shown.
        self.refresh().await?;
        let keys: Vec<_> = last.keys().collect();
        let mut old = Vec::new();
        for some in keys.chunks(STRIDE) {
            old.extend(self.ids(vec![json!({ "terms": { "outcrop.key": some } })]).await?);
        }
        let mut lines = Vec::new();
        for (key, document) in &last {
            for record in &document.records {
                lines.push((json!({ "index": {} }), Some(self.line(key, document, record)?)));
            }
        }
        let mut made = Vec::new();
        for some in lines.chunks(STRIDE) {
            let refused = match self.bulk(some).await {
                Ok((ids, refused)) => {
                    made.extend(ids);
                    refused
                }
                Err(why) => Some(why),
            };
            if let Some(why) = refused {
                // Nothing of it was shown yet, and nothing of it stays. What cannot be taken away now is old to the next
                // write.
                if self.delete(made.clone()).await.is_err() {
                    self.wrote(&mut unseen, last.keys(), made);
                }
                return Err(why);
            }
        }
        self.wrote(&mut unseen, last.keys(), made);
        self.delete(old).await?;
        self.refresh().await
    }

    fn line(&self, key: &str, document: &Replace, record: &Record) -> Result<Json> {
        let row = Row {
            knowledge_base: self.base.clone(),
            data_source: document.source.clone(),
            document: document.document.clone(),
            chunk: record.id.clone(),
            parent: record.parent.as_deref().cloned(),
            attributes: Some(record.metadata.clone()),
        };
        let row = serde_json::to_string(&row).map_err(|why| VectorError::failed("writing metadata", why))?;
        let mut beside = attributes(&record.metadata);
        beside["knowledgeBase"] = json!(self.base);
        beside["dataSource"] = json!(document.source);
        beside["key"] = json!(key);
        let layout = &self.layout;
        let mut line = json!({ &layout.text: record.text, &layout.metadata: row, "outcrop": beside });
        if let Some(vector) = numbers(&record.vector) {
            line[&layout.vector] = vector;
        }
        Ok(line)
    }

    /// Gives every chunk of a document other attributes, but for those that are its own.
    pub(super) async fn write_attributes(
        &self,
        source: &str,
        document: &str,
        own: &[&str],
        metadata: &Metadata,
    ) -> Result<()> {
        let mut unseen = self.turn.lock().await;
        let key = key(source, document);
        self.seen(&mut unseen, |one| one == key).await?;
        let of = vec![json!({ "term": { "outcrop.key": key } })];
        let mut lines = Vec::new();
        for hit in self.all(of, &json!([&self.layout.metadata])).await? {
            let bad = |why: serde_json::Error| VectorError::failed("a document's metadata", why);
            let row = hit["_source"][&self.layout.metadata].as_str().unwrap_or_default();
            let mut row: Row = serde_json::from_str(row).map_err(bad)?;
            let new = described(&row.attributes.unwrap_or_default(), own, metadata);
            let beside = attributes(&new);
            row.attributes = Some(new);
            let row = serde_json::to_string(&row).map_err(bad)?;
            let changed = json!({ &self.layout.metadata: row, "outcrop": beside });
            lines.push((json!({ "update": { "_id": hit["_id"] } }), Some(json!({ "doc": changed }))));
        }
        for some in lines.chunks(STRIDE) {
            if let (_, Some(why)) = self.bulk(some).await? {
                return Err(why);
            }
        }
        self.refresh().await
    }

    /// Removes what the conditions leave of this knowledge base's documents.
    pub(super) async fn remove(&self, of: Vec<Json>) -> Result<()> {
        let mut unseen = self.turn.lock().await;
        self.seen(&mut unseen, |_| true).await?;
        let ids = self.ids(of).await?;
        self.delete(ids).await?;
        self.refresh().await
    }

    async fn ids(&self, of: Vec<Json>) -> Result<Vec<String>> {
        let all = self.all(of, &json!(false)).await?;
        Ok(all.iter().filter_map(|hit| hit["_id"].as_str()).map(str::to_owned).collect())
    }

    /// The documents that the conditions leave, page by page in the order of their names' writing, with these fields.
    async fn all(&self, of: Vec<Json>, fields: &Json) -> Result<Vec<Json>> {
        let mut all: Vec<Json> = Vec::new();
        let mut after = Json::Null;
        loop {
            let sort = json!([{ "outcrop.key": "asc" }, { "_id": "asc" }]);
            let mut asked = json!({ "size": PAGE, "query": self.own(of.clone()), "_source": fields, "sort": sort });
            if !after.is_null() {
                asked["search_after"] = after.take();
            }
            let found = self.post("_search", &asked).await?;
            let hits = found["hits"]["hits"].as_array().cloned().unwrap_or_default();
            let more = hits.len() == PAGE;
            all.extend(hits);
            match all.last() {
                Some(last) if more => after = last["sort"].clone(),
                _ => return Ok(all),
            }
        }
    }

    async fn delete(&self, ids: Vec<String>) -> Result<()> {
        let lines: Vec<_> = ids.iter().map(|id| (json!({ "delete": { "_id": id } }), None)).collect();
        for some in lines.chunks(STRIDE) {
            if let (_, Some(why)) = self.bulk(some).await? {
                return Err(why);
            }
        }
        Ok(())
    }

    /// Sends lines; the names of what was written, and the first refusal.
    async fn bulk(&self, lines: &[(Json, Option<Json>)]) -> Result<(Vec<String>, Option<VectorError>)> {
        let mut body = String::new();
        for (action, document) in lines {
            body += &format!("{action}\n");
            if let Some(document) = document {
                body += &format!("{document}\n");
            }
        }
        let path = format!("{}/_bulk", self.layout.path);
        let told = self.store.0.http.send(Method::POST, &path, "application/x-ndjson", Bytes::from(body)).await?;
        let told = told.ok_or_else(|| VectorError::Failed("the index is not there any more".to_owned()))?;
        let (mut ids, mut refused) = (Vec::new(), None);
        for item in told["items"].as_array().into_iter().flatten() {
            let Some(done) = item.as_object().and_then(|one| one.values().next()) else { continue };
            // What is to go and is not there is gone.
            let gone = item.get("delete").is_some() && done["status"] == 404;
            match done["error"]["reason"].as_str() {
                Some(why) if !gone => refused = refused.or_else(|| Some(VectorError::Failed(why.to_owned()))),
                _ => ids.extend(done["_id"].as_str().map(str::to_owned)),
            }
        }
        Ok((ids, refused))
    }

    async fn refresh(&self) -> Result<()> {
        if self.store.0.serverless {
            return Ok(());
        }
        // Without a body: it takes none.
        let path = format!("{}/_refresh", self.layout.path);
        self.store.0.http.ask(Method::POST, &path, None).await.map(drop)
    }
}

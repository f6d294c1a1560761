//! A data source's own step after chunking: a function gets a document's chunks in files of an intermediate bucket, and
//! answers with the files of the chunks to keep. Event, answer and files are AWS's (user guide, "custom transformation").
//!
//! Each document is a call of its own, so that a function that fails fails one document.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use bytes::Bytes;
use outcrop_api::bedrock_agent::VectorIngestionConfiguration;
use outcrop_extract::Failure;
use outcrop_vectors::{Metadata, Record, Value};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::embed::Embedder;
use super::prepare::Unprepared;
use crate::keys;

/// Chunks of one file.
const BATCH: usize = 200;
/// The most bytes of a file that a function answers with, and of all of a document's.
const LARGEST: u64 = 50 << 20;

/// What a data source has done to its chunks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Transform {
    function: String,
    bucket: String,
    /// What keys in it begin with: nothing, or a folder with its slash.
    prefix: String,
    base: String,
    source: String,
    job: String,
}

/// A file of chunks.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Batch {
    file_contents: Vec<Content>,
}

/// A chunk.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Content {
    pub content_body: String,
    #[serde(default)]
    content_type: Json,
    #[serde(default)]
    content_metadata: BTreeMap<String, Json>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    output_files: Vec<File>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    #[serde(default)]
    file_metadata: Option<BTreeMap<String, Json>>,
    content_batches: Vec<Key>,
}

#[derive(Deserialize)]
struct Key {
    key: String,
}

/// A chunk as the function wants it.
#[derive(Debug, PartialEq)]
pub(super) struct Made {
    pub text: String,
    /// What is said of it, before what is said of the document.
    pub attributes: Metadata,
    /// The chunk that it was, where its text is the same.
    pub of: Option<usize>,
}

impl Transform {
    /// What a data source asks for; `job` is the ingestion job or the call.
    pub(super) fn of(told: Option<&VectorIngestionConfiguration>, base: &str, source: &str, job: &str) -> Option<Self> {
        let told = told?.custom_transformation_configuration.as_ref()?;
        let function = &told.transformations.first()?.transformation_function.transformation_lambda_configuration;
        let place = told.intermediate_storage.s3_location.uri.strip_prefix("s3://")?;
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        let prefix = prefix.trim_end_matches('/');
        Some(Self {
            function: function.lambda_arn.clone(),
            bucket: bucket.to_owned(),
            prefix: if prefix.is_empty() { String::new() } else { format!("{prefix}/") },
            base: base.to_owned(),
            source: source.to_owned(),
            job: job.to_owned(),
        })
    }

    /// The chunks of the document `id` that the function makes of `records`, whose metadata is `attributes` and more.
    pub(super) async fn run(
        &self,
        embedder: &Embedder,
        id: &str,
        attributes: &Metadata,
        records: &[Record],
    ) -> Result<Vec<Made>, Unprepared> {
        let (knowledge, acting) = (&embedder.knowledge.0, &embedder.acting);
        let failed = |why: String| format!("its custom transformation failed: {why}");
        // Neither a function nor a bucket that is away says anything of the document.
        let later = |why: String| Unprepared::Later(failed(why));
        let bad = |why: String| Unprepared::Bad(Failure::Damaged(failed(why)));
        let mut sent = Vec::new();
        for (number, some) in records.chunks(BATCH).enumerate() {
            let content = |record: &Record| Content {
                content_body: record.text.clone(),
                content_type: json!("TEXT"),
                content_metadata: told(record.metadata.get_key_value(keys::PAGE)),
            };
            let batch = Batch { file_contents: some.iter().map(content).collect() };
            let bytes = serde_json::to_vec(&batch).map_err(|error| bad(error.to_string()))?;
            let key = self.key(id, number + 1);
            let put = knowledge.buckets.put(acting, &self.bucket, &key, bytes.into()).await;
            put.map_err(|error| later(format!("s3://{}/{key} can't be written: {error}", self.bucket)))?;
            sent.push(key);
        }
        let answered = knowledge.functions.invoke(acting, &self.function, &self.event(id, attributes, &sent)).await;
        let made = match answered {
            Ok(answer) => self.read(embedder, &answer, records).await.map_err(bad),
            Err(error) => Err(later(error.to_string())),
        };
        for key in sent {
            // They are nobody's any more; a role that may not delete leaves them.
            let _ = knowledge.buckets.delete(acting, &self.bucket, &key).await;
        }
        made
    }

    fn key(&self, id: &str, number: usize) -> String {
        let name: String = id.rsplit('/').next().unwrap_or(id).chars().take(100).collect();
        let name = name.replace(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)), "_");
        // Documents of one name in several folders are several documents.
        let which = super::prepare::short(id);
        let Self { prefix, base, source, job, .. } = self;
        format!("{prefix}temp/aws/bedrock/knowledge_bases/{base}/{source}/{job}/{which}/{name}_{number}.JSON")
    }

    fn event(&self, id: &str, attributes: &Metadata, keys: &[String]) -> Json {
        let location = if id.starts_with("s3://") {
            json!({"type": "S3", "s3_location": {"uri": id}})
        } else {
            json!({"type": "CUSTOM", "custom_document_location": {"id": id}})
        };
        let batches: Vec<Json> = keys.iter().map(|key| json!({ "key": key })).collect();
        let metadata: serde_json::Map<String, Json> =
            attributes.iter().map(|(key, value)| (key.clone(), as_json(value))).collect();
        json!({
            "version": "1.0",
            "knowledgeBaseId": self.base,
            "dataSourceId": self.source,
            "ingestionJobId": self.job,
            "bucketName": self.bucket,
            "priorTask": "CHUNKING",
            "inputFiles": [
                {"originalFileLocation": location, "fileMetadata": metadata, "contentBatches": batches},
            ],
        })
    }

    async fn read(&self, embedder: &Embedder, answer: &Json, records: &[Record]) -> Result<Vec<Made>, String> {
        let answer: Answer = Deserialize::deserialize(answer)
            .map_err(|error| format!("the answer of {} has no outputFiles as they must be: {error}", self.function))?;
        let (mut made, mut left, mut from) = (Vec::new(), LARGEST, 0);
        for file in answer.output_files {
            let of_file = attributes(&file.file_metadata.unwrap_or_default());
            for Key { key } in file.content_batches {
                let buckets = &embedder.knowledge.0.buckets;
                let found = buckets.get(&embedder.acting, &self.bucket, &key, left).await;
                let bytes: Bytes =
                    found.map_err(|error| format!("s3://{}/{key} can't be read: {error}", self.bucket))?.bytes;
                left = left.saturating_sub(bytes.len() as u64);
                let batch: Batch = serde_json::from_slice(&bytes)
                    .map_err(|error| format!("s3://{}/{key} is no file of chunks: {error}", self.bucket))?;
                for content in batch.file_contents {
                    if content.content_body.trim().is_empty() {
                        continue;
                    }
                    let at = (from..records.len()).find(|at| records[*at].text == content.content_body);
                    from = at.map_or(from, |at| at + 1);
                    let mut said = of_file.clone();
                    said.extend(attributes(&content.content_metadata));
                    made.push(Made { text: content.content_body, attributes: said, of: at });
                }
            }
        }
        Ok(made)
    }
}

fn told(attribute: Option<(&String, &Value)>) -> BTreeMap<String, Json> {
    attribute.map(|(key, value)| (key.clone(), as_json(value))).into_iter().collect()
}

fn as_json(value: &Value) -> Json {
    match value {
        Value::Boolean(value) => json!(value),
        Value::Number(value) => json!(value),
        Value::String(value) => json!(value),
        Value::List(value) => json!(value),
    }
}

/// What a function says of chunks. Names that are Bedrock's own are not its to give, but for the page.
fn attributes(told: &BTreeMap<String, Json>) -> Metadata {
    let mut all = Metadata::new();
    for (key, value) in told {
        let value = match value {
            Json::Bool(value) => Value::Boolean(*value),
            Json::Number(value) => Value::Number(value.as_f64().unwrap_or_default()),
            Json::String(value) => Value::String(value.clone()),
            Json::Array(values) => {
                Value::List(values.iter().filter_map(|value| value.as_str().map(str::to_owned)).collect())
            }
            Json::Null | Json::Object(_) => continue,
        };
        if keys::free(key) || key == keys::PAGE && matches!(value, Value::Number(_)) {
            all.insert(key.clone(), value);
        }
    }
    all
}

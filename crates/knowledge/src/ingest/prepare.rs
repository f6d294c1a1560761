//! From a document's bytes to what is kept of it, all but the vectors.

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;
use outcrop_api::Fault;
use outcrop_extract::{Chunk, Chunking, Chunks, Document, Failure, Semantic, chunk, csv};
use outcrop_vectors::{Metadata, Parent, Record, Value, Vector};
use sha2::{Digest, Sha256};

use super::attributes::{MAX_SIDECAR, Records};
use super::by_model::Reader;
use super::embed::Embedder;
use super::sources::Fetched;
use super::transform::{Made, Transform};
use crate::keys;

/// What a data source does with its documents.
#[derive(Clone)]
pub(crate) struct Recipe {
    /// The data source.
    pub source: String,
    /// What its documents' locations are called in results.
    pub location: String,
    /// How they are cut.
    pub chunking: Chunking,
    /// What reads its PDF files, where that is not the default parser.
    pub reader: Option<Reader>,
    /// What is done to its chunks.
    pub transform: Option<Transform>,
    /// Whether the knowledge base is MANAGED.
    pub managed: bool,
}

impl Recipe {
    /// What every chunk of a document says of it, whatever its attributes are.
    pub(crate) fn of_document(&self, id: &str) -> Metadata {
        let mut all = Metadata::new();
        let mut put = |key: &str, text: &str| drop(all.insert(key.to_owned(), Value::String(text.to_owned())));
        put(keys::SOURCE_URI, id);
        put(keys::DATA_SOURCE_ID, &self.source);
        if self.managed {
            put(keys::MANAGED_URI, id);
            put(keys::MANAGED_SOURCE, &self.source);
        }
        put(keys::LOCATION, &self.location);
        all
    }
}

/// A document that only needs its vectors.
#[derive(Debug, Default)]
pub(crate) struct Prepared {
    /// Its chunks, without vectors.
    pub records: Vec<Record>,
    /// What of each is embedded.
    pub embedded: Vec<String>,
    /// What of it was not read.
    pub warning: Option<String>,
    /// The mark of what its sidecar put into `embedded`, where its attributes can be changed without reading it anew.
    pub beside: Option<String>,
}

/// Chunks that a document may have: all of them, and their vectors, are in memory together.
const CHUNKS: usize = 100_000;

/// Why a document was not prepared.
#[derive(Debug)]
pub(crate) enum Unprepared {
    /// It is as it is.
    Bad(Failure),
    /// The embedding model failed.
    Model(Fault),
    /// What its preparation needs was not there; the document was not at fault.
    Later(String),
}

impl From<Failure> for Unprepared {
    fn from(failure: Failure) -> Self {
        Self::Bad(failure)
    }
}

/// Prepares a document.
pub(crate) async fn prepare(
    recipe: &Recipe,
    embedder: &Embedder,
    id: &str,
    fetched: Fetched,
) -> Result<Prepared, Unprepared> {
    let sidecar = fetched.sidecar.unwrap_or_default();
    // A function is shown the attributes, and may make of them what it likes.
    let beside = if recipe.transform.is_some() { None } else { sidecar.mark() };
    let mut attributes = fetched.attributes;
    attributes.extend(sidecar.attributes);
    let prepared = Prepared { beside, ..Prepared::default() };
    let mut made = Making { recipe, id, attributes, prefix: sidecar.embedded, prepared };
    if let Some(records) = sidecar.records {
        let (bytes, mime) = (fetched.bytes, fetched.mime);
        let rows = blocking(move || rows(&bytes, mime.as_deref(), &records)).await?;
        for (text, columns) in rows {
            let mut row = Document::default();
            row.blocks.push(paragraph(text));
            let chunks = cut(recipe.chunking, embedder, row).await?;
            made.add(chunks, &columns)?;
        }
    } else {
        let (bytes, name, mime) = (fetched.bytes, fetched.name, fetched.mime);
        let read = match &recipe.reader {
            Some(reader) => reader.read(embedder, &bytes, &name, mime.as_deref()).await,
            None => None,
        };
        let document = match read {
            Some(document) => document,
            None => embedder.knowledge.parse(bytes, name, mime).await?,
        };
        if let Some(failure) = document.no_text() {
            return Err(failure.into());
        }
        made.prepared.warning = (!document.warnings.is_empty()).then(|| document.warnings.join("; "));
        let chunks = cut(recipe.chunking, embedder, document).await?;
        made.add(chunks, &Metadata::new())?;
    }
    if let Some(transform) = &recipe.transform {
        let chunks = transform.run(embedder, id, &made.attributes, &made.prepared.records).await?;
        made.transformed(chunks);
    }
    if made.prepared.records.is_empty() {
        return Err(Failure::NoText(String::new()).into());
    }
    Ok(made.prepared)
}

async fn cut(chunking: Chunking, embedder: &Embedder, document: Document) -> Result<Chunks, Unprepared> {
    let tokens = embedder.tokens();
    let Chunking::Semantic { max_tokens, buffer, percentile } = chunking else {
        return Ok(blocking(move || Ok(chunk(&document, chunking, &tokens))).await?);
    };
    // It is no value that one thread can hand to another, and is made twice rather than held while others compute.
    let document = Arc::new(document);
    let read = Arc::clone(&document);
    let groups = blocking(move || Ok(Semantic::new(&read, buffer)?.groups())).await?;
    let vectors = embedder.floats(groups).await.map_err(Unprepared::Model)?;
    let cut = move || Ok(Semantic::new(&document, buffer)?.cut(&vectors, percentile, max_tokens, &tokens));
    Ok(Chunks { chunks: blocking(cut).await?, parents: Vec::new() })
}

/// A document whose chunks are being put together.
struct Making<'a> {
    recipe: &'a Recipe,
    id: &'a str,
    attributes: Metadata,
    prefix: String,
    prepared: Prepared,
}

impl Making<'_> {
    /// Adds the chunks of the whole, or of one row, which has attributes of its own.
    fn add(&mut self, chunks: Chunks, columns: &Metadata) -> Result<(), Failure> {
        let first = self.prepared.records.len();
        if first + chunks.chunks.len() > CHUNKS {
            return Err(Failure::Limit(format!("it has more than {CHUNKS} chunks")));
        }
        let parents: Vec<_> = chunks
            .parents
            .into_iter()
            .enumerate()
            .map(|(number, parent)| {
                let id = name(self.recipe, self.id, &format!("{first}/{number}"));
                Arc::new(Parent { id, text: parent.text })
            })
            .collect();
        for piece in chunks.chunks {
            let id = name(self.recipe, self.id, &self.prepared.records.len().to_string());
            let metadata = self.metadata(&piece, columns, &id);
            self.prepared.embedded.push(format!("{}{}", self.prefix, piece.text));
            self.prepared.records.push(Record {
                id,
                parent: piece.parent.and_then(|number| parents.get(number)).cloned(),
                text: piece.text,
                // Put in when it is there.
                vector: Vector::Float(Vec::new()),
                metadata,
            });
        }
        Ok(())
    }

    /// Puts what a function made in place of the chunks.
    fn transformed(&mut self, chunks: Vec<Made>) {
        let was = std::mem::take(&mut self.prepared.records);
        self.prepared.embedded.clear();
        for (number, Made { text, attributes, of }) in chunks.into_iter().enumerate() {
            let id = name(self.recipe, self.id, &number.to_string());
            let (parent, mut metadata) = match of.and_then(|at| was.get(at)) {
                Some(same) => (same.parent.clone(), same.metadata.clone()),
                None => {
                    let piece =
                        Chunk { text: String::new(), page: None, headings: Vec::new(), start: 0, end: 0, parent: None };
                    let mut metadata = self.metadata(&piece, &Metadata::new(), &id);
                    // Where it stands in the document only the function knows.
                    metadata.retain(|key, _| key != keys::START && key != keys::END);
                    (None, metadata)
                }
            };
            metadata.insert(keys::CHUNK_ID.to_owned(), Value::String(id.clone()));
            metadata.extend(attributes);
            self.prepared.embedded.push(format!("{}{text}", self.prefix));
            self.prepared.records.push(Record { id, parent, text, vector: Vector::Float(Vec::new()), metadata });
        }
    }

    fn metadata(&self, piece: &Chunk, columns: &Metadata, id: &str) -> Metadata {
        let mut all = self.attributes.clone();
        all.extend(columns.iter().map(|(key, value)| (key.clone(), value.clone())));
        all.extend(self.recipe.of_document(self.id));
        let mut put = |key: &str, value: Value| drop(all.insert(key.to_owned(), value));
        put(keys::CHUNK_ID, Value::String(id.to_owned()));
        if let Some(page) = piece.page.filter(|_| self.recipe.chunking != Chunking::None) {
            put(keys::PAGE, Value::Number(page.into()));
        }
        put(keys::START, Value::Number(piece.start as f64));
        put(keys::END, Value::Number(piece.end as f64));
        if !piece.headings.is_empty() {
            put(keys::HEADINGS, Value::List(piece.headings.clone()));
        }
        all
    }
}

/// A chunk's name: the same for the same chunk of the same document, so that ingesting it twice changes nothing. It has
/// the form of a UUID, as most of AWS's have.
fn name(recipe: &Recipe, document: &str, which: &str) -> String {
    let mut digest = Sha256::new();
    for part in [&recipe.source, document, which] {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    let mut id = [0; 16];
    id.copy_from_slice(&digest.finalize()[..16]);
    uuid::Uuid::from_bytes(id).to_string()
}

/// Tells documents apart in few characters.
pub(super) fn short(id: &str) -> String {
    Sha256::digest(id).iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

/// The text of each row and its columns as attributes.
fn rows(bytes: &Bytes, mime: Option<&str>, told: &Records) -> Result<Vec<(String, Metadata)>, Failure> {
    let charset = mime.and_then(|mime| mime.split("charset=").nth(1)).map(|charset| charset.trim_matches('"'));
    let table = csv::records(bytes, charset)?;
    let at = table.columns.iter().position(|column| *column == told.content);
    let at = at.ok_or_else(|| Failure::Damaged(format!("it has no column {}", told.content)))?;
    let excluded: HashSet<&str> = told.exclude.iter().map(String::as_str).collect();
    let kept = |column: &String| {
        *column != told.content
            && keys::free(column)
            && !excluded.contains(column.as_str())
            && (told.include.is_empty() || told.include.contains(column))
    };
    let columns: Vec<(usize, &String)> = table.columns.iter().enumerate().filter(|(_, column)| kept(column)).collect();
    let rows = table.rows.iter().filter_map(|row| Some((row, row.get(at).filter(|text| !text.trim().is_empty())?)));
    let read = rows.map(|(row, text)| {
        let cells = columns.iter().filter_map(|(at, column)| Some((*column, row.get(*at)?)));
        // As much as a sidecar may say of a document.
        if cells.clone().map(|(column, cell)| column.len() + cell.len()).sum::<usize>() as u64 > MAX_SIDECAR {
            let why =
                format!("a row has more than {MAX_SIDECAR} bytes of attributes; fieldsToInclude chooses among them");
            return Err(Failure::Limit(why));
        }
        let cells = cells.map(|(column, cell)| (column.clone(), Value::String(cell.clone())));
        Ok((text.clone(), cells.collect()))
    });
    read.collect()
}

fn paragraph(text: String) -> outcrop_extract::Block {
    outcrop_extract::Block { role: outcrop_extract::Role::Paragraph, text, page: None }
}

/// Computes away from the threads that answer calls.
async fn blocking<T: Send + 'static>(
    compute: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    tokio::task::spawn_blocking(compute).await.unwrap_or_else(|error| Err(Failure::Damaged(error.to_string())))
}

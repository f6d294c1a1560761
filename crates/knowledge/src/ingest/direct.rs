//! Documents that a call brings or takes away. A call whose knowledge base or data source is being deleted ends.

use std::time::Duration;

use bytes::Bytes;
use outcrop_api::Fault;
use outcrop_api::bedrock_agent::{CustomSourceType, KnowledgeBaseDocument};
use outcrop_queue::Held;
use outcrop_resources::{Error, Op, Resource, Scope};
use outcrop_store::{Batch, Error as StoreError};
use outcrop_vectors::{Record, Replace};

use super::attributes::{MAX_SIDECAR, Sidecar};
use super::document::{self, Did, Document, Known, Status};
use super::embed::{self, Embedder};
use super::prepare::{Prepared, Recipe, Unprepared, prepare};
use super::reasons;
use super::sources::{self, FetchError, Fetched, fetch_uri, parts};
use super::work::{DEATHS, Finished, TRIES};
use crate::control::documents::counted_out;
use crate::kept::{DataSource, KnowledgeBase, State, Told};
use crate::{Knowledge, KnowledgeError};

/// How often a call looks whether it is still wanted.
const LOOK: Duration = Duration::from_secs(1);

/// What a call is about.
pub(super) struct Call<'a> {
    pub knowledge: &'a Knowledge,
    pub scope: Scope<'a>,
    pub base: &'a str,
    pub source: &'a str,
    pub id: &'a str,
}

impl Call<'_> {
    /// Knowledge base and data source, unless they have gone or are going.
    async fn place(&self) -> Result<Option<(Resource<KnowledgeBase>, Resource<DataSource>)>, KnowledgeError> {
        let base = match self.knowledge.0.bases.get(self.scope, self.base).await {
            Err(Error::NotFound { .. }) => return Ok(None),
            base => base?,
        };
        let source = match self.knowledge.0.sources.get(self.scope, self.source).await {
            Err(Error::NotFound { .. }) => return Ok(None),
            source => source?,
        };
        let going = [base.value.state, source.value.state].contains(&State::Deleting);
        Ok((!going).then_some((base, source)))
    }

    /// Ends when the place goes.
    async fn unwanted(&self) {
        while !matches!(self.place().await, Ok(None)) {
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Says of the call's documents why nothing becomes of them: they stay where their data source cannot be deleted.
    async fn give_up(&self, ids: &[impl AsRef<str> + Sync]) -> Finished {
        let mut ops = Vec::new();
        for id in ids {
            let Some(Known { document, version, .. }) = self.row(id.as_ref()).await? else { continue };
            let reason = Some("The data source is being deleted.".to_owned());
            let row = Document { status: Status::Failed, reason, ..document };
            ops.push(document::write(self.scope, self.source, &row, Some(version))?);
        }
        if !ops.is_empty() {
            self.knowledge.0.resources.store().commit(Batch::new(ops)).await?;
        }
        Ok(vec![counted_out(self.scope)])
    }

    /// A document's row, as long as it is this call's: a later call's is the later call's.
    async fn row(&self, id: &str) -> Result<Option<Known>, KnowledgeError> {
        let known = document::get(self.knowledge, self.scope, self.source, id).await?;
        Ok(known.filter(|known| known.document.by.as_ref().is_some_and(|(call, _)| call == self.id)))
    }

    fn replace(&self, id: &str, records: Vec<Record>) -> Replace {
        Replace { source: self.source.to_owned(), document: id.to_owned(), records }
    }
}

/// Takes documents away.
pub(super) async fn remove(call: &Call<'_>, ids: &[String], held: &Held) -> Finished {
    let _alone = call.knowledge.0.turns.of(call.source, held).await;
    let Some((base, _)) = call.place().await? else { return call.give_up(ids).await };
    let index = call.knowledge.index(&base.id, &base.value).await?;
    let (mut removed, mut ops) = (Vec::new(), Vec::new());
    for id in ids {
        if let Some(known) = call.row(id).await? {
            removed.push(call.replace(id, Vec::new()));
            ops.push(Op::Delete { key: document::key(call.scope, call.source, id), expect: Some(known.version) });
        }
    }
    if !removed.is_empty() {
        index.replace(removed).await?;
    }
    for op in ops {
        match call.knowledge.0.resources.store().commit(op.into()).await {
            // A later call has brought the document again, or asked once more for it to go: its turn comes.
            Err(StoreError::Stale { .. }) => {}
            done => drop(done?),
        }
    }
    Ok(vec![counted_out(call.scope)])
}

/// Reads documents and makes them searchable, all of the call together.
pub(super) async fn ingest(call: &Call<'_>, documents: &[Told<KnowledgeBaseDocument>], held: &Held) -> Finished {
    let ids: Vec<&str> = documents.iter().map(|Told(told)| document_id(told)).collect();
    let _alone = call.knowledge.0.turns.of(call.source, held).await;
    let Some((base, source)) = call.place().await? else { return call.give_up(&ids).await };
    let task = held.task();
    let last = task.failures + 1 >= TRIES;
    let acting = call.knowledge.acting(call.scope, &base.value.role, Some(&base.arn));
    let embedder = match acting {
        Ok(acting) => Ok(Embedder::new(call.knowledge, acting, &base.value).await),
        Err(error) => Err(error),
    };
    let recipe = Recipe::of(&base, &source, call.id)?;
    let index = match call.knowledge.index(&base.id, &base.value).await {
        Err(error) if !last => return Err(error),
        opened => opened,
    };
    let (mut replaced, mut rows) = (Vec::new(), Vec::new());
    for Told(told) in documents {
        let Some(known) = call.row(document_id(told)).await? else { continue };
        let begun = Document { status: Status::InProgress, ..known.document.clone() };
        let begin = document::write(call.scope, call.source, &begun, Some(known.version))?;
        call.knowledge.0.resources.store().commit(begin.into()).await?;
        let read = match &embedder {
            _ if task.begun > DEATHS => {
                let why = format!("The server ended {DEATHS} times while it worked on this call.");
                Err(Unread::Left(Status::Failed, why))
            }
            Ok(embedder) => tokio::select! {
                read = read(embedder, &recipe, told) => read,
                () = call.unwanted() => return call.give_up(&ids).await,
            },
            Err(error) => Err(Unread::Left(Status::Failed, reasons::sentence(&error.to_string()))),
        };
        let (status, reason, marks, records) = match read {
            Ok((prepared, marks)) => {
                let status = if prepared.warning.is_some() { Status::PartiallyIndexed } else { Status::Indexed };
                (status, prepared.warning, marks, prepared.records)
            }
            Err(Unread::Left(status, reason)) => (status, Some(reason), Marks::default(), Vec::new()),
            Err(Unread::Later(why)) if !last => return Err(KnowledgeError::Validation(why)),
            Err(Unread::Later(why)) => (Status::Failed, Some(reasons::sentence(&why)), Marks::default(), Vec::new()),
            Err(Unread::Model(fault)) if embed::passes(fault.kind) && !last => {
                return Err(KnowledgeError::Model(fault));
            }
            Err(Unread::Model(fault)) => (Status::Failed, Some(fault.message), Marks::default(), Vec::new()),
        };
        let row = Document {
            status,
            reason,
            version: marks.version,
            sidecar: marks.sidecar,
            beside: marks.beside,
            chunks: u32::try_from(records.len()).unwrap_or(u32::MAX),
            by: Some((call.id.to_owned(), Did::Called)),
            id: begun.id,
        };
        replaced.push(call.replace(&row.id, records));
        rows.push((row, known.version + 1));
    }
    // A deletion waits for this turn before it forgets what the index has.
    if call.place().await?.is_none() {
        return call.give_up(&ids).await;
    }
    if !replaced.is_empty() {
        let written = match index {
            Ok(index) => index.replace(replaced).await.map_err(KnowledgeError::from),
            Err(error) => Err(error),
        };
        match written {
            Err(error) if !last => return Err(error),
            Err(error) => {
                for (row, _) in &mut rows {
                    (row.status, row.reason, row.chunks) = (Status::Failed, Some(error.to_string()), 0);
                }
            }
            Ok(()) => {}
        }
        let ops: Vec<_> = rows
            .iter()
            .map(|(row, known)| document::write(call.scope, call.source, row, Some(*known)))
            .collect::<Result<_, _>>()?;
        call.knowledge.0.resources.store().commit(Batch::new(ops)).await?;
    }
    Ok(vec![counted_out(call.scope)])
}

/// What a sync compares.
#[derive(Default)]
struct Marks {
    version: Option<String>,
    sidecar: Option<String>,
    beside: Option<String>,
}

/// Why a document was not read.
enum Unread {
    /// It is left out.
    Left(Status, String),
    /// It may be there later.
    Later(String),
    /// The embedding model failed.
    Model(Fault),
}

impl From<Unprepared> for Unread {
    fn from(why: Unprepared) -> Self {
        match why {
            Unprepared::Bad(failure) => {
                let (status, reason) = reasons::left(&failure);
                Self::Left(status, reason)
            }
            Unprepared::Model(fault) => Self::Model(fault),
            Unprepared::Later(why) => Self::Left(Status::Failed, reasons::sentence(&why)),
        }
    }
}

async fn read(embedder: &Embedder, recipe: &Recipe, told: &KnowledgeBaseDocument) -> Result<(Prepared, Marks), Unread> {
    let mut fetched = fetch(embedder, told).await.map_err(|error| match error {
        FetchError::Later(why) => Unread::Later(why),
        error => {
            let (status, reason) = reasons::unfetched(&error);
            Unread::Left(status, reason)
        }
    })?;
    let (version, sidecar) = (fetched.version.take(), fetched.sidecar_version.take());
    let mut prepared = prepare(recipe, embedder, document_id(told), fetched).await?;
    let marks = Marks { version, sidecar, beside: prepared.beside.take() };
    let texts = std::mem::take(&mut prepared.embedded);
    let vectors = embedder.vectors(texts).await.map_err(Unread::Model)?;
    for (record, vector) in prepared.records.iter_mut().zip(vectors) {
        record.vector = vector;
    }
    Ok((prepared, marks))
}

/// A document's bytes, from the call or from where the call says that they lie.
async fn fetch(embedder: &Embedder, told: &KnowledgeBaseDocument) -> Result<Fetched, FetchError> {
    let (buckets, acting) = (&embedder.knowledge.0.buckets, &embedder.acting);
    let custom = told.content.custom.as_ref();
    let uri = match custom {
        Some(custom) if custom.source_type == CustomSourceType::S3Location => {
            custom.s3_location.as_ref().map(|place| &place.uri)
        }
        Some(_) => None,
        None => told.content.s3.as_ref().map(|s3| &s3.s3_location.uri),
    };
    let mut fetched = match (uri, custom.and_then(|custom| custom.inline_content.as_ref())) {
        (Some(uri), _) => fetch_uri(buckets, acting, uri, false).await?,
        (None, Some(inline)) => match (&inline.text_content, &inline.byte_content) {
            (Some(text), _) => Fetched {
                bytes: Bytes::from(text.data.clone().into_bytes()),
                mime: Some("text/plain; charset=utf-8".to_owned()),
                ..Fetched::default()
            },
            (None, Some(bytes)) => {
                Fetched { bytes: bytes.data.clone(), mime: Some(bytes.mime_type.clone()), ..Fetched::default() }
            }
            (None, None) => return Err(FetchError::Bad("it has no content".to_owned())),
        },
        (None, None) => return Err(FetchError::Bad("it has no content".to_owned())),
    };
    let Some(metadata) = &told.metadata else { return Ok(fetched) };
    if let Some(attributes) = &metadata.inline_attributes {
        fetched.sidecar = Some(Sidecar::inline(attributes).map_err(FetchError::Bad)?);
    } else if let Some((bucket, key)) = metadata.s3_location.as_ref().and_then(|place| parts(&place.uri)) {
        let content = buckets.get(acting, bucket, key, MAX_SIDECAR).await;
        let content = content.map_err(|error| sources::unread(bucket, &error))?;
        fetched.sidecar = Some(Sidecar::read(&content.bytes).map_err(FetchError::Bad)?);
        fetched.sidecar_version = Some(sources::mark(&content.object));
    }
    Ok(fetched)
}

/// Which document it is.
fn document_id(told: &KnowledgeBaseDocument) -> &str {
    match (&told.content.custom, &told.content.s3) {
        (Some(custom), _) => &custom.custom_document_identifier.id,
        (None, Some(s3)) => &s3.s3_location.uri,
        (None, None) => "",
    }
}

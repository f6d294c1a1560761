//! Documents without a sync: ingest, get, list, delete.

mod checked;

use outcrop_access::Context;
use outcrop_api::bedrock_agent::{
    ContentDataSourceType, CustomDocumentIdentifier, DataSourceType, DeleteKnowledgeBaseDocumentsRequest,
    DeleteKnowledgeBaseDocumentsResponse, DocumentIdentifier, DocumentStatus, GetKnowledgeBaseDocumentsRequest,
    GetKnowledgeBaseDocumentsResponse, IngestKnowledgeBaseDocumentsRequest, IngestKnowledgeBaseDocumentsResponse,
    KnowledgeBaseDocumentDetail as Shown, ListKnowledgeBaseDocumentsRequest, ListKnowledgeBaseDocumentsResponse,
    S3Location,
};
use outcrop_resources::{Error, Ids, Op, Page, Resource, Scope};
use outcrop_store::{Batch, ClientToken, Cursor, Error as StoreError, Query, Receipt};
use outcrop_wire::shape::Structure;
use sha2::{Digest, Sha256};

use super::bases::usable;
use super::{broken, sources};
use crate::base::scope;
use crate::ingest::Work;
use crate::ingest::document::{self, Did, Document, Known, Status};
use crate::kept::{DOCUMENT, DataSource, KnowledgeBase, State, Told};
use crate::{Knowledge, KnowledgeError};

/// Calls of an account whose documents are not dealt with yet (AWS's quota).
const MAX_CALLS: i64 = 10;
const COUNTER: &str = "document-calls";

/// Has documents read and made searchable.
pub async fn ingest(
    cx: &Context,
    knowledge: &Knowledge,
    mut input: IngestKnowledgeBaseDocumentsRequest,
) -> Result<IngestKnowledgeBaseDocumentsResponse, KnowledgeError> {
    let token = input.client_token.take();
    let once = Once::of(token, "IngestKnowledgeBaseDocuments", &input, &input.data_source_id);
    let action = "bedrock:IngestKnowledgeBaseDocuments";
    let mut place = place(cx, knowledge, action, &input.knowledge_base_id, &input.data_source_id).await?;
    place.writable()?;
    if place.source.value.kind() == DataSourceType::S3 && !place.source.value.synced {
        return broken(
            "The data source has not been synced. Start an ingestion job for it before you ingest documents directly.",
        );
    }
    let mut ids = Vec::new();
    for told in &input.documents {
        let id = checked::document(cx, told, &place.source.value)?;
        if ids.contains(&id) {
            return broken(format!("The document {id} is in the request more than once."));
        }
        ids.push(id);
    }
    let call = Ids::Lower.generate()?;
    let documents = input.documents.into_iter().map(Told).collect();
    let (base, source) = (place.base.id.clone(), place.source.id.clone());
    let work = Work::Documents { base, source, call: call.clone(), documents };
    let details = place.mark(knowledge, &ids, &call, Status::Starting, work, once).await?;
    Ok(IngestKnowledgeBaseDocumentsResponse { document_details: Some(details) })
}

/// Tells documents by their ids.
pub async fn get(
    cx: &Context,
    knowledge: &Knowledge,
    input: GetKnowledgeBaseDocumentsRequest,
) -> Result<GetKnowledgeBaseDocumentsResponse, KnowledgeError> {
    let action = "bedrock:GetKnowledgeBaseDocuments";
    let place = place(cx, knowledge, action, &input.knowledge_base_id, &input.data_source_id).await?;
    let ids = input.document_identifiers.iter().map(|one| checked::identifier(one, &place.source.value));
    let ids: Vec<String> = ids.collect::<Result<_, _>>()?;
    let details = place.told(knowledge, &ids).await?;
    Ok(GetKnowledgeBaseDocumentsResponse { document_details: Some(details) })
}

/// Lists a data source's documents, in the order in which they came.
pub async fn list(
    cx: &Context,
    knowledge: &Knowledge,
    input: ListKnowledgeBaseDocumentsRequest,
) -> Result<ListKnowledgeBaseDocumentsResponse, KnowledgeError> {
    let action = "bedrock:ListKnowledgeBaseDocuments";
    let place = place(cx, knowledge, action, &input.knowledge_base_id, &input.data_source_id).await?;
    let page = Page {
        operation: "ListKnowledgeBaseDocuments",
        max_results: input.max_results,
        next_token: input.next_token.as_deref(),
        parent: Some(&place.source.id),
        ..Page::default()
    };
    let pager = knowledge.0.resources.pager(place.scope, &page)?;
    let after = pager.start().map(|place| place.parse().map(Cursor).map_err(|_| pager.invalid())).transpose()?;
    let query = Query {
        scope: place.scope.owned(),
        kind: DOCUMENT.to_owned(),
        parent: Some(place.source.id.clone()),
        after,
        order: Default::default(),
        limit: pager.limit() + 1,
    };
    let mut rows = knowledge.0.resources.store().list(query).await?;
    let more = rows.len() > pager.limit();
    rows.truncate(pager.limit());
    let last = rows.last().filter(|_| more).map(|row| row.cursor.0);
    let next_token = last.map(|cursor| pager.seal(&cursor.to_string())).transpose()?;
    let mut document_details = Vec::with_capacity(rows.len());
    for row in &rows {
        let known = document::read(row)?;
        document_details.push(place.shown(&known.document.id, Some(&known)));
    }
    Ok(ListKnowledgeBaseDocumentsResponse { document_details, next_token })
}

/// Has documents removed.
pub async fn delete(
    cx: &Context,
    knowledge: &Knowledge,
    mut input: DeleteKnowledgeBaseDocumentsRequest,
) -> Result<DeleteKnowledgeBaseDocumentsResponse, KnowledgeError> {
    let token = input.client_token.take();
    let once = Once::of(token, "DeleteKnowledgeBaseDocuments", &input, &input.data_source_id);
    let action = "bedrock:DeleteKnowledgeBaseDocuments";
    let mut place = place(cx, knowledge, action, &input.knowledge_base_id, &input.data_source_id).await?;
    place.writable()?;
    let mut ids: Vec<String> = Vec::new();
    for identifier in &input.document_identifiers {
        let id = checked::identifier(identifier, &place.source.value)?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    let call = Ids::Lower.generate()?;
    let (base, source) = (place.base.id.clone(), place.source.id.clone());
    let work = Work::Remove { base, source, call: call.clone(), ids: ids.clone() };
    let details = place.mark(knowledge, &ids, &call, Status::Deleting, work, once).await?;
    Ok(DeleteKnowledgeBaseDocumentsResponse { document_details: Some(details) })
}

/// The step that counts a call out, when its documents are dealt with.
pub(crate) fn counted_out(scope: Scope<'_>) -> Op {
    Op::Add { scope: scope.owned(), counter: COUNTER.to_owned(), by: -1, min: 0, max: i64::MAX }
}

/// A caller's idempotency token, the operation it came with, and a digest of the request beside it.
struct Once {
    token: String,
    operation: &'static str,
    fingerprint: Vec<u8>,
}

impl Once {
    /// `source` stands in the path of a request, and is no part of its body.
    fn of(token: Option<String>, operation: &'static str, request: &dyn Structure, source: &str) -> Option<Self> {
        let fingerprint = || Sha256::digest(outcrop_wire::encode::body(request, source.into())).to_vec();
        token.map(|token| Self { token, operation, fingerprint: fingerprint() })
    }
}

/// Where documents belong.
struct Place<'a> {
    scope: Scope<'a>,
    base: Resource<KnowledgeBase>,
    source: Resource<DataSource>,
}

async fn place<'a>(
    cx: &'a Context,
    knowledge: &Knowledge,
    action: &str,
    base: &str,
    source: &str,
) -> Result<Place<'a>, KnowledgeError> {
    let base = knowledge.may(cx, action, base).await?;
    let source = knowledge.source(scope(cx), &base.id, source).await?;
    Ok(Place { scope: scope(cx), base, source })
}

impl Place<'_> {
    fn writable(&self) -> Result<(), KnowledgeError> {
        usable(&self.base)?;
        if self.source.value.state == State::Ready { Ok(()) } else { Err(sources::deleting(&self.source.id)) }
    }

    /// Marks rows as this call's, and has the work done, in one step; what `once` has had done is not done again. A later
    /// call takes a row over.
    async fn mark(
        &mut self,
        knowledge: &Knowledge,
        ids: &[String],
        call: &str,
        status: Status,
        work: Work,
        once: Option<Once>,
    ) -> Result<Vec<Shown>, KnowledgeError> {
        // The token goes when the first of its documents does.
        let once = once.zip(ids.first()).map(|(once, first)| ClientToken {
            scope: self.scope.owned(),
            operation: once.operation.to_owned(),
            token: once.token,
            fingerprint: once.fingerprint,
            makes: document::key(self.scope, &self.source.id, first),
        });
        loop {
            let source = &self.source.id;
            let count =
                Op::Add { scope: self.scope.owned(), counter: COUNTER.to_owned(), by: 1, min: 0, max: MAX_CALLS };
            let mut ops = vec![
                knowledge.require_base(self.scope, &self.base),
                knowledge.require_source(self.scope, &self.source),
                count,
                work.enqueue(knowledge, self.scope, Some(&self.base.value.role))?,
            ];
            let mut details = Vec::new();
            for id in ids {
                let known = document::get(knowledge, self.scope, source, id).await?;
                let version = known.as_ref().map(|known| known.version);
                let row = match known {
                    None if status == Status::Deleting => {
                        details.push(self.shown(id, None));
                        continue;
                    }
                    found => Document {
                        id: id.clone(),
                        status,
                        reason: None,
                        by: Some((call.to_owned(), Did::Called)),
                        ..found.map(|found| found.document).unwrap_or_default()
                    },
                };
                ops.push(document::write(self.scope, source, &row, version)?);
                let known = Known { document: row, version: 0, updated: jiff::Timestamp::now() };
                details.push(self.shown(id, Some(&known)));
            }
            match knowledge.0.resources.store().commit(Batch::new(ops).once(once.clone())).await {
                Ok(Receipt::Replayed(_)) => return self.told(knowledge, ids).await,
                Err(StoreError::TokenReused) => return Err(Error::TokenReused.into()),
                // Another call has written one of the rows in between, or the place itself.
                Err(StoreError::Stale { .. } | StoreError::Exists { .. } | StoreError::Missing { .. }) => {
                    (self.base, self.source) = knowledge.ready(self.scope, &self.base.id, &self.source.id).await?;
                }
                Err(StoreError::OutOfBounds { .. }) => {
                    return Err(KnowledgeError::Quota(format!(
                        "Your account has reached the maximum of {MAX_CALLS} concurrent IngestKnowledgeBaseDocuments and \
                         DeleteKnowledgeBaseDocuments requests. Wait for their documents to be dealt with, then retry."
                    )));
                }
                done => {
                    done.map_err(Error::from)?;
                    knowledge.0.runner.wake();
                    return Ok(details);
                }
            }
        }
    }

    /// What is known of documents.
    async fn told(&self, knowledge: &Knowledge, ids: &[String]) -> Result<Vec<Shown>, KnowledgeError> {
        let mut details = Vec::with_capacity(ids.len());
        for id in ids {
            let known = document::get(knowledge, self.scope, &self.source.id, id).await?;
            details.push(self.shown(id, known.as_ref()));
        }
        Ok(details)
    }

    fn shown(&self, id: &str, known: Option<&Known>) -> Shown {
        let custom = self.source.value.kind() == DataSourceType::Custom;
        let s3 = S3Location { uri: id.to_owned() };
        Shown {
            knowledge_base_id: self.base.id.clone(),
            data_source_id: self.source.id.clone(),
            status: known.map_or(DocumentStatus::NotFound, |known| known.document.status.as_str().into()),
            identifier: DocumentIdentifier {
                data_source_type: if custom { ContentDataSourceType::Custom } else { ContentDataSourceType::S3 },
                custom: custom.then(|| CustomDocumentIdentifier { id: id.to_owned() }),
                s3: (!custom).then_some(s3),
            },
            status_reason: known.and_then(|known| known.document.reason.clone()),
            updated_at: known.map(|known| known.updated),
        }
    }
}

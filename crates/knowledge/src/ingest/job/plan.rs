//! What a job has to do.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;

use super::{Halt, Run};
use crate::ingest::document::{self, Did, Document, Known, Status};
use crate::ingest::reasons;
use crate::ingest::sources::{Item, Listing};
use crate::kept::Statistics;

/// What a job found, and what it has come to so far.
pub(super) struct Plan {
    /// When the listing began. What a call has done since may not be in it.
    began: Timestamp,
    /// Documents to read.
    pub todo: Vec<Todo>,
    /// All that is there, and what is not provably gone.
    pub there: HashSet<String>,
    /// Whether there may be more than that; then only `gone` is gone.
    pub partial: bool,
    /// What is surely gone.
    pub gone: HashSet<String>,
    /// What was done, by this process or one before it.
    pub statistics: Statistics,
    /// Documents that were left out, by reason.
    pub failed: BTreeMap<String, Vec<String>>,
    /// What else is to be told of the job: what it left undone that is no single document.
    pub notes: Vec<String>,
}

/// A document to read.
pub(super) struct Todo {
    pub item: Item,
    /// What is known of it; none where nothing is yet.
    pub known: Option<Known>,
    /// What it will have been.
    pub did: Did,
}

impl Todo {
    /// Its row's version.
    pub fn version(&self) -> Option<u64> {
        self.known.as_ref().map(|known| known.version)
    }

    /// Whether it has chunks in the index.
    pub fn indexed(&self) -> bool {
        self.known.as_ref().is_some_and(|known| known.document.chunks > 0)
    }
}

impl Run<'_> {
    /// Compares what is there with what is known.
    pub(super) async fn plan(&self, listing: Listing, began: Timestamp) -> Result<Plan, Halt> {
        let mut plan = Plan {
            began,
            todo: Vec::new(),
            there: HashSet::new(),
            partial: listing.partial,
            gone: listing.gone,
            statistics: Statistics::default(),
            failed: BTreeMap::new(),
            notes: listing.notes,
        };
        plan.statistics.scanned = (listing.items.len() + listing.kept.len()) as u64;
        plan.statistics.skipped = listing.skipped;
        for (id, why) in listing.kept {
            plan.there.insert(id.clone());
            plan.fail(id, reasons::sentence(&why));
        }
        plan.statistics.metadata_scanned = listing.sidecars;
        // An index that was lost, as after a restored backup, has nothing of what is known of its documents.
        let lost = !self.elsewhere && self.index.stats().await?.chunks == 0;
        for item in listing.items {
            plan.there.insert(item.id.clone());
            let known = document::get(self.knowledge, self.scope, &self.recipe.source, &item.id).await?;
            match known.as_ref().map(|known| &known.document) {
                Some(document) if self.is_done(document, &item) => plan.count(document),
                // A call is about to change it, or has asked for it to go.
                Some(document) if document.status.waits() => {}
                Some(document) if !lost && is_current(document, &item) => {}
                found => plan.todo.push(Todo { did: did(found, &item), item, known }),
            }
        }
        Ok(plan)
    }

    /// Whether this job has dealt with it, before its process died.
    fn is_done(&self, known: &Document, item: &Item) -> bool {
        known.by.as_ref().is_some_and(|(job, _)| *job == self.id) && same(known, item)
    }
}

impl Plan {
    /// Whether a document has gone from the source. Where not everything could be looked at, what was not found may be
    /// there; and what a call is about to change, or has changed since the listing began, is the call's.
    pub(super) fn lacks(&self, known: &Known) -> bool {
        let document = &known.document;
        !self.there.contains(&document.id)
            && (!self.partial || self.gone.contains(&document.id))
            && !document.status.waits()
            && known.updated < self.began
    }

    /// Counts a document that could not be read, and stays as it is known, if it is.
    pub(super) fn fail(&mut self, id: String, reason: String) {
        self.statistics.failed += 1;
        self.failed.entry(reason).or_default().push(id);
    }

    /// Counts what was done to a document.
    pub(super) fn count(&mut self, document: &Document) {
        let statistics = &mut self.statistics;
        match document.by {
            Some((_, Did::New)) => {
                statistics.new += 1;
                statistics.chunks += u64::from(document.chunks);
            }
            Some((_, Did::Modified { sidecar })) => {
                statistics.modified += 1;
                statistics.chunks += u64::from(document.chunks);
                statistics.metadata_modified += u64::from(sidecar);
            }
            Some((_, Did::Sidecar)) => statistics.metadata_modified += 1,
            Some((_, Did::Failed)) => {
                statistics.failed += 1;
                let cause = reasons::cause(document.reason.as_deref().unwrap_or_default());
                self.failed.entry(cause.to_owned()).or_default().push(document.id.clone());
            }
            Some((_, Did::Called)) | None => {}
        }
    }
}

fn same(known: &Document, item: &Item) -> bool {
    known.version.as_deref() == Some(&*item.version) && known.sidecar == item.sidecar
}

/// Whether the index has it as it is. What failed is read again.
fn is_current(known: &Document, item: &Item) -> bool {
    known.status.searchable() && known.status != Status::MetadataUpdateFailed && same(known, item)
}

fn did(known: Option<&Document>, item: &Item) -> Did {
    match known {
        Some(known) if known.status.searchable() || known.chunks > 0 => {
            let sidecar = known.sidecar != item.sidecar || known.status == Status::MetadataUpdateFailed;
            if known.version.as_deref() == Some(&*item.version) && sidecar {
                Did::Sidecar
            } else {
                Did::Modified { sidecar }
            }
        }
        _ => Did::New,
    }
}

/// A row as it is when its document was read.
pub(super) fn dealt(todo: &Todo, job: &str, status: Status, reason: Option<String>, chunks: usize) -> Document {
    let did = if status.searchable() { todo.did } else { Did::Failed };
    Document {
        id: todo.item.id.clone(),
        status,
        reason,
        version: Some(todo.item.version.clone()),
        sidecar: todo.item.sidecar.clone(),
        beside: None,
        chunks: u32::try_from(chunks).unwrap_or(u32::MAX),
        by: Some((job.to_owned(), did)),
    }
}

/// The same when only its attributes were changed, or could not be, and why.
pub(super) fn described(todo: &Todo, job: &str, failed: Option<String>) -> Document {
    let known = todo.known.as_ref().map(|known| known.document.clone()).unwrap_or_default();
    if failed.is_some() {
        // Its mark stays the old sidecar's: it is tried again.
        let by = Some((job.to_owned(), Did::Failed));
        return Document { status: Status::MetadataUpdateFailed, reason: failed, by, ..known };
    }
    let partly = known.status == Status::PartiallyIndexed;
    Document {
        status: if partly { Status::PartiallyIndexed } else { Status::Indexed },
        reason: known.reason.filter(|_| partly),
        sidecar: todo.item.sidecar.clone(),
        by: Some((job.to_owned(), todo.did)),
        ..known
    }
}

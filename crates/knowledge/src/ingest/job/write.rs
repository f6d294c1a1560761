//! What a job writes: first the index, then what is known of it. Between the two a crash does no harm, since what is
//! not known is done again, and comes to the same.

use std::collections::HashMap;

use outcrop_resources::Op;
use outcrop_store::{Cursor, Document as Row, Key, Query};
use outcrop_vectors::{Metadata, Replace};
use tokio::sync::MutexGuard;

use super::plan::{Plan, dealt, described};
use super::{Halt, One, Outcome, Run, reasons};
use crate::ingest::document::{self, Document, Status};
use crate::kept::{DOCUMENT, Statistics};
use crate::keys;

/// Why a document was left out that was listed and is not there any more.
const VANISHED: &str = "It was deleted while the job ran.";
/// Rows that are looked at together.
const STRIDE: usize = 500;

impl Run<'_> {
    /// Writes documents that have their vectors, and those that were left out. One that a call has taken over since it
    /// was planned is the call's.
    pub(super) async fn write(&self, group: Vec<One>, plan: &mut Plan) -> Result<(), Halt> {
        let _alone = self.turn().await?;
        let (mut replaced, mut rows, mut vanished) = (Vec::new(), Vec::new(), Vec::new());
        for One { todo, outcome, .. } in group {
            let key = document::key(self.scope, &self.recipe.source, &todo.item.id);
            if !self.is_as_read(key, todo.version()).await? {
                continue;
            }
            let (status, reason, beside, records) = match outcome {
                Outcome::Ready(prepared) => {
                    let status = if prepared.warning.is_some() { Status::PartiallyIndexed } else { Status::Indexed };
                    (status, prepared.warning, prepared.beside, prepared.records)
                }
                Outcome::Left(status, reason) => (status, Some(reason), None, Vec::new()),
                Outcome::Described(metadata) => {
                    let failed = self.describe(&todo.item.id, metadata).await?;
                    rows.push((described(&todo, &self.id, failed), todo));
                    continue;
                }
                Outcome::Undescribed(reason) => {
                    rows.push((described(&todo, &self.id, Some(reason)), todo));
                    continue;
                }
                Outcome::Kept(reason) => {
                    plan.fail(todo.item.id, reason);
                    continue;
                }
                Outcome::Gone => {
                    plan.there.remove(&todo.item.id);
                    if todo.known.is_some() {
                        replaced.push(self.replace(&todo.item.id, Vec::new()));
                    }
                    vanished.push(todo);
                    continue;
                }
            };
            let row = Document { beside, ..dealt(&todo, &self.id, status, reason, records.len()) };
            if !records.is_empty() || todo.known.is_some() {
                replaced.push(self.replace(&todo.item.id, records));
            }
            rows.push((row, todo));
        }
        let refused = self.put(replaced).await?;
        let (mut ops, mut gone) = (Vec::new(), 0);
        for todo in vanished.into_iter().filter(|todo| !refused.contains_key(&todo.item.id)) {
            if let Some(known) = &todo.known {
                let key = document::key(self.scope, &self.recipe.source, &todo.item.id);
                ops.push(Op::Delete { key, expect: Some(known.version) });
            }
            // It was scanned, so it counts: as deleted where it could be found, as failed where it never could.
            match todo.indexed() {
                true => gone += 1,
                false => plan.fail(todo.item.id, VANISHED.to_owned()),
            }
        }
        for (mut row, todo) in rows {
            if let Some(reason) = refused.get(&row.id) {
                row = dealt(&todo, &self.id, Status::Failed, Some(reason.clone()), 0);
            }
            plan.count(&row);
            ops.push(document::write(self.scope, &self.recipe.source, &row, todo.version())?);
        }
        self.keep(ops, plan.statistics, gone).await
    }

    /// Keeps what is known of documents. A call needs no turn to take a document over: its row stays the call's, which
    /// has the next turn and writes the index anew.
    async fn keep(&self, mut ops: Vec<Op>, now: Statistics, deleted: u64) -> Result<(), Halt> {
        loop {
            let error = match self.told(ops.clone(), now, deleted).await {
                Err(Halt::Later(error)) => error,
                told => return told,
            };
            let mut still = Vec::with_capacity(ops.len());
            for op in &ops {
                let (key, was) = match op {
                    Op::Insert(new) => (&new.key, None),
                    Op::Put { key, expect, .. } | Op::Delete { key, expect } => (key, *expect),
                    _ => continue,
                };
                if self.is_as_read(key.clone(), was).await? {
                    still.push(op.clone());
                }
            }
            if still.len() == ops.len() {
                return Err(Halt::Later(error));
            }
            ops = still;
        }
    }

    /// The turn to write its documents, which a call may have for as long as it reads.
    async fn turn(&self) -> Result<MutexGuard<'_, ()>, Halt> {
        tokio::select! {
            turn = self.knowledge.0.turns.of(&self.recipe.source, self.held) => Ok(turn),
            halt = self.halted() => Err(halt),
        }
    }

    /// Whether a row is still of the version that was read; none where there was no row.
    async fn is_as_read(&self, key: Key, was: Option<u64>) -> Result<bool, Halt> {
        let found = self.knowledge.0.resources.store().get(key).await?;
        Ok(found.map(|row| row.version) == was)
    }

    /// Gives a document's chunks other attributes; why an engine elsewhere refuses, where it does to the last.
    async fn describe(&self, document: &str, metadata: Metadata) -> Result<Option<String>, Halt> {
        match self.index.describe(&self.recipe.source, document, &keys::OF_CHUNKS, metadata).await {
            Ok(()) => Ok(None),
            Err(error) if self.elsewhere && self.last => Ok(Some(reasons::store(&error.to_string()))),
            Err(error) => Err(error.into()),
        }
    }

    /// Why nothing that has gone may be removed, where it may not. A connector's deletion protection keeps everything
    /// where more than its share of the documents would go.
    pub(super) async fn protected(&self, plan: &Plan) -> Result<Option<String>, Halt> {
        let Some(percent) = self.deletes_at_most else { return Ok(None) };
        let (mut after, mut all, mut gone) = (None, 0_u64, 0_u64);
        loop {
            let rows = self.rows(after).await?;
            let Some(last) = rows.last() else { break };
            after = Some(last.cursor);
            for row in &rows {
                let known = document::read(row)?;
                let indexed = known.document.chunks > 0;
                all += u64::from(indexed);
                gone += u64::from(indexed && plan.lacks(&known));
            }
        }
        if gone * 100 <= all * u64::from(percent) {
            return Ok(None);
        }
        tracing::warn!(job = self.id, gone, all, percent, "deletion protection keeps what has gone from a source");
        Ok(Some(format!(
            "Deletion protection: {gone} of {all} documents have gone from the source, more than {percent} %. None of \
             them was deleted: they are still found. To have them deleted, raise deletionProtectionThreshold, or disable \
             the protection, and sync again."
        )))
    }

    /// The next rows of its documents.
    async fn rows(&self, after: Option<Cursor>) -> Result<Vec<Row>, Halt> {
        let query = Query {
            scope: self.scope.owned(),
            kind: DOCUMENT.to_owned(),
            parent: Some(self.recipe.source.clone()),
            after,
            order: Default::default(),
            limit: STRIDE,
        };
        Ok(self.knowledge.0.resources.store().list(query).await?)
    }

    /// Writes documents to the index; the reasons of those that an engine elsewhere refuses. Where it refuses all, it
    /// is thought to be away for a while, until the job's last try.
    async fn put(&self, documents: Vec<Replace>) -> Result<HashMap<String, String>, Halt> {
        if documents.is_empty() {
            return Ok(HashMap::new());
        }
        if !self.elsewhere {
            self.index.replace(documents).await?;
            return Ok(HashMap::new());
        }
        let Err(mut last) = self.index.replace(documents.clone()).await else { return Ok(HashMap::new()) };
        let (mut refused, count, mut taken) = (HashMap::new(), documents.len(), false);
        for document in documents {
            let id = document.document.clone();
            // Two in a row, and nothing taken: it is not the documents.
            if taken || refused.len() < 2 {
                match self.index.replace(vec![document]).await {
                    Ok(()) => {
                        taken = true;
                        continue;
                    }
                    Err(error) => last = error,
                }
            }
            refused.insert(id, reasons::store(&last.to_string()));
        }
        if refused.len() == count && !self.last {
            return Err(last.into());
        }
        Ok(refused)
    }

    /// Removes what its source does not have any more.
    pub(super) async fn remove_gone(&self, plan: &Plan) -> Result<(), Halt> {
        let mut after = None;
        loop {
            let _alone = self.turn().await?;
            let rows = self.rows(after).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = Some(last.cursor);
            let (mut removed, mut ops, mut indexed) = (Vec::new(), Vec::new(), 0);
            for row in &rows {
                let known = document::read(row)?;
                if !plan.lacks(&known) {
                    continue;
                }
                indexed += u64::from(known.document.chunks > 0);
                ops.push(Op::Delete { key: row.key.clone(), expect: Some(known.version) });
                removed.push(self.replace(&known.document.id, Vec::new()));
            }
            if !removed.is_empty() {
                self.index.replace(removed).await?;
                self.keep(ops, plan.statistics, indexed).await?;
            }
        }
    }
}

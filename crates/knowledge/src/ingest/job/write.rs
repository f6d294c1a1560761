//! What a job writes: first the index, then what is known of it. Between the two a crash does no harm, since what is
//! not known is done again, and comes to the same.

use outcrop_resources::Op;
use outcrop_store::{Cursor, Document as Row, Query};

use super::plan::{Plan, dealt};
use super::{Halt, One, Outcome, Run};
use crate::ingest::document::{self, Status};
use crate::kept::DOCUMENT;

/// Rows that are looked at together.
const STRIDE: usize = 500;

impl Run<'_> {
    /// Writes documents that have their vectors, and those that were left out.
    pub(super) async fn write(&self, group: Vec<One>, plan: &mut Plan) -> Result<(), Halt> {
        let mut replaced = Vec::new();
        let mut ops = Vec::new();
        let mut gone = 0;
        for One { todo, outcome } in group {
            let (status, reason, records) = match outcome {
                Outcome::Ready(prepared) => {
                    let status = if prepared.warning.is_some() { Status::PartiallyIndexed } else { Status::Indexed };
                    (status, prepared.warning, prepared.records)
                }
                Outcome::Failed(reason) => (Status::Failed, Some(reason), Vec::new()),
                Outcome::Gone => {
                    plan.there.remove(&todo.item.id);
                    if todo.known.is_some() {
                        replaced.push(self.replace(&todo.item.id, Vec::new()));
                        ops.push(Op::Discard { key: document::key(self.scope, &self.recipe.source, &todo.item.id) });
                        gone += u64::from(todo.indexed);
                    }
                    continue;
                }
            };
            let row = dealt(&todo, &self.id, status, reason, records.len());
            plan.count(&row);
            ops.push(document::write(self.scope, &self.recipe.source, &row, todo.known)?);
            if !records.is_empty() || todo.known.is_some() {
                replaced.push(self.replace(&todo.item.id, records));
            }
        }
        if !replaced.is_empty() {
            self.index.replace(replaced).await?;
        }
        self.told(ops, plan.statistics, gone).await
    }

    /// Whether what has gone may be removed. A connector's deletion protection keeps everything where more than its
    /// share of the documents would go.
    async fn may_remove(&self, plan: &Plan) -> Result<bool, Halt> {
        let Some(percent) = self.deletes_at_most else { return Ok(true) };
        let (mut after, mut all, mut gone) = (None, 0_u64, 0_u64);
        loop {
            let rows = self.rows(after).await?;
            let Some(last) = rows.last() else { break };
            after = Some(last.cursor);
            for row in &rows {
                let known = document::read(row)?.document;
                all += u64::from(known.chunks > 0);
                gone += u64::from(known.chunks > 0 && !plan.there.contains(&known.id));
            }
        }
        let may = gone * 100 <= all * u64::from(percent);
        if !may {
            tracing::warn!(job = self.id, gone, all, percent, "deletion protection keeps what has gone from a source");
        }
        Ok(may)
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

    /// Removes what its source does not have any more.
    pub(super) async fn remove_gone(&self, plan: &Plan) -> Result<(), Halt> {
        if !self.may_remove(plan).await? {
            return Ok(());
        }
        let mut after = None;
        loop {
            let rows = self.rows(after).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = Some(last.cursor);
            let (mut removed, mut ops, mut indexed) = (Vec::new(), Vec::new(), 0);
            for row in &rows {
                let known = document::read(row)?.document;
                // What a call is about to change is the call's.
                if known.status.waits() || plan.there.contains(&known.id) {
                    continue;
                }
                indexed += u64::from(known.chunks > 0);
                ops.push(Op::Discard { key: row.key.clone() });
                removed.push(self.replace(&known.id, Vec::new()));
            }
            if !removed.is_empty() {
                self.index.replace(removed).await?;
                self.told(ops, plan.statistics, indexed).await?;
            }
        }
    }
}

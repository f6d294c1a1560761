//! The one thread that writes. It takes every batch that is waiting, runs each in a savepoint of one transaction,
//! commits once and only then answers them all: many callers share the price of one fsync.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot, watch};

use super::apply::{self, Failure, Transaction};
use super::mark::Mark;
use super::{Options, PATIENCE, open};
use crate::vault::Vault;
use crate::{Batch, Error, Op, Receipt, Result, Ticks};

/// Batches that share a commit, at most: bounds how long the first one waits for the last.
const GROUP: usize = 256;

struct Command {
    batch: Batch,
    answer: oneshot::Sender<Result<Receipt>>,
}

pub(super) struct Writer {
    commands: Option<mpsc::Sender<Command>>,
    ticks: Ticks,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(
        connection: Connection,
        path: PathBuf,
        vault: Arc<Vault>,
        mark: Arc<Mark>,
        options: &Options,
    ) -> Result<Self> {
        let (commands, queue) = mpsc::channel(options.queue.max(1));
        let (tick, ticks) = watch::channel(0);
        let keep = options.keep_changes.max(1); // The last one holds the feed's place.
        let database = Database { connection, path, vault, mark, keep_changes: keep };
        let thread = std::thread::Builder::new().name("store".to_owned()).spawn(move || run(&database, queue, &tick));
        let thread = thread.map_err(|error| Error::io("starting the store's thread", &error))?;
        Ok(Self { commands: Some(commands), ticks, thread: Some(thread) })
    }

    pub(super) async fn commit(&self, batch: Batch) -> Result<Receipt> {
        let commands = self.commands.as_ref().ok_or(Error::Closed)?;
        let (answer, answered) = oneshot::channel();
        let place = tokio::time::timeout(PATIENCE, commands.reserve()).await.map_err(|_| Error::Busy)?;
        place.map_err(|_| Error::Closed)?.send(Command { batch, answer });
        answered.await.map_err(|_| Error::Closed)?
    }

    pub(super) fn watch(&self) -> Ticks {
        self.ticks.clone()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.commands.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What the thread owns.
struct Database {
    connection: Connection,
    path: PathBuf,
    vault: Arc<Vault>,
    mark: Arc<Mark>,
    keep_changes: u64,
}

fn run(database: &Database, mut queue: mpsc::Receiver<Command>, tick: &watch::Sender<u64>) {
    let connection = &database.connection;
    while let Some(first) = queue.blocking_recv() {
        let mut group = vec![first];
        while group.len() < GROUP
            && let Ok(next) = queue.try_recv()
        {
            group.push(next);
        }
        let (batches, answers): (Vec<_>, Vec<_>) = group.into_iter().map(|it| (it.batch, it.answer)).unzip();
        let deletes = |batch: &Batch| batch.ops.iter().any(|op| matches!(op, Op::DeleteSecret { .. }));
        let fewer_secrets = batches.iter().any(deletes);
        let results = match commit(database, batches) {
            Ok(results) => results,
            Err(error) => {
                // Nothing of the group is in the database, so every caller is told so.
                let error = open::explain_at(&database.path, "writing", &error);
                tracing::error!(%error, batches = answers.len(), "commit failed");
                if !connection.is_autocommit() && connection.execute_batch("ROLLBACK").is_err() {
                    return; // A transaction that can neither end nor go back: the rest is told Closed.
                }
                answers.iter().map(|_| Err(error.clone())).collect()
            }
        };
        // Between the commit and its word.
        if fewer_secrets && let Err(error) = database.mark.renew() {
            tracing::error!(%error, "what has just lost a secret may keep it for a moment");
        }
        let committed = results.iter().any(|result| matches!(result, Ok(Receipt::Done(_))));
        for (answer, result) in answers.into_iter().zip(results) {
            let _ = answer.send(result); // The caller may have gone; what it asked for is done all the same.
        }
        if committed {
            tick.send_modify(|count| *count += 1);
        }
    }
}

/// One transaction for the group. A batch that fails a condition leaves no trace; a fault of the database fails all.
fn commit(database: &Database, group: Vec<Batch>) -> rusqlite::Result<Vec<Result<Receipt>>> {
    let Database { connection, vault, keep_changes, .. } = database;
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let transaction = Transaction::new(connection, vault, *keep_changes);
    let mut results = Vec::with_capacity(group.len());
    for batch in group {
        connection.prepare_cached("SAVEPOINT batch")?.execute(())?;
        let result = match apply::batch(&transaction, batch) {
            Ok(receipt) => Ok(receipt),
            Err(Failure::Condition(error)) => {
                connection.prepare_cached("ROLLBACK TO batch")?.execute(())?;
                Err(error)
            }
            Err(Failure::Database(error)) => return Err(error),
        };
        connection.prepare_cached("RELEASE batch")?.execute(())?;
        results.push(result);
    }
    connection.execute_batch("COMMIT")?;
    Ok(results)
}

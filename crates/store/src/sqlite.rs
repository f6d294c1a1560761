//! The embedded backend: one SQLite database in WAL mode, one thread that writes, a few connections that read.

mod apply;
mod documents;
mod keys;
mod mark;
mod migrate;
mod open;
mod queue;
mod read;
mod rewrap;
mod rotate;
mod seal;
pub(crate) mod snapshot;
mod writer;

#[cfg(test)]
mod tests;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::Connection;
use tokio::sync::Semaphore;

pub(crate) use keys::key_table;
pub use keys::{KeyInfo, KeyState};
pub(crate) use migrate::{SCHEMA, schema};
pub(crate) use open::{RESTORING, create_folder, explain_at, own, private, reader, sync_folder};
pub(crate) use rotate::BLOBS;
pub use rotate::{Progress, Rotated, rotate};

use crate::vault::Vault;
use crate::{Batch, Change, Document, Error, Key, Query, Receipt, Result, Scope, Secret, Store, Tag, Ticks};
use crate::{Encryption, folder};
use apply::Applied;
use mark::Mark;
use writer::Writer;

/// How long a caller waits for a place before it is told [`Error::Busy`].
const PATIENCE: Duration = Duration::from_secs(5);

/// How the database is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// Connections that read.
    pub readers: usize,
    /// Batches that may wait for the writer.
    pub queue: usize,
    /// Changes that the feed remembers, at least.
    pub keep_changes: u64,
    /// Pages that the database may have, as a limit of its own below the disk's.
    pub max_pages: Option<u32>,
    /// Which keys seal what is kept.
    pub encryption: Encryption,
}

impl Default for Options {
    fn default() -> Self {
        Self { readers: 4, queue: 1024, keep_changes: 100_000, max_pages: None, encryption: Encryption::default() }
    }
}

/// A store in one folder. Dropping it finishes what was accepted and frees the folder.
pub struct Sqlite {
    writer: Writer,
    readers: Arc<Readers>,
    vault: Arc<Vault>,
    mark: Arc<Mark>,
    path: PathBuf,
    /// Held for as long as this process owns the folder.
    _owner: Option<File>,
}

impl Sqlite {
    /// Opens the folder as its only server, creating it where it is missing. Another process that tries the same
    /// is refused with [`Error::InUse`]: what one commits would not wake the other's followers. Blocks; call it
    /// before the runtime has work.
    pub fn open(folder: &Path, options: &Options) -> Result<Self> {
        let owner = open::own(folder)?;
        Self::start(folder, options, Some(owner))
    }

    /// Opens the folder for a short command beside a running server (`outcrop keys create`): SQLite's own locks
    /// keep two processes' transactions apart, so both may write. The server's followers learn of these
    /// commits with its own next commit.
    pub fn open_beside(folder: &Path, options: &Options) -> Result<Self> {
        Self::start(folder, options, None)
    }

    fn start(folder: &Path, options: &Options, owner: Option<File>) -> Result<Self> {
        if folder.join(RESTORING).exists() {
            return Err(Error::Interrupted(folder.to_owned()));
        }
        let path = open::prepare(folder)?;
        let (connection, vault) = open::writer(&path, options, owner.is_some())?;
        let readers = (0..options.readers.max(1)).map(|_| open::reader(&path)).collect::<Result<Vec<_>>>()?;
        let readers = Readers { idle: Mutex::new(readers), places: Arc::new(Semaphore::new(options.readers.max(1))) };
        let vault = Arc::new(vault);
        let mark = Arc::new(Mark::open(&path)?);
        let registry = Mutex::new(open::reader(&path)?);
        vault.register(Box::new(move || Ok(keys::currents(&registry.lock().unwrap_or_else(PoisonError::into_inner))?)));
        let writer = Writer::start(connection, path.clone(), vault.clone(), Arc::clone(&mark), options)?;
        Ok(Self { writer, readers: Arc::new(readers), vault, mark, path, _owner: owner })
    }

    /// The keys, for the blobs that belong to these rows.
    pub fn vault(&self) -> Arc<Vault> {
        self.vault.clone()
    }

    /// Every key that anything here was ever sealed with, and what it protects.
    pub async fn keys(&self) -> Result<Vec<KeyInfo>> {
        let mut keys = self.read(|connection, _| keys::all(connection)).await?;
        let blobs = self.path.with_file_name(BLOBS);
        let survey = tokio::task::spawn_blocking(move || folder::survey(&blobs));
        let survey = survey.await.map_err(|_| Error::Closed)??;
        for key in &mut keys {
            key.blobs = survey.get(&key.id).copied().unwrap_or(0);
        }
        Ok(keys)
    }

    async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection, &Vault) -> Applied<T> + Send + 'static,
    ) -> Result<T> {
        let place = tokio::time::timeout(PATIENCE, self.readers.places.clone().acquire_owned()).await;
        let place = place.map_err(|_| Error::Busy)?.map_err(|_| Error::Closed)?;
        let (readers, vault, path) = (self.readers.clone(), self.vault.clone(), self.path.clone());
        let work = move || {
            let _place = place; // Given back after the connection.
            let reader = Reader::take(&readers);
            let connection = reader.connection.as_ref().ok_or(Error::Closed)?;
            query(connection, &vault).map_err(|failure| match failure {
                apply::Failure::Condition(error) => error,
                apply::Failure::Database(error) => open::explain_at(&path, "reading", &error),
            })
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| Error::Closed)?
    }
}

/// The idle reading connections, and as many places.
struct Readers {
    idle: Mutex<Vec<Connection>>,
    places: Arc<Semaphore>,
}

/// A connection out of the pool; it goes back when dropped, in a panic too.
struct Reader<'a> {
    connection: Option<Connection>,
    pool: &'a Readers,
}

impl<'a> Reader<'a> {
    fn take(pool: &'a Readers) -> Self {
        Self { connection: pool.idle.lock().unwrap_or_else(PoisonError::into_inner).pop(), pool }
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner).extend(self.connection.take());
    }
}

#[async_trait]
impl Store for Sqlite {
    async fn commit(&self, batch: Batch) -> Result<Receipt> {
        self.writer.commit(batch).await
    }

    async fn get(&self, key: Key) -> Result<Option<Document>> {
        self.read(move |connection, vault| read::get(connection, vault, &key)).await
    }

    async fn find(&self, scope: Scope, kind: String, name: String) -> Result<Option<Document>> {
        self.read(move |connection, vault| read::find(connection, vault, &scope, &kind, &name)).await
    }

    async fn list(&self, query: Query) -> Result<Vec<Document>> {
        self.read(move |connection, vault| read::list(connection, vault, &query)).await
    }

    async fn tags(&self, scope: Scope, arn: String) -> Result<Vec<Tag>> {
        self.read(move |connection, _| Ok(read::tags(connection, &scope, &arn)?)).await
    }

    async fn counter(&self, scope: Scope, counter: String) -> Result<i64> {
        self.read(move |connection, _| Ok(read::counter(connection, &scope, &counter)?)).await
    }

    async fn counters(&self, scope: Scope, prefix: String, limit: usize) -> Result<Vec<(String, i64)>> {
        self.read(move |connection, _| Ok(read::counters(connection, &scope, &prefix, limit)?)).await
    }

    async fn secret(&self, kind: String, id: String) -> Result<Option<Secret>> {
        self.read(move |connection, vault| read::secret(connection, vault, &kind, &id)).await
    }

    async fn secret_ids(&self, kind: String) -> Result<Vec<String>> {
        self.read(move |connection, _| Ok(read::secret_ids(connection, &kind)?)).await
    }

    fn secrets_mark(&self) -> Option<u128> {
        self.mark.now()
    }

    async fn changes(&self, sequence: u64, limit: usize) -> Result<Vec<Change>> {
        match self.read(move |connection, _| read::changes(connection, sequence, limit)).await? {
            read::Changes::Known(changes) => Ok(changes),
            read::Changes::Forgotten { before } => Err(Error::Lagged(before)),
        }
    }

    async fn latest_change(&self) -> Result<u64> {
        self.read(|connection, _| read::latest_change(connection)).await
    }

    fn watch(&self) -> Ticks {
        self.writer.watch()
    }
}

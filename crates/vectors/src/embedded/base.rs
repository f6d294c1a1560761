//! One index: opened, asked, written, closed.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use async_trait::async_trait;
use rusqlite::Connection;

use super::codes::Code;
use super::file::{self, VectorFile};
use super::state::{Added, Place, State};
use super::words::Words;
use super::write::{self, Writer};
use super::{blocking, find, truth};
use crate::{Filter, Hit, Index, Metadata, Query, Replace, Result, Said, Shape, Stats, VectorError};

/// How many chunks are brought into memory at once.
const TOGETHER: usize = 16_384;

/// An open index.
pub(super) struct Base(Arc<Inner>);

/// What its operations share.
pub(super) struct Inner {
    pub folder: PathBuf,
    pub shape: Shape,
    pub state: RwLock<State>,
    writer: Mutex<Writer>,
    readers: Mutex<Vec<Connection>>,
    closed: AtomicBool,
}

impl Base {
    /// Opens a folder, and makes it where it is missing. Brings up to the truth what is derived from it.
    pub(super) fn open(folder: &Path, shape: Shape) -> Result<Self> {
        if shape.dimensions == 0 || (shape.binary && !shape.dimensions.is_multiple_of(8)) {
            return Err(VectorError::Invalid(format!("an index cannot hold {shape}")));
        }
        fs::create_dir_all(folder).map_err(|why| VectorError::failed("making an index", why))?;
        let connection = truth::open(&folder.join("truth.sqlite"), shape)?;
        let mut words = Words::open(&folder.join("words"))?;
        write::catch_up(&connection, &mut words)?;
        let mut file = VectorFile::open(&folder.join("vectors"), shape)?;
        file.reserve(truth::places(&connection)?)?;
        let mut state = State::new(shape, file.map()?, words.searcher()?);
        let mut some = Vec::with_capacity(TOGETHER);
        truth::each(&connection, |row| {
            some.push(row);
            if some.len() == TOGETHER { load(&mut state, shape, &mut some) } else { Ok(()) }
        })?;
        load(&mut state, shape, &mut some)?;
        let writer = Writer::new(connection, words, file, &state);
        Ok(Self(Arc::new(Inner {
            folder: folder.to_owned(),
            shape,
            state: RwLock::new(state),
            writer: Mutex::new(writer),
            readers: Mutex::default(),
            closed: AtomicBool::new(false),
        })))
    }

    /// [`VectorError::Shape`] where its vectors are of another shape.
    pub(super) fn check(&self, given: Shape) -> Result<()> {
        let holds = self.0.shape;
        if holds == given { Ok(()) } else { Err(VectorError::Shape { holds, given }) }
    }

    /// Whether nothing is happening: work goes on where nobody waits for it any more.
    pub(super) fn is_idle(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }

    /// Lets nothing more happen, after what is happening.
    pub(super) fn close(&self) {
        self.0.closed.store(true, Ordering::SeqCst);
        drop(self.0.writer.lock());
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce(&Inner) -> Result<T> + Send + 'static) -> Result<T> {
        let inner = self.0.clone();
        blocking(move || work(&inner)).await
    }
}

/// Puts chunks into memory. Their codes are what takes time: every processor makes some.
fn load(state: &mut State, shape: Shape, rows: &mut Vec<truth::Row>) -> Result<()> {
    let rows = std::mem::take(rows);
    let vectors = state.vectors.clone();
    let made = |row: &truth::Row| (!shape.binary).then(|| Code::new(&file::decode(vectors.get(row.slot))));
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let codes = std::thread::scope(|scope| {
        let shares = rows.chunks(rows.len().div_ceil(processors).max(1));
        let threads: Vec<_> = shares.map(|rows| scope.spawn(|| rows.iter().map(made).collect::<Vec<_>>())).collect();
        let joined = threads.into_iter().map(|thread| thread.join());
        joined.collect::<std::result::Result<Vec<_>, _>>()
    });
    let codes = codes.map_err(|_| VectorError::Failed("the index's codes could not be made".to_owned()))?;
    for (row, code) in rows.into_iter().zip(codes.into_iter().flatten()) {
        let place = Place { key: row.key, parent: row.parent.unwrap_or(0) };
        state.add(Added { slot: row.slot, place, metadata: row.metadata, code });
    }
    Ok(())
}

impl Inner {
    /// The writer, when it is free.
    pub(super) fn writer(&self) -> Result<MutexGuard<'_, Writer>> {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        self.open()?;
        Ok(writer)
    }

    pub(super) fn open(&self) -> Result<()> {
        if self.closed.load(Ordering::SeqCst) {
            return Err(VectorError::Failed("the index was deleted".to_owned()));
        }
        Ok(())
    }

    /// Reads the truth by a connection of its own.
    pub(super) fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let idle = || self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = idle().pop();
        let connection = match kept {
            Some(connection) => connection,
            None => truth::connect(&self.folder.join("truth.sqlite"))?,
        };
        let done = work(&connection);
        if done.is_ok() {
            idle().push(connection);
        }
        done
    }
}

#[async_trait]
impl Index for Base {
    async fn replace(&self, documents: Vec<Replace>) -> Result<()> {
        self.run(move |inner| write::replace(inner, documents)).await
    }

    async fn describe(&self, source: &str, document: &str, own: &[&str], metadata: Metadata) -> Result<()> {
        let (source, document) = (source.to_owned(), document.to_owned());
        let own: Vec<String> = own.iter().map(|&one| one.to_owned()).collect();
        self.run(move |inner| write::describe(inner, &source, &document, &own, &metadata)).await
    }

    async fn forget(&self, source: &str) -> Result<()> {
        let source = source.to_owned();
        self.run(move |inner| write::forget(inner, &source)).await
    }

    async fn words(&self, text: &str, filter: Option<&Filter>, limit: usize) -> Result<Option<Said>> {
        let (text, filter) = (text.to_owned(), filter.cloned());
        self.run(move |inner| find::words(inner, &text, filter.as_ref(), limit)).await
    }

    async fn search(&self, query: Query) -> Result<Vec<Hit>> {
        match find::at_once(&self.0, &query)? {
            Some(hits) => Ok(hits),
            None => self.run(move |inner| find::search(inner, &query)).await,
        }
    }

    async fn stats(&self) -> Result<Stats> {
        self.run(|inner| {
            inner.open()?;
            let (documents, chunks) = inner.read(truth::counts)?;
            Ok(Stats { documents, chunks, bytes: bytes(&inner.folder) })
        })
        .await
    }
}

/// What a folder takes on the disk. Files may come and go meanwhile.
fn bytes(folder: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let mut sum = 0;
    for entry in entries.flatten() {
        match entry.metadata() {
            Ok(about) if about.is_dir() => sum += bytes(&entry.path()),
            // Blocks, not length: the vectors' file has places that were never written.
            Ok(about) => sum += about.blocks() * 512,
            Err(_) => {}
        }
    }
    sum
}

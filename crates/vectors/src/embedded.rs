//! The engine without a server: each index is a folder.
//!
//! `truth.sqlite` says what there is and alone decides it: a write is acknowledged when SQLite has committed it.
//! `vectors` holds the numbers, one place a chunk, written and synced before the commit that names the place; a place
//! is only used again after the commit that freed it. `words/` is a tantivy index, derived: it carries how far it has
//! come, and is brought up to the truth, or made anew, at opening. Everything else is in memory, made at opening.

mod asked;
mod base;
mod codes;
mod columns;
mod file;
mod find;
mod kernels;
mod nearest;
mod state;
#[cfg(test)]
mod tests;
mod top;
mod truth;
mod words;
mod write;

use std::collections::HashMap;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use tokio::sync::OnceCell;

use crate::{Engine, Index, Result, Shape, VectorError};
use base::Base;
pub use find::Said;

/// What a folder is called that is being deleted.
const DISCARDED: &str = ".discarded-";

/// Indexes that are open at a time, but for more that are in use: each takes threads, files and memory.
const OPEN: usize = 64;

/// An index that is open, or being opened.
type Cell = Arc<OnceCell<Arc<Base>>>;

/// All of them.
#[derive(Default)]
struct Opened {
    bases: HashMap<String, (Cell, u64)>,
    /// Counts what is asked for: who has the least was asked for the longest ago.
    asked: u64,
}

/// Indexes in a folder, each in one of its own.
pub struct Embedded {
    folder: PathBuf,
    open: Mutex<Opened>,
    /// Held for as long as this process owns the folder.
    _owner: File,
}

impl Embedded {
    /// The indexes of a folder, which is made where it is missing. One process at a time owns it.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self> {
        let folder = folder.into();
        let at = |why: std::io::Error| VectorError::failed(&format!("opening {}", folder.display()), why);
        fs::create_dir_all(&folder).map_err(at)?;
        let owner = File::create(folder.join("lock")).map_err(at)?;
        match owner.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let why = format!("{} is in use by another process: one at a time owns it", folder.display());
                return Err(VectorError::Failed(why));
            }
            Err(TryLockError::Error(why)) => return Err(at(why)),
        }
        finish_discards(&folder).map_err(at)?;
        Ok(Self { folder, open: Mutex::default(), _owner: owner })
    }

    fn cell(&self, base: &str) -> Cell {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.asked += 1;
        let now = open.asked;
        let (cell, asked) = open.bases.entry(base.to_owned()).or_default();
        *asked = now;
        let cell = cell.clone();
        open.close_one();
        cell
    }
}

impl Opened {
    /// Closes the index that nobody uses for the longest time, where there are too many. Whoever asks for it next waits
    /// for this lock, and opens it again.
    fn close_one(&mut self) {
        if self.bases.len() <= OPEN {
            return;
        }
        let unused = |cell: &Cell| {
            Arc::strong_count(cell) == 1 && cell.get().is_none_or(|base| Arc::strong_count(base) == 1 && base.is_idle())
        };
        let unused = self.bases.iter().filter(|(_, (cell, _))| unused(cell));
        if let Some(name) = unused.min_by_key(|(_, (_, asked))| *asked).map(|(name, _)| name.clone()) {
            self.bases.remove(&name);
        }
    }
}

#[async_trait]
impl Engine for Embedded {
    async fn open(&self, base: &str, shape: Shape) -> Result<Arc<dyn Index>> {
        named(base)?;
        let folder = self.folder.join(base);
        let opened = self.cell(base);
        let opened = opened.get_or_try_init(|| blocking(move || Base::open(&folder, shape).map(Arc::new))).await?;
        opened.check(shape)?;
        Ok(opened.clone())
    }

    async fn discard(&self, base: &str) -> Result<()> {
        named(base)?;
        let cell = self.open.lock().unwrap_or_else(PoisonError::into_inner).bases.remove(base).map(|(cell, _)| cell);
        let (folder, name) = (self.folder.clone(), base.to_owned());
        blocking(move || {
            if let Some(base) = cell.as_ref().and_then(|cell| cell.get()) {
                base.close();
            }
            // Renamed first: an index is there or not, never half of it.
            let gone = folder.join(format!("{DISCARDED}{name}"));
            let done = match fs::rename(folder.join(&name), &gone) {
                Ok(()) => fs::remove_dir_all(&gone),
                Err(why) if why.kind() == std::io::ErrorKind::NotFound => Ok(()),
                Err(why) => Err(why),
            };
            done.map_err(|why| VectorError::failed(&format!("deleting the index {name}"), why))
        })
        .await
    }

    fn hybrid(&self) -> bool {
        true
    }
}

/// Removes what was being deleted when the process ended.
fn finish_discards(folder: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(DISCARDED) {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

/// A name becomes a folder's: nothing that could lead elsewhere.
fn named(base: &str) -> Result<()> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if base.is_empty() || base.len() > 128 || !base.chars().all(plain) {
        return Err(VectorError::Invalid(format!("an index's name has letters, digits, - and _: not {base:?}")));
    }
    Ok(())
}

/// Runs what blocks where it may.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|why| Err(VectorError::failed("the index's thread", why)))
}

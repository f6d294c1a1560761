//! A copy of everything that lasts, made beside a running server, and the way back.
//!
//! The copy is of one moment: the database as one read transaction sees it, and the blobs that were there when it
//! began. A backup is a folder, or a single tar file with the same content; its [`Manifest`] names every file with its
//! SHA-256 and is written last.

mod manifest;
mod restore;
mod sink;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::folder::{Kept, keep};
use crate::keys::{hex, random};
use crate::sqlite::{BLOBS, create_folder, key_table, reader, schema, snapshot, sync_folder};
use crate::vault::Vault;
use crate::{Error, Options, Result};
pub(crate) use manifest::is_key_name;
pub use manifest::{BackupFile, BackupKey, Head, Manifest};
pub use restore::{Restored, restore};
use sink::Sink;

/// The database's name, in a data folder and in a backup.
pub(crate) const DATABASE: &str = "outcrop.db";

/// How far a backup or a restore has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackupProgress {
    /// Pages of the database, of so many.
    Database(u64, u64),
    /// Files, of so many.
    Files(u64, u64),
}

/// Makes a backup of a data folder at `to`, which must not exist: a single file where the name ends in `.tar`, else a
/// folder. Blocks; a server may run. The keys are left out unless `include_keys`: without them nothing sealed in the
/// backup can be read.
pub fn backup(
    folder: &Path,
    options: &Options,
    to: &Path,
    include_keys: bool,
    progress: &mut dyn FnMut(BackupProgress),
) -> Result<Manifest> {
    let path = folder.join(DATABASE);
    if !path.exists() {
        let reason = "there is no database in it".to_owned();
        return Err(Error::Io { context: format!("backing up {}", folder.display()), reason });
    }
    if to.exists() {
        return Err(Error::AlreadyThere(to.to_owned()));
    }
    let unfinished = Unfinished::beside(to)?;
    let source = reader(&path)?;
    let (kept, schema) = keep(&folder.join(BLOBS), || begin(&source, &path))?;
    let keys = key_table(&source, &path)?;

    let mut sink = Sink::new(&unfinished.0, to)?;
    let copy = unfinished.0.join("copy.db");
    snapshot::copy(&source, &path, &copy, &mut |done, all| progress(BackupProgress::Database(done, all)))?;
    drop(source);
    snapshot::check(&copy, &path)?;
    let mut files = vec![sink.take(DATABASE, &copy)?];
    add_blobs(&mut sink, &kept, &mut files, progress)?;
    drop(kept);
    if include_keys {
        let vault = Vault::open(&options.encryption, folder, false)?;
        for name in vault.sources().keys() {
            let text = vault.export(name)?;
            files.push(sink.add(&format!("keys/{name}.keys"), text.len() as u64, &mut text.as_bytes())?);
        }
    }
    let head = Head {
        outcrop_backup: manifest::FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        schema,
        made: jiff::Timestamp::now().to_string(),
        keys: keys.into_iter().map(BackupKey::from).collect(),
    };
    let manifest = Manifest { head, files };
    let finished = sink.finish(&manifest.write())?;
    let named = std::fs::rename(&finished, to);
    named.map_err(|error| Error::io(format!("naming {}", to.display()), &error))?;
    sync_folder(parent(to))?;
    Ok(manifest)
}

/// Begins the transaction that the copy sees; answers the schema.
fn begin(source: &Connection, path: &Path) -> Result<i64> {
    let begun = source
        .execute_batch("BEGIN")
        .and_then(|()| source.query_row("SELECT count(*) FROM sqlite_schema", (), |_| Ok(())));
    begun.map_err(|error| crate::sqlite::explain_at(path, "reading", &error))?;
    schema(source, path)
}

fn add_blobs(
    sink: &mut Sink,
    kept: &Kept,
    files: &mut Vec<BackupFile>,
    progress: &mut dyn FnMut(BackupProgress),
) -> Result<()> {
    let all = kept.files.len() as u64;
    for (done, (digest, link)) in kept.files.iter().enumerate() {
        let (first, rest) = digest.split_at_checked(2).unwrap_or((digest, ""));
        files.push(sink.copy(&format!("{BLOBS}/{first}/{rest}"), link)?);
        progress(BackupProgress::Files(done as u64 + 1, all));
    }
    Ok(())
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A folder that is no backup yet; gone when dropped.
struct Unfinished(PathBuf);

impl Unfinished {
    fn beside(to: &Path) -> Result<Self> {
        let mut random_name = [0; 8];
        random(&mut random_name)?;
        let name = to.file_name().unwrap_or_default().to_string_lossy();
        let folder = Self(parent(to).join(format!(".{name}.unfinished-{}", hex(&random_name))));
        create_folder(&folder.0)?;
        Ok(folder)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

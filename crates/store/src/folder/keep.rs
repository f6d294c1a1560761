//! Keeping the blobs of one moment for as long as it takes to copy them.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::{failed, lock, rewrap};
use crate::sqlite::{create_folder, private};
use crate::{Error, Result};

/// The blobs of one moment: links to their files, which deletes and replacements leave alone. Gone when dropped.
pub(crate) struct Kept {
    /// Digest and link of each.
    pub(crate) files: Vec<(String, PathBuf)>,
    folder: PathBuf,
    _lock: Option<File>,
}

impl Drop for Kept {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Keeps the blobs as they are while `snapshot` runs. Until both are done nothing is named, replaced or deleted, so
/// whatever a document of the snapshot names is kept.
pub(crate) fn keep<T>(root: &Path, snapshot: impl FnOnce() -> Result<T>) -> Result<(Kept, T)> {
    let folder = root.join("kept");
    if !root.exists() {
        return Ok((Kept { files: Vec::new(), folder, _lock: None }, snapshot()?));
    }
    let Some(only) = only(root)? else {
        let reason = "another backup of it is being made".to_owned();
        return Err(Error::Io { context: format!("keeping the blobs of {}", root.display()), reason });
    };
    clear(&folder)?;
    create_folder(&folder)?;
    let mut kept = Kept { files: Vec::new(), folder, _lock: Some(only) };
    let still = lock::still(root)?;
    let snapshot = snapshot()?;
    for (digest, path) in rewrap::files(root)? {
        let link = kept.folder.join(&digest);
        std::fs::hard_link(&path, &link).map_err(|error| failed("keeping", &path, &error))?;
        kept.files.push((digest, link));
    }
    drop(still);
    Ok((kept, snapshot))
}

/// Clears away what a backup that was killed has left; one that runs is left alone.
pub(super) fn clear_left(root: &Path) -> Result<()> {
    match only(root)? {
        Some(_only) => clear(&root.join("kept")),
        None => Ok(()),
    }
}

/// The right to be the only backup.
fn only(root: &Path) -> Result<Option<File>> {
    let path = root.join("backup.lock");
    let file = private(&path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(std::fs::TryLockError::WouldBlock) => Ok(None),
        Err(std::fs::TryLockError::Error(error)) => Err(failed("locking", &path, &error)),
    }
}

fn clear(folder: &Path) -> Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(failed("clearing", folder, &error)),
        _ => Ok(()),
    }
}

//! Files that outlast a crash.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::path::OWN;

/// How long nobody has written to a file that a crash has left. Another server may share an operator's folder.
const ABANDONED: Duration = Duration::from_secs(60 * 60);

/// A new file in `folder` that only this server's user can read.
pub(crate) fn temporary(folder: &Path) -> io::Result<(File, PathBuf)> {
    let path = folder.join(format!("{OWN}{}", uuid::Uuid::new_v4().simple()));
    let create = || OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path);
    let file = create().or_else(|error| match error.kind() {
        io::ErrorKind::NotFound => folders(folder).and_then(|()| create()),
        _ => Err(error),
    })?;
    Ok((file, path))
}

/// Takes away the files in `folder` that a crash has left half written.
pub(crate) fn sweep(folder: &Path) -> io::Result<()> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let id = entry.file_name().into_string().ok().and_then(|name| name.strip_prefix(OWN).map(str::to_owned));
        // A name of `temporary`'s, and nobody else's.
        if !id.is_some_and(|id| id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit())) {
            continue;
        }
        let Ok(metadata) = entry.metadata() else { continue };
        if metadata.is_file() && metadata.modified()?.elapsed().is_ok_and(|age| age > ABANDONED) {
            absent(std::fs::remove_file(entry.path()))?;
        }
    }
    Ok(())
}

/// Writes a file whole, in one step for its readers.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(path);
    let (mut file, temporary) = temporary(folder)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all()).and_then(|()| rename(&temporary, path));
    if written.is_err() {
        // It was never anything.
        std::fs::remove_file(&temporary).ok();
    }
    written
}

/// Renames, and has the disk keep it.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::rename(from, to)?;
    sync(to.parent().unwrap_or(to))
}

/// Makes a folder and all above it, and has the disk keep them.
pub(crate) fn folders(path: &Path) -> io::Result<()> {
    let mut made = Vec::new();
    let mut at = path;
    while !at.is_dir() {
        made.push(at);
        match at.parent() {
            Some(parent) => at = parent,
            None => break,
        }
    }
    std::fs::create_dir_all(path)?;
    made.iter().try_for_each(|new| sync(new.parent().unwrap_or(new)))
}

/// Has the disk keep what a folder lists.
pub(crate) fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// What is gone already need not be taken away.
pub(crate) fn absent(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

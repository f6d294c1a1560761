//! The blob backend of a single node: a folder of files.

#[cfg(test)]
mod tests;

use std::fmt::Write;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use sha2::{Digest, Sha256};
use tokio::fs::{self, File};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::sqlite::{create_folder, sync_folder};
use crate::{Blob, BlobInfo, BlobKey, BlobReader, Blobs, Error, Result};

/// Bytes in flight in a put.
const CHUNK: usize = 64 * 1024;

/// Blobs in a folder, each in a file named by its key's digest: no key can leave the folder or meet a limit of the
/// file system's names.
pub struct Folder {
    root: PathBuf,
    unfinished: PathBuf,
}

impl Folder {
    /// Opens a folder, creating it where it is missing, and clears away what an earlier process left unfinished.
    /// Only the process that owns the data folder ([`Sqlite::open`](crate::Sqlite::open)) may open its blobs.
    pub fn open(root: &Path) -> Result<Self> {
        let unfinished = root.join("unfinished");
        create_folder(&unfinished)?;
        let entries = std::fs::read_dir(&unfinished).map_err(|error| failed("clearing", &unfinished, &error))?;
        for entry in entries.flatten() {
            std::fs::remove_file(entry.path()).map_err(|error| failed("clearing", &unfinished, &error))?;
        }
        for first in 0..=255_u8 {
            create_folder(&root.join(format!("{first:02x}")))?;
        }
        sync_folder(root)?;
        Ok(Self { root: root.to_owned(), unfinished })
    }

    fn path(&self, key: &BlobKey) -> PathBuf {
        let name = hex(&Sha256::digest(key.as_str().as_bytes()));
        self.root.join(&name[..2]).join(&name[2..])
    }
}

#[async_trait]
impl Blobs for Folder {
    async fn put(&self, key: &BlobKey, content: BlobReader, limit: u64) -> Result<BlobInfo> {
        let unfinished = Unfinished::new(&self.unfinished)?;
        let info = write(&unfinished.0, content, limit).await?;
        let path = self.path(key);
        fs::rename(&unfinished.0, &path).await.map_err(|error| failed("naming", &path, &error))?;
        sync_parent(&path).await?;
        Ok(info)
    }

    async fn open(&self, key: &BlobKey) -> Result<Option<Blob>> {
        let path = self.path(key);
        let file = match File::open(&path).await {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("opening", &path, &error)),
        };
        let size = file.metadata().await.map_err(|error| failed("opening", &path, &error))?.len();
        Ok(Some(Blob { size, content: Box::new(file) }))
    }

    async fn delete(&self, key: &BlobKey) -> Result<bool> {
        let path = self.path(key);
        match fs::remove_file(&path).await {
            Ok(()) => sync_parent(&path).await.map(|()| true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(failed("deleting", &path, &error)),
        }
    }
}

/// Content, synced before it gets its name: a name never stands on half of it.
async fn write(path: &Path, mut content: BlobReader, limit: u64) -> Result<BlobInfo> {
    let at = |error: std::io::Error| failed("writing", path, &error);
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).await.map_err(at)?;
    let (mut size, mut digest, mut chunk) = (0, Sha256::new(), vec![0; CHUNK]);
    loop {
        let read = content.read(&mut chunk).await.map_err(|error| Error::io("reading a blob's content", &error))?;
        if read == 0 {
            break;
        }
        size += read as u64;
        if size > limit {
            return Err(Error::TooLarge(limit));
        }
        digest.update(&chunk[..read]);
        file.write_all(&chunk[..read]).await.map_err(at)?;
    }
    file.flush().await.map_err(at)?;
    file.sync_all().await.map_err(at)?;
    Ok(BlobInfo { size, sha256: digest.finalize().into() })
}

async fn sync_parent(path: &Path) -> Result<()> {
    let Some(parent) = path.parent().map(Path::to_owned) else { return Ok(()) };
    tokio::task::spawn_blocking(move || sync_folder(&parent)).await.map_err(|_| Error::Closed)?
}

/// A file that is not a blob yet; gone when dropped, unless it was renamed.
struct Unfinished(PathBuf);

impl Unfinished {
    fn new(folder: &Path) -> Result<Self> {
        let mut name = [0; 16];
        getrandom::fill(&mut name)
            .map_err(|error| Error::Io { context: "naming a blob".to_owned(), reason: error.to_string() })?;
        Ok(Self(folder.join(hex(&name))))
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn failed(doing: &str, path: &Path, error: &std::io::Error) -> Error {
    Error::io(format!("{doing} {}", path.display()), error)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

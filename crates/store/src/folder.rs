//! The blob backend of a single node: a folder of files.

mod format;
mod keep;
mod lock;
mod reader;
mod rewrap;
#[cfg(test)]
mod tests;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use sha2::{Digest, Sha256};
use tokio::fs::{self, File};
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};

use crate::keys::{Key, hex, random};
use crate::seal::{DataKey, WRAP, wrapped_by};
use crate::sqlite::{create_folder, sync_folder};
use crate::vault::Vault;
use crate::{Blob, BlobInfo, BlobKey, BlobReader, Blobs, Error, Result};
use format::{Header, PIECE};

pub(crate) use keep::{Kept, keep};
#[cfg(test)]
pub(crate) use rewrap::files;
pub(crate) use rewrap::{rewrap, survey};

/// Blobs in a folder, each in a file named by its key's digest: no key can leave the folder or meet a limit of the
/// file system's names.
pub struct Folder {
    root: PathBuf,
    unfinished: PathBuf,
    vault: Arc<Vault>,
}

impl Folder {
    /// Opens a folder, creating it where it is missing, and clears away what an earlier process left unfinished.
    /// Only the process that owns the data folder ([`Sqlite::open`](crate::Sqlite::open)) may open its blobs; the
    /// keys are the store's ([`Sqlite::vault`](crate::Sqlite::vault)).
    pub fn open(root: &Path, vault: Arc<Vault>) -> Result<Self> {
        let unfinished = root.join("unfinished");
        create_folder(&unfinished)?;
        let entries = std::fs::read_dir(&unfinished).map_err(|error| failed("clearing", &unfinished, &error))?;
        for entry in entries.flatten() {
            std::fs::remove_file(entry.path()).map_err(|error| failed("clearing", &unfinished, &error))?;
        }
        keep::clear_left(root)?;
        for first in 0..=255_u8 {
            create_folder(&root.join(format!("{first:02x}")))?;
        }
        sync_folder(root)?;
        Ok(Self { root: root.to_owned(), unfinished, vault })
    }

    fn path(&self, digest: &str) -> PathBuf {
        self.root.join(&digest[..2]).join(&digest[2..])
    }

    async fn lock(&self) -> Result<lock::Lock> {
        let root = self.root.clone();
        tokio::task::spawn_blocking(move || lock::change(&root)).await.map_err(|_| Error::Closed)?
    }

    async fn current(&self, name: &str) -> Result<Arc<Key>> {
        let (vault, name) = (self.vault.clone(), name.to_owned());
        tokio::task::spawn_blocking(move || vault.current(&name)).await.map_err(|_| Error::Closed)?
    }

    /// A new data key, where the blob is to be sealed.
    async fn sealing(&self, name: Option<&str>, digest: &str) -> Result<Option<Sealing>> {
        let Some(name) = self.vault.sealing_name(name) else { return Ok(None) };
        let data = DataKey::generate()?;
        let wrap = data.wrap(&*self.current(name).await?, &format::address(digest))?;
        Ok(Some(Sealing { name: name.to_owned(), data, wrap }))
    }

    /// Gives finished content its name.
    async fn name(&self, unfinished: &Unfinished, digest: &str, mut sealing: Option<Sealing>) -> Result<()> {
        let _lock = self.lock().await?;
        if let Some(sealing) = &mut sealing {
            // The key may have been rotated while the content came in. Whoever rotates has waited for this lock
            // after that and will not look at this blob again.
            let current = self.current(&sealing.name).await?;
            if current.id != wrapped_by(&sealing.wrap) {
                sealing.wrap = sealing.data.wrap(&current, &format::address(digest))?;
                sealing.rewrite(&unfinished.0).await.map_err(|error| failed("writing", &unfinished.0, &error))?;
            }
        }
        let path = self.path(digest);
        fs::rename(&unfinished.0, &path).await.map_err(|error| failed("naming", &path, &error))?;
        sync_parent(&path).await
    }
}

/// How a blob that is being written is sealed.
struct Sealing {
    name: String,
    data: DataKey,
    wrap: [u8; WRAP],
}

impl Sealing {
    fn header(&self) -> Header {
        Header::Sealed([self.wrap, [0; WRAP]])
    }

    async fn rewrite(&self, path: &Path) -> std::io::Result<()> {
        let mut file = fs::OpenOptions::new().write(true).open(path).await?;
        file.write_all(&self.header().bytes()).await?;
        file.flush().await?;
        file.sync_all().await
    }
}

#[async_trait]
impl Blobs for Folder {
    async fn put(&self, key: &BlobKey, content: BlobReader, limit: u64, sealed_by: Option<&str>) -> Result<BlobInfo> {
        let digest = digest(key);
        let sealing = self.sealing(sealed_by, &digest).await?;
        let unfinished = Unfinished::new(&self.unfinished)?;
        let info = write(&unfinished.0, content, limit, sealing.as_ref()).await?;
        self.name(&unfinished, &digest, sealing).await?;
        Ok(info)
    }

    async fn open(&self, key: &BlobKey) -> Result<Option<Blob>> {
        let digest = digest(key);
        let path = self.path(&digest);
        let at = |error: std::io::Error| failed("opening", &path, &error);
        let mut file = match File::open(&path).await {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(at(error)),
        };
        let length = file.metadata().await.map_err(at)?.len();
        let mut first = vec![0; format::SEALED.min(usize::try_from(length).unwrap_or(usize::MAX))];
        file.read_exact(&mut first).await.map_err(at)?;
        let header = Header::read(&mut &first[..]).map_err(at)?;
        file.seek(std::io::SeekFrom::Start(header.len() as u64)).await.map_err(at)?;
        let damaged = |reason: &str| Error::Sealed { what: format!("the blob {digest}"), reason: reason.to_owned() };
        let size = header.content_size(length).map_err(damaged)?;
        let Header::Sealed(wraps) = header else { return Ok(Some(Blob { size, content: Box::new(file) })) };
        let data = format::data_key(&wraps, &digest, |id| self.vault.key(id))?;
        Ok(Some(Blob { size, content: Box::new(reader::Opened::new(file, data, digest, size)) }))
    }

    async fn delete(&self, key: &BlobKey) -> Result<bool> {
        let path = self.path(&digest(key));
        let _lock = self.lock().await?;
        match fs::remove_file(&path).await {
            Ok(()) => sync_parent(&path).await.map(|()| true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(failed("deleting", &path, &error)),
        }
    }
}

fn digest(key: &BlobKey) -> String {
    hex(&Sha256::digest(key.as_str().as_bytes()))
}

/// Content, synced before it gets its name: a name never stands on half of it.
async fn write(path: &Path, mut content: BlobReader, limit: u64, sealing: Option<&Sealing>) -> Result<BlobInfo> {
    let at = |error: std::io::Error| failed("writing", path, &error);
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).await.map_err(at)?;
    let header = sealing.map_or(Header::Clear, Sealing::header);
    file.write_all(&header.bytes()).await.map_err(at)?;
    let (mut size, mut digest, mut piece) = (0, Sha256::new(), vec![0; PIECE]);
    for index in 0.. {
        let filled = fill(&mut content, &mut piece).await?;
        let (plain, last) = (&piece[..filled], filled < PIECE);
        size += filled as u64;
        if size > limit {
            return Err(Error::TooLarge(limit));
        }
        digest.update(plain);
        match sealing {
            Some(sealing) => file.write_all(&sealing.data.seal(index, last, plain)?).await.map_err(at)?,
            None => file.write_all(plain).await.map_err(at)?,
        }
        if last {
            break;
        }
    }
    file.flush().await.map_err(at)?;
    file.sync_all().await.map_err(at)?;
    Ok(BlobInfo { size, sha256: digest.finalize().into() })
}

/// Reads until the piece is full or the content ends.
async fn fill(content: &mut BlobReader, piece: &mut [u8]) -> Result<usize> {
    let mut filled = 0;
    while filled < piece.len() {
        let read = content.read(&mut piece[filled..]).await;
        let read = read.map_err(|error| Error::io("reading a blob's content", &error))?;
        if read == 0 {
            break;
        }
        filled += read;
    }
    Ok(filled)
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
        random(&mut name)?;
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

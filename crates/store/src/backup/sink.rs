//! Where a backup's files go: into a folder or into a tar file.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::manifest::{BackupFile, MANIFEST};
use crate::keys::hex;
use crate::sqlite::{create_folder, sync_folder};
use crate::{Error, Result};

pub(super) enum Sink {
    Folder(PathBuf),
    Tar(PathBuf, Box<tar::Builder<File>>),
}

impl Sink {
    /// In the unfinished folder; what `to` is called says which.
    pub(super) fn new(unfinished: &Path, to: &Path) -> Result<Self> {
        if to.extension().is_some_and(|extension| extension == "tar") {
            let path = unfinished.join("backup.tar");
            let file = new_file(&path)?;
            return Ok(Self::Tar(path, Box::new(tar::Builder::new(file))));
        }
        let folder = unfinished.join("backup");
        create_folder(&folder)?;
        Ok(Self::Folder(folder))
    }

    /// Adds what `content` reads.
    pub(super) fn add(&mut self, name: &str, size: u64, content: &mut dyn Read) -> Result<BackupFile> {
        let failed = |error: io::Error| Error::io(format!("writing {name} of the backup"), &error);
        let mut content = Hashing::new(content.take(size));
        match self {
            Self::Folder(folder) => {
                let path = folder.join(name);
                create_folder(super::parent(&path))?;
                let mut file = new_file(&path)?;
                io::copy(&mut content, &mut file).and_then(|_| file.sync_all()).map_err(failed)?;
            }
            Self::Tar(_, builder) => {
                let mut header = tar::Header::new_ustar();
                header.set_size(size);
                header.set_mode(0o600);
                header.set_entry_type(tar::EntryType::Regular);
                builder.append_data(&mut header, name, &mut content).map_err(failed)?;
            }
        }
        let (read, sha256) = content.finish();
        if read != size {
            let reason = format!("{read} bytes were there, not {size}");
            return Err(Error::Io { context: format!("writing {name} of the backup"), reason });
        }
        Ok(BackupFile { name: name.to_owned(), size, sha256 })
    }

    /// Adds a file.
    pub(super) fn copy(&mut self, name: &str, from: &Path) -> Result<BackupFile> {
        let failed = |error: io::Error| Error::io(format!("reading {}", from.display()), &error);
        let mut file = File::open(from).map_err(failed)?;
        let size = file.metadata().map_err(failed)?.len();
        self.add(name, size, &mut file)
    }

    /// Adds a file that is no longer needed where it is.
    pub(super) fn take(&mut self, name: &str, from: &Path) -> Result<BackupFile> {
        let failed = |error: io::Error| Error::io(format!("moving {}", from.display()), &error);
        if let Self::Folder(folder) = self {
            let to = folder.join(name);
            std::fs::rename(from, &to).map_err(failed)?;
            let mut content = Hashing::new(File::open(&to).map_err(failed)?);
            io::copy(&mut content, &mut io::sink()).map_err(failed)?;
            let (size, sha256) = content.finish();
            return Ok(BackupFile { name: name.to_owned(), size, sha256 });
        }
        let file = self.copy(name, from)?;
        std::fs::remove_file(from).map_err(failed)?;
        Ok(file)
    }

    /// Adds the manifest and brings everything to the disk; answers what is to get the backup's name.
    pub(super) fn finish(mut self, manifest: &[u8]) -> Result<PathBuf> {
        self.add(MANIFEST, manifest.len() as u64, &mut &manifest[..])?;
        match self {
            Self::Folder(folder) => sync_tree(&folder).map(|()| folder),
            Self::Tar(path, builder) => {
                let synced = builder.into_inner().and_then(|file| file.sync_all());
                synced.map_err(|error| Error::io("writing the backup", &error)).map(|()| path)
            }
        }
    }
}

/// Syncs a folder and those in it; its files are synced already.
pub(super) fn sync_tree(folder: &Path) -> Result<()> {
    let failed = |error: io::Error| Error::io(format!("listing {}", folder.display()), &error);
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_type().map_err(failed)?.is_dir() {
            sync_tree(&entry.path())?;
        }
    }
    sync_folder(folder)
}

pub(super) fn new_file(path: &Path) -> Result<File> {
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    opened.map_err(|error| Error::io(format!("making {}", path.display()), &error))
}

/// Counts and hashes what passes.
pub(super) struct Hashing<R> {
    inner: R,
    size: u64,
    digest: Sha256,
}

impl<R> Hashing<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { inner, size: 0, digest: Sha256::new() }
    }

    pub(super) fn finish(self) -> (u64, String) {
        (self.size, hex(&self.digest.finalize()))
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.size += read as u64;
        self.digest.update(&buffer[..read]);
        Ok(read)
    }
}

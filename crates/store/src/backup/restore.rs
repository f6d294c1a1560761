//! From a backup to a data folder.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::manifest::{MANIFEST, Manifest, is_name};
use super::sink::{Hashing, new_file, sync_tree};
use super::{BackupProgress, DATABASE, parent};
use crate::keys::MASTER;
use crate::sqlite::{RESTORING, SCHEMA, create_folder, own, sync_folder};
use crate::vault::{MASTER_FILE, Vault};
use crate::{Error, Options, Result};

/// The longest manifest that is read: some two million files.
const LONGEST: u64 = 256 << 20;

/// What a restore came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// What the backup says about itself.
    pub manifest: Manifest,
    /// Where what was in the folder before has been put.
    pub replaced: Option<PathBuf>,
    /// Where key files of the backup were put, if it had any.
    pub keys: Vec<PathBuf>,
    /// Keys (name and id) that the restored data needs, and that are not where the configuration says.
    pub missing: Vec<(String, String)>,
}

/// Restores a backup into a data folder that no server uses, and that is empty but for key files. With `force` one that
/// is not: what was there is kept in a folder inside it. Everything is copied and verified before anything is put in
/// place. Blocks.
pub fn restore(
    from: &Path,
    folder: &Path,
    options: &Options,
    force: bool,
    progress: &mut dyn FnMut(BackupProgress),
) -> Result<Restored> {
    // Before anything is made of the folder.
    let is_folder = match std::fs::metadata(from) {
        Ok(found) => found.is_dir(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Error::NoBackup(from.to_owned())),
        Err(error) => return Err(Error::io(format!("reading {}", from.display()), &error)),
    };
    let is_new = !folder.exists();
    let _owner = own(folder)?;
    let old = entries(folder)?;
    if !old.is_empty() && !force {
        return Err(Error::NotEmpty(folder.to_owned()));
    }
    let staging = folder.join(RESTORING);
    let removed = std::fs::remove_dir_all(&staging);
    if let Err(error) = removed.as_ref()
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(Error::io(format!("clearing {}", staging.display()), error));
    }
    create_folder(&staging)?;
    let unpacked =
        unpack(from, is_folder, &staging, progress).and_then(|manifest| sync_tree(&staging).map(|()| manifest));
    let manifest = unpacked.inspect_err(|_| {
        let _ = std::fs::remove_dir_all(&staging);
        if is_new {
            // It goes only if nothing else came into it meanwhile.
            let _ = std::fs::remove_file(folder.join("lock")).and_then(|()| std::fs::remove_dir(folder));
        }
    })?;
    let replaced = set_aside(folder, &old)?;
    let keys = put_in_place(folder, &staging)?;
    let missing = missing(options, folder, &manifest);
    Ok(Restored { manifest, replaced, keys, missing })
}

/// What is in a data folder, locks and the master key's file left out.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let failed = |error: io::Error| Error::io(format!("listing {}", folder.display()), &error);
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        if !["lock", "rotate.lock", "lost+found", MASTER_FILE].iter().any(|other| *name == **other) {
            entries.push(entry.path());
        }
    }
    Ok(entries)
}

fn bad(from: &Path, reason: impl Into<String>) -> Error {
    Error::BadBackup { path: from.to_owned(), reason: reason.into() }
}

/// Copies a backup's files and proves that they are what its manifest says.
fn unpack(from: &Path, is_folder: bool, staging: &Path, progress: &mut dyn FnMut(BackupProgress)) -> Result<Manifest> {
    let (text, found) =
        if is_folder { unpack_folder(from, staging, progress)? } else { unpack_tar(from, staging, progress)? };
    let manifest = Manifest::parse(&text).map_err(|reason| bad(from, reason))?;
    if manifest.head.schema > SCHEMA {
        let (schema, version) = (manifest.head.schema, &manifest.head.version);
        return Err(bad(
            from,
            format!("it was made by Outcrop {version} (schema {schema}); restore it with that version"),
        ));
    }
    if manifest.files.len() != found.len() {
        return Err(bad(from, "it holds other files than its manifest names"));
    }
    for file in &manifest.files {
        match found.get(&file.name) {
            Some((size, sha256)) if *size == file.size && *sha256 == file.sha256 => {}
            Some(_) => return Err(bad(from, format!("{} is not what its manifest says", file.name))),
            None => return Err(bad(from, format!("{} is missing", file.name))),
        }
    }
    Ok(manifest)
}

/// The manifest, and size and SHA-256 of each file.
type Unpacked = (Vec<u8>, BTreeMap<String, (u64, String)>);

fn unpack_folder(from: &Path, staging: &Path, progress: &mut dyn FnMut(BackupProgress)) -> Result<Unpacked> {
    let open = |name: &str| {
        File::open(from.join(name)).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => bad(from, format!("{name} is missing")),
            _ => Error::io(format!("reading {}", from.join(name).display()), &error),
        })
    };
    let text = short(from, &mut open(MANIFEST)?)?;
    let manifest = Manifest::parse(&text).map_err(|reason| bad(from, reason))?;
    let (mut found, all) = (BTreeMap::new(), manifest.files.len() as u64);
    for file in &manifest.files {
        let entry = place(staging, &file.name, &mut open(&file.name)?)?;
        found.insert(file.name.clone(), entry);
        progress(BackupProgress::Files(found.len() as u64, all));
    }
    Ok((text, found))
}

fn unpack_tar(from: &Path, staging: &Path, progress: &mut dyn FnMut(BackupProgress)) -> Result<Unpacked> {
    // What the library says quotes the file, which may be one of secrets.
    let broken = |_: io::Error| bad(from, "it is neither a backup folder nor a whole .tar file");
    let file = File::open(from).map_err(|error| Error::io(format!("reading {}", from.display()), &error))?;
    let mut archive = tar::Archive::new(file);
    let (mut text, mut found) = (None, BTreeMap::new());
    for entry in archive.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        let name = entry.path().map_err(broken)?.to_string_lossy().into_owned();
        let is_file = entry.header().entry_type() == tar::EntryType::Regular;
        if is_file && name == MANIFEST && text.is_none() {
            text = Some(short(from, &mut entry)?);
        } else if is_file && is_name(&name) && !found.contains_key(&name) {
            let placed = place(staging, &name, &mut entry)?;
            found.insert(name, placed);
            progress(BackupProgress::Files(found.len() as u64, 0));
        } else {
            return Err(bad(from, format!("it holds {name:?}, which is no file of a backup")));
        }
    }
    Ok((text.ok_or_else(|| bad(from, format!("{MANIFEST} is missing")))?, found))
}

fn short(from: &Path, manifest: &mut dyn Read) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    let read = manifest.take(LONGEST + 1).read_to_end(&mut text);
    read.map_err(|error| Error::io(format!("reading {}", from.display()), &error))?;
    if text.len() as u64 > LONGEST {
        return Err(bad(from, "its manifest is too long"));
    }
    Ok(text)
}

/// Writes a file into the staging folder; size and SHA-256.
fn place(staging: &Path, name: &str, content: &mut dyn Read) -> Result<(u64, String)> {
    let path = staging.join(name);
    create_folder(parent(&path))?;
    let mut file = new_file(&path)?;
    let mut content = Hashing::new(content);
    let copied = io::copy(&mut content, &mut file).and_then(|_| file.sync_all());
    copied.map_err(|error| Error::io(format!("restoring {name}"), &error))?;
    Ok(content.finish())
}

/// Moves what was there into a folder of its own.
fn set_aside(folder: &Path, old: &[PathBuf]) -> Result<Option<PathBuf>> {
    let old: Vec<_> = old.iter().filter(|path| !path.ends_with(RESTORING)).collect();
    if old.is_empty() {
        return Ok(None);
    }
    let aside = folder.join(format!("replaced-{}", jiff::Timestamp::now().as_millisecond()));
    create_folder(&aside)?;
    for path in old {
        let name = path.file_name().unwrap_or_default();
        if !name.to_string_lossy().starts_with("replaced-") {
            rename(path, &aside.join(name))?;
        }
    }
    sync_folder(&aside)?;
    Ok(Some(aside))
}

/// Gives what was unpacked its place, the database last. As long as the staging folder is there no server starts.
fn put_in_place(folder: &Path, staging: &Path) -> Result<Vec<PathBuf>> {
    let mut placed = Vec::new();
    let keys = staging.join("keys");
    if keys.exists() {
        let listed = std::fs::read_dir(&keys).map_err(|error| Error::io("listing the backup's keys", &error))?;
        for entry in listed.flatten() {
            let name = entry.file_name();
            let is_master = name.to_string_lossy() == format!("{MASTER}.keys");
            let own = folder.join(MASTER_FILE);
            let to = if is_master && !own.exists() { own } else { folder.join("keys-of-backup").join(name) };
            create_folder(parent(&to))?;
            rename(&entry.path(), &to)?;
            placed.push(to);
        }
    }
    if staging.join("blobs").exists() {
        rename(&staging.join("blobs"), &folder.join("blobs"))?;
    }
    rename(&staging.join(DATABASE), &folder.join(DATABASE))?;
    sync_folder(folder)?;
    let removed = std::fs::remove_dir_all(staging);
    removed.map_err(|error| Error::io(format!("clearing {}", staging.display()), &error))?;
    sync_folder(folder)?;
    Ok(placed)
}

fn rename(from: &Path, to: &Path) -> Result<()> {
    std::fs::rename(from, to)
        .map_err(|error| Error::io(format!("moving {} to {}", from.display(), to.display()), &error))
}

/// The keys that the restored data needs and the configuration does not find.
fn missing(options: &Options, folder: &Path, manifest: &Manifest) -> Vec<(String, String)> {
    let vault = Vault::open(&options.encryption, folder, false);
    let is_missing = |id: &str| match (&vault, id.parse()) {
        (Ok(vault), Ok(id)) => vault.key(id).is_err(),
        _ => true,
    };
    let needed = manifest.head.keys.iter().filter(|key| key.state == "current" || key.state == "old");
    needed.filter(|key| is_missing(&key.id)).map(|key| (key.name.clone(), key.id.clone())).collect()
}

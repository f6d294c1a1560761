//! A bucket that is a folder: this server's own, or one that the operator names.
//!
//! The bytes of an object are a file, put in one step. What else is known of it lies apart ([`sheet`]), so that a folder
//! of the operator's stays what it was. Its own folder takes every key; the operator's takes those that are paths in it.

pub(crate) mod durable;
mod path;
mod sheet;
mod staged;
#[cfg(test)]
mod tests;
mod walk;

pub(crate) use path::OWN;
pub(crate) use sheet::Said;
pub use staged::LARGEST;
pub(crate) use staged::{Staged, hex};

use std::fs::{File, Metadata};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use crate::{BucketError, Condition, Head, Listing, Object, Query, Result};
use path::{is_plain, odd, odd_prefix, of_odd};
use sheet::{Entry, Sheets, Stamp};
use walk::{Bound, Walk};

/// Writers of different keys do not wait for each other, mostly.
const LOCKS: usize = 64;

/// A folder as a bucket. All of it blocks.
#[derive(Debug)]
pub(crate) struct Folder {
    root: PathBuf,
    /// What else is known; on the same file system as the root only where that is this server's own.
    side: PathBuf,
    /// This server's own: it takes every key.
    own: bool,
    sheets: Sheets,
    locks: Vec<Mutex<()>>,
}

impl Folder {
    pub fn new(root: PathBuf, side: PathBuf, own: bool) -> Self {
        let sheets = Sheets(side.join("sheets"));
        Self { root, side, own, sheets, locks: (0..LOCKS).map(|_| Mutex::default()).collect() }
    }

    /// Where new bytes are written: on the file system where they will be.
    pub fn staging(&self) -> PathBuf {
        if self.own { self.side.join("staged") } else { self.root.clone() }
    }

    fn odd_root(&self) -> PathBuf {
        self.side.join("odd")
    }

    /// The file of a plain key, if it is in the folder. A link is only followed to a file, within the operator's folder;
    /// on a file system that takes `a` for `A` only the real name counts.
    fn plain(&self, key: &str) -> io::Result<Option<PathBuf>> {
        if !is_plain(key) {
            return Ok(None);
        }
        let (parent, name) = key.rsplit_once('/').unwrap_or(("", key));
        let found = || {
            let root = self.root.canonicalize()?;
            let folder = root.join(parent).canonicalize()?;
            let path = folder.join(name).canonicalize()?;
            let real =
                folder == joined(&root, parent) && (path == folder.join(name) || !self.own && path.starts_with(&root));
            Ok((real && path.is_file()).then_some(path))
        };
        none_there(found())
    }

    /// The file of a key.
    fn file(&self, key: &str) -> io::Result<Option<PathBuf>> {
        let found = self.plain(key)?;
        if found.is_some() || !self.own {
            return Ok(found);
        }
        let path = self.odd_root().join(odd(key));
        Ok(none_there(std::fs::metadata(&path).map(Some))?.is_some_and(|file| file.is_file()).then_some(path))
    }

    /// An object and its opened file.
    pub fn open(&self, key: &str) -> Result<Option<(Head, File)>> {
        let Some(path) = self.file(key)? else { return Ok(None) };
        let Some(file) = none_there(File::open(path).map(Some))? else { return Ok(None) };
        let metadata = file.metadata()?;
        Ok(metadata.is_file().then(|| (self.told(key, &metadata), file)))
    }

    /// An object without its bytes.
    pub fn head(&self, key: &str) -> Result<Option<Head>> {
        let Some(path) = self.file(key)? else { return Ok(None) };
        let metadata = none_there(std::fs::metadata(path).map(Some))?;
        Ok(metadata.filter(Metadata::is_file).map(|metadata| self.told(key, &metadata)))
    }

    fn told(&self, key: &str, metadata: &Metadata) -> Head {
        let stamp = Stamp::of(metadata);
        let said = match self.sheets.entry(key, stamp) {
            Some(entry) => entry.said,
            None => Said { etag: stamp.etag(), ..Said::default() },
        };
        let Said { etag, attributes, parts, .. } = said;
        let modified = metadata.modified().ok().and_then(|at| Timestamp::try_from(at).ok()).unwrap_or_default();
        let content_type = attributes.content_type.clone();
        Head {
            object: Object { key: key.to_owned(), size: metadata.len(), etag, modified, content_type },
            attributes,
            parts,
        }
    }

    /// An object that an upload has made, if it is still that one.
    pub fn completed(&self, key: &str, upload: &str, etag: &str) -> Result<Option<Head>> {
        let Some(path) = self.file(key)? else { return Ok(None) };
        let Some(metadata) = none_there(std::fs::metadata(path).map(Some))? else { return Ok(None) };
        let entry = self.sheets.entry(key, Stamp::of(&metadata));
        let same = entry.is_some_and(|Entry { said, .. }| said.upload.as_deref() == Some(upload) && said.etag == etag);
        Ok(same.then(|| self.told(key, &metadata)))
    }

    /// Makes staged bytes the object, if the condition holds.
    pub fn put(&self, key: &str, staged: &Staged, said: Said, condition: &Condition) -> Result<Head> {
        if !self.own && !is_plain(key) {
            let text = format!("This bucket is a folder, and the key is no path in it: {key}");
            return Err(BucketError::Invalid(text));
        }
        let _alone = self.lock(key);
        let there = self.head(key)?;
        condition.check(there.as_ref().map(|head| head.object.etag.as_str()))?;
        let place = self.file(key)?;
        let stamp = place.as_deref().and_then(|path| std::fs::metadata(path).ok()).map(|file| Stamp::of(&file));
        let metadata = staged.metadata()?;
        let entry = Entry { stamp: Stamp::of(&metadata), said };
        self.sheets.announce(key, entry, stamp)?;
        let odd_place = self.odd_root().join(odd(key));
        let is_odd = self.own && (!is_plain(key) || place.as_ref() == Some(&odd_place));
        match if is_odd { Err(io::ErrorKind::IsADirectory.into()) } else { self.put_plain(key, staged) } {
            Ok(()) => {}
            // A folder stands where the file would, or a file where a folder would: S3 has both.
            Err(error) if self.own && in_the_way(error.kind()) => {
                durable::folders(odd_place.parent().unwrap_or(&odd_place))?;
                staged.rename(&odd_place)?;
            }
            Err(error) if in_the_way(error.kind()) => {
                let text = format!("This bucket is a folder, and another file or folder is in the way of {key}");
                return Err(BucketError::Invalid(text));
            }
            Err(error) => return Err(error.into()),
        }
        Ok(self.told(key, &metadata))
    }

    fn put_plain(&self, key: &str, staged: &Staged) -> io::Result<()> {
        let (parent, name) = key.rsplit_once('/').unwrap_or(("", key));
        let root = self.root.canonicalize()?;
        let folder = joined(&root, parent);
        // As far as it is there it must be itself, and not lead elsewhere; the rest is new.
        let mut known = folder.as_path();
        while known != root && known.symlink_metadata().is_err() {
            known = known.parent().unwrap_or(&root);
        }
        if known.canonicalize()? != known || !known.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        let path = folder.join(name);
        // On a file system without letter case another object may answer to this name.
        if path.is_dir() || path.is_file() && self.own && path.canonicalize()? != path {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        // Who deletes the last object of a folder takes the folder away.
        loop {
            durable::folders(&folder)?;
            match staged.rename(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound && !folder.is_dir() => {}
                other => return other,
            }
        }
    }

    /// Deletes an object, there or not, if the condition holds.
    pub fn delete(&self, key: &str, condition: &Condition) -> Result<()> {
        let _alone = self.lock(key);
        if *condition != Condition::None {
            condition.check(self.head(key)?.as_ref().map(|head| head.object.etag.as_str()))?;
        }
        if let Some(path) = self.link_or_file(key)? {
            durable::absent(std::fs::remove_file(&path))?;
            let folder = path.parent().unwrap_or(&path);
            durable::absent(durable::sync(folder))?;
            self.tidy(folder);
        }
        Ok(self.sheets.forget(key)?)
    }

    /// What is to be deleted: of a link itself, not what it leads to.
    fn link_or_file(&self, key: &str) -> io::Result<Option<PathBuf>> {
        let Some(path) = self.file(key)? else { return Ok(None) };
        let named = if self.own { path } else { joined(&self.root.canonicalize()?, key) };
        Ok(Some(named))
    }

    /// Takes empty folders away that only led to an object.
    fn tidy(&self, folder: &Path) {
        let root = if folder.starts_with(&self.side) { self.odd_root() } else { self.root.clone() };
        let Ok(root) = root.canonicalize() else { return };
        let Ok(folder) = folder.canonicalize() else { return };
        let mut at = folder.as_path();
        // The first that is not empty ends it.
        while self.own && at != root && at.starts_with(&root) && std::fs::remove_dir(at).is_ok() {
            at = at.parent().unwrap_or(&root);
        }
    }

    /// Some of the objects.
    pub fn list(&self, query: &Query) -> Result<Listing> {
        let mut keys = self.keys(query)?;
        let mut listing = Listing::default();
        let mut last = None;
        while let Some(key) = keys.next()? {
            let told = query.delimiter.as_deref().filter(|d| !d.is_empty()).and_then(|delimiter| {
                let behind = key.get(query.prefix.len()..)?;
                let at = behind.find(delimiter)?;
                key.get(..query.prefix.len() + at + delimiter.len())
            });
            if listing.objects.len() + listing.prefixes.len() == query.limit {
                listing.next = last;
                break;
            }
            match told {
                Some(told) => {
                    listing.prefixes.push(told.to_owned());
                    keys.pass(told)?;
                    last = Some(told.to_owned());
                }
                None => {
                    // It may have been deleted since.
                    if let Some(head) = self.head(&key)? {
                        listing.objects.push(head.object);
                        last = Some(key);
                    }
                }
            }
        }
        Ok(listing)
    }

    fn keys(&self, query: &Query) -> Result<Keys> {
        let delimiter = query.delimiter.as_deref().filter(|d| !d.is_empty());
        // What was told as one part is behind the reader as a whole.
        let past = |after: &str| {
            let (behind, delimiter) = after.strip_prefix(&query.prefix).zip(delimiter).unwrap_or_default();
            !delimiter.is_empty() && behind.find(delimiter).is_some_and(|at| at + delimiter.len() == behind.len())
        };
        let bound = |plain: bool| match query.after.as_deref() {
            None => Bound::Start,
            Some(after) if past(after) && plain => Bound::Past(after.to_owned()),
            Some(after) if past(after) => Bound::Past(odd_prefix(after)),
            Some(after) if plain => Bound::After(after.to_owned()),
            Some(after) => Bound::After(odd(after)),
        };
        let plain = Walk::new(&self.root, query.prefix.clone(), bound(true), !self.own)?;
        let odd = match self.own {
            true => Some(Walk::new(&self.odd_root(), odd_prefix(&query.prefix), bound(false), false)?),
            false => None,
        };
        Ok(Keys { plain, odd, next_plain: None, next_odd: None, begun: false })
    }

    /// Whether there is no object.
    pub fn is_empty(&self) -> Result<bool> {
        let listing = self.list(&Query { limit: 1, ..Query::default() })?;
        Ok(listing.objects.is_empty())
    }

    fn lock(&self, key: &str) -> std::sync::MutexGuard<'_, ()> {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        let at = usize::try_from(hasher.finish() % LOCKS as u64).unwrap_or_default();
        self.locks[at].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The keys of both trees in one order.
struct Keys {
    plain: Walk,
    odd: Option<Walk>,
    next_plain: Option<String>,
    next_odd: Option<String>,
    begun: bool,
}

impl Keys {
    fn next(&mut self) -> io::Result<Option<String>> {
        if !self.begun {
            self.begun = true;
            self.step_plain()?;
            self.step_odd()?;
        }
        let odd_first = match (&self.next_plain, &self.next_odd) {
            (Some(plain), Some(odd)) => odd < plain,
            (plain, _) => plain.is_none(),
        };
        if odd_first {
            let key = self.next_odd.take();
            self.step_odd()?;
            return Ok(key);
        }
        let key = self.next_plain.take();
        self.step_plain()?;
        if key.is_some() && self.next_odd == key {
            // In both trees; reading finds the plain one.
            self.step_odd()?;
        }
        Ok(key)
    }

    /// Goes on behind all that begins with `told`.
    fn pass(&mut self, told: &str) -> io::Result<()> {
        self.plain.seek(Bound::Past(told.to_owned()));
        if let Some(odd) = &mut self.odd {
            odd.seek(Bound::Past(odd_prefix(told)));
        }
        if self.next_plain.as_ref().is_some_and(|key| key.starts_with(told)) {
            self.step_plain()?;
        }
        if self.next_odd.as_ref().is_some_and(|key| key.starts_with(told)) {
            self.step_odd()?;
        }
        Ok(())
    }

    fn step_plain(&mut self) -> io::Result<()> {
        self.next_plain = self.plain.next()?;
        Ok(())
    }

    fn step_odd(&mut self) -> io::Result<()> {
        self.next_odd = None;
        if let Some(odd) = &mut self.odd {
            while let Some(path) = odd.next()? {
                self.next_odd = of_odd(&path);
                if self.next_odd.is_some() {
                    break;
                }
            }
        }
        Ok(())
    }
}

/// `root/below`, without an end in `/` where there is nothing below.
fn joined(root: &Path, below: &str) -> PathBuf {
    if below.is_empty() { root.to_owned() } else { root.join(below) }
}

/// What is not there, or not there under this name, is no failure.
fn none_there<T>(found: io::Result<Option<T>>) -> io::Result<Option<T>> {
    use io::ErrorKind::{InvalidFilename, InvalidInput, NotADirectory, NotFound};
    // Links that lead in a circle: ELOOP, which the standard library does not name yet.
    let circle = |error: &io::Error| matches!(error.raw_os_error(), Some(40 | 62));
    match found {
        Err(error) if matches!(error.kind(), NotFound | NotADirectory | InvalidFilename | InvalidInput) => Ok(None),
        Err(error) if circle(&error) => Ok(None),
        other => other,
    }
}

fn in_the_way(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{AlreadyExists, DirectoryNotEmpty, IsADirectory, NotADirectory};
    matches!(kind, AlreadyExists | DirectoryNotEmpty | IsADirectory | NotADirectory)
}

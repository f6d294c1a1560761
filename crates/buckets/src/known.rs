//! Which buckets there are: those that the operator has named, and those that callers have made.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use jiff::Timestamp;

use crate::bucket::{Behind, Bucket, BucketInfo, Record};
use crate::folder::{Folder, OWN, durable};
use crate::names::is_bucket;
use crate::remote::Remote;
use crate::{BucketError, Result};

/// What the configuration says of buckets.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Buckets by name.
    pub named: BTreeMap<String, Named>,
    /// Whose the folders in the data folder are of which nobody has said so.
    pub ownerless: Option<String>,
    /// Where buckets are that nobody has made.
    pub region: String,
}

/// A bucket that the operator has named.
#[derive(Debug, Clone)]
pub struct Named {
    /// Whose it is.
    pub account: Option<String>,
    /// Whether nobody writes.
    pub read_only: bool,
    /// What is behind it.
    pub place: Place,
}

/// What is behind a bucket that the operator has named.
#[derive(Debug, Clone)]
pub enum Place {
    /// A folder of this server's own.
    Own,
    /// A folder of the operator's.
    Folder(PathBuf),
    /// A bucket in an object store.
    Remote(Arc<Remote>),
}

/// All buckets of a data folder.
#[derive(Debug)]
pub(crate) struct Known {
    data: PathBuf,
    settings: ArcSwap<Opened>,
    /// Buckets in the data folder that were met. The lock is held to make or take away one.
    met: Mutex<HashMap<String, Arc<Bucket>>>,
}

/// The settings, opened.
#[derive(Debug, Default)]
struct Opened {
    buckets: BTreeMap<String, Arc<Bucket>>,
    settings: Settings,
}

impl Known {
    pub fn open(data: &Path, settings: Settings) -> Self {
        let known = Self { data: data.to_owned(), settings: ArcSwap::default(), met: Mutex::default() };
        known.sweep();
        known.configure(settings);
        known
    }

    /// Takes away what a crash has left half written. Nobody writes yet.
    fn sweep(&self) {
        let Ok(sides) = std::fs::read_dir(self.data.join("buckets-aside")) else { return };
        for side in sides.flatten().map(|side| side.path()) {
            told(durable::absent(std::fs::remove_dir_all(side.join("staged"))), &side);
            for upload in std::fs::read_dir(side.join("uploads")).into_iter().flatten().flatten() {
                told(durable::sweep(&upload.path()), &side);
            }
        }
    }

    pub fn configure(&self, settings: Settings) {
        let before = self.settings.load_full();
        let mut buckets = BTreeMap::new();
        for (name, named) in &settings.named {
            let behind = match &named.place {
                Place::Own => {
                    if let Err(error) = durable::folders(&self.root(name)) {
                        tracing::error!(%error, bucket = name, "the folder of a bucket cannot be made");
                    }
                    Behind::Folder(Arc::new(self.own_folder(name)))
                }
                Place::Remote(remote) => Behind::Remote(Arc::clone(remote)),
                Place::Folder(folder) => {
                    let same = |before: &Named| matches!(&before.place, Place::Folder(before) if before == folder);
                    let opened = before.buckets.get(name).filter(|_| before.settings.named.get(name).is_some_and(same));
                    match opened {
                        // Writers under way hold its locks.
                        Some(opened) => opened.behind.clone(),
                        None => {
                            if !named.read_only {
                                told(durable::sweep(folder), folder);
                            }
                            Behind::Folder(Arc::new(Folder::new(folder.clone(), self.side(name), false)))
                        }
                    }
                }
            };
            let info =
                BucketInfo { name: name.clone(), region: settings.region.clone(), created: Timestamp::UNIX_EPOCH };
            let account = named.account.clone().or_else(|| settings.ownerless.clone());
            let bucket = Bucket { info, account, read_only: named.read_only, behind };
            buckets.insert(name.clone(), Arc::new(bucket));
        }
        self.lock().clear();
        self.settings.store(Arc::new(Opened { buckets, settings }));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Bucket>>> {
        self.met.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn root(&self, name: &str) -> PathBuf {
        self.data.join("buckets").join(name)
    }

    fn side(&self, name: &str) -> PathBuf {
        self.data.join("buckets-aside").join(name)
    }

    fn own_folder(&self, name: &str) -> Folder {
        Folder::new(self.root(name), self.side(name), true)
    }

    /// Where bytes wait that another service will get.
    pub fn staging(&self, name: &str) -> PathBuf {
        self.side(name).join("staged")
    }

    /// Where the uploads in parts to a bucket lie.
    pub fn uploads(&self, name: &str) -> PathBuf {
        self.side(name).join("uploads")
    }

    /// The bucket of a name.
    pub fn find(&self, name: &str) -> Option<Arc<Bucket>> {
        if let Some(named) = self.settings.load().buckets.get(name) {
            return Some(Arc::clone(named));
        }
        self.met_or_read(&mut self.lock(), name)
    }

    fn met_or_read(&self, met: &mut HashMap<String, Arc<Bucket>>, name: &str) -> Option<Arc<Bucket>> {
        if !is_bucket(name) || !self.root(name).is_dir() {
            met.remove(name);
            return None;
        }
        if let Some(bucket) = met.get(name) {
            return Some(Arc::clone(bucket));
        }
        let settings = self.settings.load();
        let record = Record::read(&self.side(name));
        let info = BucketInfo {
            name: name.to_owned(),
            region: record.as_ref().map_or_else(|| settings.settings.region.clone(), |record| record.region.clone()),
            created: record.as_ref().map_or(Timestamp::UNIX_EPOCH, |record| record.created),
        };
        let account = record.map(|record| record.account).or_else(|| settings.settings.ownerless.clone());
        let behind = Behind::Folder(Arc::new(self.own_folder(name)));
        let bucket = Arc::new(Bucket { info, account, read_only: false, behind });
        met.insert(name.to_owned(), Arc::clone(&bucket));
        Some(bucket)
    }

    /// Makes a bucket for an account.
    pub fn create(&self, name: &str, account: &str, region: &str) -> Result<()> {
        if !is_bucket(name) {
            let text = "The specified bucket is not valid.".to_owned();
            return Err(BucketError::Sent { code: "InvalidBucketName", text });
        }
        let mut met = self.lock();
        let named = self.settings.load().buckets.get(name).cloned();
        if let Some(there) = named.or_else(|| self.met_or_read(&mut met, name)) {
            return Err(if there.account.as_deref() == Some(account) {
                BucketError::Owned
            } else {
                BucketError::Exists
            });
        }
        let side = self.side(name);
        // Of a bucket of this name that was taken away.
        durable::absent(std::fs::remove_dir_all(&side))?;
        let record = Record { account: account.to_owned(), region: region.to_owned(), created: Timestamp::now() };
        record.write(&side)?;
        Ok(durable::folders(&self.root(name))?)
    }

    /// Takes an empty bucket away.
    pub fn remove(&self, name: &str) -> Result<()> {
        let mut met = self.lock();
        let Some(bucket) = self.met_or_read(&mut met, name) else {
            return Err(BucketError::NoSuchBucket(name.to_owned()));
        };
        if let Behind::Folder(folder) = &bucket.behind
            && !folder.is_empty()?
        {
            return Err(BucketError::NotEmpty);
        }
        let root = self.root(name);
        if !remove_empty(&root)? {
            return Err(BucketError::NotEmpty);
        }
        met.remove(name);
        durable::sync(&self.data.join("buckets"))?;
        Ok(durable::absent(std::fs::remove_dir_all(self.side(name)))?)
    }

    /// Whose a bucket is, where somebody has said so.
    pub fn owner(&self, name: &str) -> Option<String> {
        let settings = self.settings.load();
        match settings.settings.named.get(name) {
            Some(named) => named.account.clone(),
            None => Record::read(&self.side(name)).filter(|_| is_bucket(name)).map(|record| record.account),
        }
    }

    /// Whether the operator has named it.
    pub fn is_named(&self, name: &str) -> bool {
        self.settings.load().buckets.contains_key(name)
    }

    /// The buckets of an account, by name.
    pub fn of(&self, account: &str) -> Result<Vec<BucketInfo>> {
        let mut all: BTreeMap<String, Arc<Bucket>> = self.settings.load().buckets.clone();
        let folders = match std::fs::read_dir(self.data.join("buckets")) {
            Ok(folders) => folders,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::infos(&all, account));
            }
            Err(error) => return Err(error.into()),
        };
        for folder in folders {
            let Ok(name) = folder?.file_name().into_string() else { continue };
            if !all.contains_key(&name)
                && let Some(bucket) = self.find(&name)
            {
                all.insert(name, bucket);
            }
        }
        Ok(Self::infos(&all, account))
    }

    fn infos(all: &BTreeMap<String, Arc<Bucket>>, account: &str) -> Vec<BucketInfo> {
        let own = all.values().filter(|bucket| bucket.account.as_deref() == Some(account));
        own.map(|bucket| bucket.info.clone()).collect()
    }
}

/// Says where half-written objects could not be taken away; that keeps nothing from working.
fn told(swept: std::io::Result<()>, folder: &Path) {
    if let Err(error) = swept {
        tracing::warn!(%error, folder = %folder.display(), "half-written objects could not be taken away");
    }
}

/// Takes a tree of empty folders away; false where there is a file in it.
fn remove_empty(folder: &Path) -> std::io::Result<bool> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let own = entry.file_name().to_str().is_some_and(|name| name.starts_with(OWN));
        if entry.file_type()?.is_dir() {
            if !remove_empty(&entry.path())? {
                return Ok(false);
            }
        } else if own {
            durable::absent(std::fs::remove_file(entry.path()))?;
        } else {
            return Ok(false);
        }
    }
    match std::fs::remove_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::DirectoryNotEmpty => Ok(false),
        other => other.map(|()| true),
    }
}

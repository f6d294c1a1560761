//! The keys that this process holds. Which of a name's keys is the current one is not kept here: that is a row of
//! the database, so that all processes agree on it.

use std::collections::{BTreeMap, HashMap};
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use crate::backup::is_key_name;
use crate::keys::{self, Key, MASTER, hex, random};
use crate::sqlite::sync_folder;
use crate::{Encryption, Error, KeyId, KeySource, Result};

/// The key file that is made where none is configured.
pub(crate) const MASTER_FILE: &str = "master.keys";
/// How long a key that no source has is not looked for again: a source may be a program.
const MISSING: Duration = Duration::from_secs(5);

/// The current key of each name.
pub(crate) type Currents = BTreeMap<String, KeyId>;
type Registry = Box<dyn Fn() -> Result<Currents> + Send + Sync>;

/// The keys of a store and of the blobs beside it.
pub struct Vault {
    sources: BTreeMap<String, KeySource>,
    default_key: Option<String>,
    held: RwLock<Held>,
    registry: OnceLock<Registry>,
}

#[derive(Default)]
struct Held {
    keys: HashMap<KeyId, (Arc<Key>, String)>,
    rings: BTreeMap<String, Result<Vec<KeyId>>>,
    missing: HashMap<KeyId, Instant>,
}

impl Vault {
    /// Reads every source. One that cannot be read is told when its keys are needed. A master key is made where
    /// none is configured and `may_make` says that nothing can depend on an earlier one.
    pub(crate) fn open(encryption: &Encryption, folder: &Path, may_make: bool) -> Result<Self> {
        let mut sources = encryption.keys.clone();
        if !sources.contains_key(MASTER) {
            let path = folder.join(MASTER_FILE);
            if may_make && !path.exists() {
                make(&path)?;
            }
            sources.insert(MASTER.to_owned(), KeySource::File(path));
        }
        if let Some(name) = &encryption.default_key
            && !sources.contains_key(name)
        {
            return Err(Error::UnknownKeyName(name.clone()));
        }
        if let Some(name) = sources.keys().find(|name| !is_key_name(name)) {
            let reason = "a key's name has 1 to 64 letters, digits, - and _".to_owned();
            return Err(Error::KeySource { place: format!("{name:?}"), reason });
        }
        let default_key = encryption.default_key.clone();
        let vault = Self { sources, default_key, held: RwLock::default(), registry: OnceLock::new() };
        vault.reload();
        Ok(vault)
    }

    /// Reads every source again.
    pub(crate) fn reload(&self) {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        self.read_into(&mut held);
    }

    fn read_into(&self, held: &mut Held) {
        for (name, source) in &self.sources {
            let ring = source.read().map(|keys| {
                let ids = keys.iter().map(|key| key.id).collect();
                for key in keys {
                    held.keys.entry(key.id).or_insert_with(|| (Arc::new(key), name.clone()));
                }
                ids
            });
            held.rings.insert(name.clone(), ring);
        }
    }

    /// The key of an id. One that is new is looked for where the others came from: another process may have
    /// rotated them.
    pub(crate) fn key(&self, id: KeyId) -> Result<Arc<Key>> {
        let found = |held: &Held| held.keys.get(&id).map(|(key, _)| key.clone());
        if let Some(key) = found(&self.held.read().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(key);
        }
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = found(&held) {
            return Ok(key);
        }
        if held.missing.get(&id).is_none_or(|since| since.elapsed() > MISSING) {
            self.read_into(&mut held);
            if let Some(key) = found(&held) {
                tracing::info!(key = %id, "a key was added by another process");
                return Ok(key);
            }
            held.missing.retain(|_, since| since.elapsed() <= MISSING);
            held.missing.insert(id, Instant::now());
        }
        Err(Error::UnknownKey(id))
    }

    /// The name that a key goes by.
    pub(crate) fn name_of(&self, id: KeyId) -> Option<String> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        held.keys.get(&id).map(|(_, name)| name.clone())
    }

    /// The keys of a name, oldest first.
    pub(crate) fn ring(&self, name: &str) -> Result<Vec<KeyId>> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        held.rings.get(name).cloned().unwrap_or_else(|| Err(Error::UnknownKeyName(name.to_owned())))
    }

    /// The keys of a name as the text of a key file.
    pub(crate) fn export(&self, name: &str) -> Result<Zeroizing<String>> {
        let mut text = Zeroizing::new(PREFACE.to_owned());
        for id in self.ring(name)? {
            text.push_str(&self.key(id)?.line());
        }
        Ok(text)
    }

    /// Where the keys of each name are.
    pub(crate) fn sources(&self) -> &BTreeMap<String, KeySource> {
        &self.sources
    }

    /// The name that seals what asks for `name`, or for none.
    pub(crate) fn sealing_name<'a>(&'a self, name: Option<&'a str>) -> Option<&'a str> {
        name.or(self.default_key.as_deref())
    }

    /// Says, once, how to learn the current keys outside a transaction.
    pub(crate) fn register(&self, registry: Registry) {
        let _ = self.registry.set(registry);
    }

    /// The current key of a name.
    pub(crate) fn current(&self, name: &str) -> Result<Arc<Key>> {
        let currents = self.registry.get().map_or_else(|| Ok(Currents::new()), |currents| currents())?;
        self.key(*currents.get(name).ok_or_else(|| Error::UnknownKeyName(name.to_owned()))?)
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").field("sources", &self.sources).finish_non_exhaustive()
    }
}

const PREFACE: &str = "\
# The keys that seal what this Outcrop keeps: one a line, the newest last. Without them its secrets and everything
# sealed are lost; with them everybody can read it. Keep a copy apart from the data, and apart from its backups.
";

/// Makes a key file with one key, unless another process has made it meanwhile.
fn make(path: &Path) -> Result<()> {
    let mut name = [0; 8];
    random(&mut name)?;
    let text = Zeroizing::new(format!("{PREFACE}{}", &*Key::generate()?.line()));
    let unfinished = path.with_extension(format!("keys.{}", hex(&name)));
    write_private(&unfinished, text.as_bytes())?;
    // A link does not replace: whoever is second reads the first one's key.
    let linked = std::fs::hard_link(&unfinished, path);
    let _ = std::fs::remove_file(&unfinished);
    match linked {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(Error::io(format!("making {}", path.display()), &error))
        }
        _ => path.parent().map_or(Ok(()), sync_folder),
    }
}

/// Adds a new key at the end of a key file; answers its id.
pub(crate) fn append(path: &Path) -> Result<KeyId> {
    let failed = |error: std::io::Error| Error::io(format!("adding a key to {}", path.display()), &error);
    let mut text = Zeroizing::new(std::fs::read_to_string(path).map_err(failed)?);
    keys::parse(&text).map_err(|reason| Error::KeySource { place: path.display().to_string(), reason })?;
    if !text.ends_with('\n') {
        text.push('\n');
    }
    let key = Key::generate()?;
    text.push_str(&key.line());
    // Renamed into place whole: a reader never sees half a key, and a crash leaves the old file.
    let unfinished = path.with_extension("keys.new");
    let _ = std::fs::remove_file(&unfinished);
    write_private(&unfinished, text.as_bytes())?;
    std::fs::rename(&unfinished, path).map_err(failed)?;
    path.parent().map_or(Ok(()), sync_folder)?;
    Ok(key.id)
}

/// A file that only this user may read, on disk when this returns.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> Result<()> {
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let written = opened.and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
    written.map_err(|error| {
        let _ = std::fs::remove_file(path);
        Error::io(format!("writing {}", path.display()), &error)
    })
}

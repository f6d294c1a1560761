//! Changing the keys of a store, beside a server that runs on it.
//!
//! First the new key is where the server finds it, then one transaction makes it the current one: from then on every
//! process seals with it, because which key is current is read inside each transaction that writes. Then what the
//! old one has wrapped is wrapped again, a few rows at a time. Killed at any moment, the next run goes on from there.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::apply::Applied;
use super::keys::{self, KeyInfo, KeyState};
use super::open::{self, explain_at};
use super::{Options, rewrap};
use crate::keys::KeySource;
use crate::vault::{Vault, append};
use crate::{Error, KeyId, Result, folder};

/// What a rotation came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotated {
    /// The keys' name.
    pub name: String,
    /// The keys that open nothing any more.
    pub old: Vec<KeyId>,
    /// The key that seals from now on.
    pub new: KeyId,
    /// Rows that were sealed with the new one.
    pub rows: u64,
    /// Blobs that were.
    pub blobs: u64,
}

/// How far a rotation has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// This key is the current one of its name from now on.
    Chosen(String, KeyId),
    /// So many rows are done, of so many.
    Rows(u64, u64),
    /// So many blobs are done, of so many.
    Blobs(u64, u64),
}

/// Gives every name in `names` a new key, or finishes the rotation that was interrupted. Blocks. With a default key
/// configured, rows that still lie in clear are sealed too.
pub fn rotate(
    folder: &Path,
    options: &Options,
    names: &[String],
    progress: &mut dyn FnMut(Progress),
) -> Result<Vec<Rotated>> {
    let path = folder.join("outcrop.db");
    let only = open::private(&folder.join("rotate.lock"))?;
    if only.try_lock().is_err() {
        let context = format!("rotating the keys of {}", folder.display());
        return Err(Error::Io { context, reason: "another rotation is running".to_owned() });
    }
    let (mut connection, vault) = open::writer(&path, options, false)?;
    let explained = |failure| match failure {
        super::apply::Failure::Condition(error) => error,
        super::apply::Failure::Database(error) => explain_at(&path, "rotating the keys of", &error),
    };
    let mut done = Vec::new();
    for name in names {
        let olds = begin(&mut connection, &vault, folder, name, progress).map_err(explained)?;
        let current = keys::currents(&connection).map_err(explained)?;
        let new = *current.get(name).ok_or_else(|| Error::UnknownKeyName(name.clone()))?;
        let mut rotated = Rotated { name: name.clone(), old: Vec::new(), new, rows: 0, blobs: 0 };
        for old in olds {
            let all = keys::sealed_rows(&connection, &old.to_string()).map_err(|error| explained(error.into()))?;
            let tell = &mut |rows| progress(Progress::Rows(rows, all));
            rotated.rows += rewrap::rows(&mut connection, &vault, old, new, tell).map_err(explained)?;
            let blobs = &folder.join(BLOBS);
            let tell = &mut |blobs, all| progress(Progress::Blobs(blobs, all));
            rotated.blobs += folder::rewrap(blobs, &vault, old, new, tell)?;
            retire(&connection, blobs, old).map_err(explained)?;
            rotated.old.push(old);
        }
        if vault.sealing_name(None) == Some(name) {
            let tell = &mut |rows| progress(Progress::Rows(rows, rows));
            rotated.rows += rewrap::clear_rows(&mut connection, &vault, new, tell).map_err(explained)?;
        }
        done.push(rotated);
    }
    Ok(done)
}

/// Where in the data folder blobs are.
pub(crate) const BLOBS: &str = "blobs";

/// Makes a new key the current one, unless an earlier rotation has not been finished; answers what is to be replaced.
fn begin(
    connection: &mut Connection,
    vault: &Vault,
    folder: &Path,
    name: &str,
    progress: &mut dyn FnMut(Progress),
) -> Applied<Vec<KeyId>> {
    let of_name = |connection: &Connection| -> Applied<Vec<KeyInfo>> {
        Ok(keys::all(connection)?.into_iter().filter(|key| key.name == name).collect())
    };
    let olds = |known: &[KeyInfo]| -> Vec<KeyId> {
        known.iter().filter(|key| key.state == KeyState::Old).map(|key| key.id).collect()
    };
    let known = of_name(connection)?;
    if !olds(&known).is_empty() {
        return Ok(olds(&known));
    }
    let Some(source) = vault.sources().get(name) else { return Err(Error::UnknownKeyName(name.to_owned()).into()) };
    let new = choose(vault, folder, name, source, &known)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    keys::note(&transaction, name, new, "ready", &source.to_string())?;
    transaction.execute("UPDATE keys SET state = 'old' WHERE name = ? AND state = 'current'", [name])?;
    transaction.execute("UPDATE keys SET state = 'current' WHERE id = ?", [new.to_string()])?;
    transaction.commit()?;
    progress(Progress::Chosen(name.to_owned(), new));
    Ok(olds(&of_name(connection)?))
}

/// The newest key of a source that was not used yet; a new one where there is none and the source can be written.
fn choose(vault: &Vault, folder: &Path, name: &str, source: &KeySource, known: &[KeyInfo]) -> Result<KeyId> {
    let refuse = |reason: &str| Err(Error::KeySource { place: source.to_string(), reason: reason.to_owned() });
    let state = |id: KeyId| known.iter().find(|key| key.id == id).map(|key| key.state);
    let unused = |id: &KeyId| matches!(state(*id), None | Some(KeyState::Ready));
    let newest = vault.ring(name)?.into_iter().rev().find(unused);
    match (newest, source) {
        (Some(id), KeySource::Other(other)) if !other.live && state(id).is_none() && is_served(folder) => {
            let _ = id;
            refuse("the running server does not know its newest key yet; restart the server with it, then rotate")
        }
        (Some(id), _) => Ok(id),
        (None, KeySource::File(path)) => {
            let id = append(path)?;
            vault.reload();
            Ok(id)
        }
        (None, KeySource::Other(_)) => {
            refuse("it holds no key that is not in use; add one at its end (`openssl rand -hex 32` makes one)")
        }
    }
}

fn is_served(folder: &Path) -> bool {
    matches!(open::own(folder), Err(Error::InUse(_)))
}

/// Takes note that a key opens nothing here any more, where that is so.
fn retire(connection: &Connection, blobs: &Path, old: KeyId) -> Applied<()> {
    let rows = keys::sealed_rows(connection, &old.to_string())?;
    let blobs = if blobs.exists() { folder::survey(blobs)?.get(&old).copied().unwrap_or(0) } else { 0 };
    if rows + blobs > 0 {
        let reason = format!("{rows} rows and {blobs} blobs are still sealed with {old}; rotate again");
        return Err(Error::Io { context: "finishing the rotation".to_owned(), reason }.into());
    }
    connection.execute("UPDATE keys SET state = 'retired' WHERE id = ?", [old.to_string()])?;
    Ok(())
}

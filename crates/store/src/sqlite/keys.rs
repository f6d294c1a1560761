//! The table of keys: which there are, and which of a name's seals what is written.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, params};

use super::apply::{Applied, Failure, now};
use super::seal;
use crate::vault::{Currents, Vault};
use crate::{Error, KeyId, keys::MASTER};

/// What a key is at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// Configured, not used yet.
    Ready,
    /// Seals what is written.
    Current,
    /// Opens what a rotation has not reached yet.
    Old,
    /// Opens nothing here any more; backups made earlier may need it.
    Retired,
}

impl std::fmt::Display for KeyState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Ready => "ready",
            Self::Current => "current",
            Self::Old => "old",
            Self::Retired => "retired",
        })
    }
}

/// A key, and what it protects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyInfo {
    /// Which.
    pub id: KeyId,
    /// The name that it is configured under.
    pub name: String,
    /// What it is at the moment.
    pub state: KeyState,
    /// Where it was last seen.
    pub source: String,
    /// When this store first saw it.
    pub made: jiff::Timestamp,
    /// Secrets, documents and queue rows that it opens.
    pub rows: u64,
    /// Blobs that it opens.
    pub blobs: u64,
}

pub(super) fn currents(connection: &Connection) -> Applied<Currents> {
    let mut statement = connection.prepare_cached("SELECT name, id FROM keys WHERE state = 'current'")?;
    let rows = statement.query_map((), |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    let mut currents = Currents::new();
    for row in rows {
        let (name, id) = row?;
        currents.insert(name, id.parse()?);
    }
    Ok(currents)
}

/// Every key, by name and age.
pub(super) fn all(connection: &Connection) -> Applied<Vec<KeyInfo>> {
    let mut statement = connection
        .prepare_cached("SELECT id, name, state, source, made FROM keys ORDER BY name != 'master', name, made, id")?;
    let rows = statement.query_map((), |row| {
        let texts: [String; 4] = [row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?];
        Ok((texts, row.get::<_, i64>(4)?))
    })?;
    let mut all = Vec::new();
    for row in rows {
        let ([id, name, state, source], made) = row?;
        let state = match state.as_str() {
            "ready" => KeyState::Ready,
            "current" => KeyState::Current,
            "old" => KeyState::Old,
            _ => KeyState::Retired,
        };
        let (id, rows, made) = (id.parse()?, sealed_rows(connection, &id)?, super::read::timestamp(made));
        all.push(KeyInfo { id, name, state, source, made, rows, blobs: 0 });
    }
    Ok(all)
}

/// Every key, where the schema is one that has keys.
pub(crate) fn key_table(connection: &Connection, path: &Path) -> crate::Result<Vec<KeyInfo>> {
    if super::schema(connection, path)? < 2 {
        return Ok(Vec::new());
    }
    all(connection).map_err(|failure| match failure {
        Failure::Condition(error) => error,
        Failure::Database(error) => super::explain_at(path, "reading", &error),
    })
}

/// How many rows a key seals.
pub(super) fn sealed_rows(connection: &Connection, id: &str) -> rusqlite::Result<u64> {
    let mut rows = 0;
    for table in seal::TABLES {
        let sql = format!("SELECT count(*) FROM {table} WHERE sealed_by = ?");
        rows += connection.prepare_cached(&sql)?.query_row([id], |row| row.get::<_, i64>(0))?.unsigned_abs();
    }
    Ok(rows)
}

/// Brings the table and the configured keys together: refuses where a key that is needed is not there, and takes
/// note of new ones. `owner` is the server: what it knows, a rotation may use.
pub(super) fn settle(connection: &Connection, vault: &Vault, owner: bool) -> Applied<()> {
    let known = all(connection)?;
    for key in &known {
        let needed = match key.state {
            KeyState::Current => key.name == MASTER || key.rows > 0,
            KeyState::Old => key.rows > 0,
            KeyState::Ready | KeyState::Retired => false,
        };
        if needed && vault.key(key.id).is_err() {
            return Err(missing(key, vault).into());
        }
    }
    for (name, source) in vault.sources() {
        let ring = match vault.ring(name) {
            Ok(ring) => ring,
            // Nothing is sealed with it, so nothing is lost; whoever wants to seal with it is told.
            Err(_) if known.iter().any(|key| key.name == *name) => continue,
            Err(error) => return Err(error.into()),
        };
        let first = known.iter().all(|key| key.name != *name);
        for (place, id) in ring.iter().enumerate() {
            let state = match (first, place + 1 == ring.len()) {
                (true, true) => "current",
                _ if owner || first => "ready",
                _ => continue,
            };
            note(connection, name, *id, state, &source.to_string())?;
        }
    }
    Ok(())
}

/// Adds a key, or says where one that is known was seen.
pub(super) fn note(connection: &Connection, name: &str, id: KeyId, state: &str, source: &str) -> Applied<()> {
    let mut other = connection.prepare_cached("SELECT name FROM keys WHERE id = ?")?;
    let other: Option<String> = other.query_row([id.to_string()], |row| row.get(0)).optional()?;
    if let Some(other) = other.filter(|other| other != name) {
        let reason = format!("it holds the key {id}, which is known as {other}; a key has one name");
        return Err(Error::KeySource { place: source.to_owned(), reason }.into());
    }
    let mut insert = connection.prepare_cached(
        "INSERT INTO keys VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET source = excluded.source
         WHERE source != excluded.source",
    )?;
    insert.execute(params![id.to_string(), name, state, source, now()])?;
    Ok(())
}

fn missing(key: &KeyInfo, vault: &Vault) -> Error {
    let source = vault.sources().get(&key.name);
    let place = source.map_or_else(|| "the configuration".to_owned(), ToString::to_string);
    let found = match vault.ring(&key.name) {
        Ok(ring) => format!("has {}", ring.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")),
        Err(Error::KeySource { reason, .. }) => format!("cannot be read: {reason}"),
        Err(_) => format!("names no key {:?} (was --config forgotten?)", key.name),
    };
    Error::MissingKey { id: key.id, name: key.name.clone(), place, found, last: key.source.clone(), rows: key.rows }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Condition(error) => error,
            Failure::Database(error) => super::open::explain("reading the store", &error),
        }
    }
}

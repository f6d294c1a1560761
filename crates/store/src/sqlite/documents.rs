//! Documents and the change feed that follows them.

use rusqlite::params;

use super::apply::{Applied, Transaction, now};
use super::{read, seal};
use crate::{Cursor, Document, Error, Key, KeyId, NewDocument, Outcome};

pub(super) fn insert(tx: &Transaction<'_>, new: NewDocument) -> Applied<Document> {
    let NewDocument { key, name, parent, body, sealed_by } = new;
    if read::stored(tx.connection, &key)?.is_some() {
        return Err(Error::Exists { kind: key.kind, id: key.id }.into());
    }
    claim_name(tx, &key, name.as_deref())?;
    let at = now();
    let sealed_by = tx.vault.sealing_name(sealed_by.as_deref()).map(str::to_owned);
    let (written, by) = sealed(tx, &key, sealed_by.as_deref(), &body)?;
    let mut insert = tx.connection.prepare_cached(
        "INSERT INTO documents (account, region, kind, id, name, parent, version, body, created, updated, sealed_by)
         VALUES (?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?)",
    )?;
    let written = written.as_ref().unwrap_or(&body);
    let seq = insert.insert(params![
        key.scope.account,
        key.scope.region,
        key.kind,
        key.id,
        name,
        parent,
        written,
        at,
        at,
        by
    ])?;
    record(tx, &key, "created", 1, at)?;
    let at = read::timestamp(at);
    Ok(Document { key, name, parent, version: 1, body, created: at, updated: at, sealed_by, cursor: Cursor(seq) })
}

pub(super) fn put(
    tx: &Transaction<'_>,
    key: &Key,
    expect: Option<u64>,
    name: Option<String>,
    body: Vec<u8>,
) -> Applied<Document> {
    let read::Stored { document: old, sealed_by } = required(tx, key, expect)?;
    if name != old.name {
        claim_name(tx, key, name.as_deref())?;
    }
    let sealed_by = match &sealed_by {
        // A key whose name is not known would be lost by sealing with another.
        Some(id) => Some(tx.name_of(id)?),
        None => tx.vault.sealing_name(None).map(str::to_owned),
    };
    let (version, at) = (old.version + 1, now());
    let (written, by) = sealed(tx, key, sealed_by.as_deref(), &body)?;
    let mut update = tx.connection.prepare_cached(
        "UPDATE documents SET name = ?, body = ?, version = ?, updated = ?, sealed_by = ? WHERE seq = ?",
    )?;
    let written = written.as_ref().unwrap_or(&body);
    update.execute(params![name, written, version as i64, at, by, old.cursor.0])?;
    record(tx, key, "updated", version, at)?;
    Ok(Document { name, version, body, updated: read::timestamp(at), sealed_by, ..old })
}

/// What is written of a body, where that is not the body itself, and the id of the key.
fn sealed(
    tx: &Transaction<'_>,
    key: &Key,
    name: Option<&str>,
    body: &[u8],
) -> Applied<(Option<Vec<u8>>, Option<String>)> {
    let Some(name) = name else { return Ok((None, None)) };
    let (sealed, id): (_, KeyId) = tx.seal(name, &seal::document(key), body)?;
    Ok((Some(sealed), Some(id.to_string())))
}

pub(super) fn delete(tx: &Transaction<'_>, key: &Key, expect: Option<u64>) -> Applied<Outcome> {
    let old = require(tx, key, expect)?;
    tx.connection.prepare_cached("DELETE FROM documents WHERE seq = ?")?.execute([old.cursor.0])?;
    let mut forget =
        tx.connection.prepare_cached("DELETE FROM tokens WHERE account = ? AND region = ? AND kind = ? AND id = ?")?;
    forget.execute(params![key.scope.account, key.scope.region, key.kind, key.id])?;
    record(tx, key, "deleted", old.version, now())?;
    Ok(Outcome::Done)
}

/// The document that a step wants, its body not opened.
pub(super) fn require(tx: &Transaction<'_>, key: &Key, expect: Option<u64>) -> Applied<Document> {
    required(tx, key, expect).map(|stored| stored.document)
}

fn required(tx: &Transaction<'_>, key: &Key, expect: Option<u64>) -> Applied<read::Stored> {
    let Some(stored) = read::stored(tx.connection, key)? else {
        return Err(Error::Missing { kind: key.kind.clone(), id: key.id.clone() }.into());
    };
    match expect {
        Some(expected) if expected != stored.document.version => {
            Err(Error::Stale { key: key.clone(), expected, found: stored.document.version }.into())
        }
        _ => Ok(stored),
    }
}

fn claim_name(tx: &Transaction<'_>, key: &Key, name: Option<&str>) -> Applied<()> {
    let Some(name) = name else { return Ok(()) };
    match read::stored_name(tx.connection, &key.scope, &key.kind, name)? {
        None => Ok(()),
        Some(_) => Err(Error::NameTaken { kind: key.kind.clone(), name: name.to_owned() }.into()),
    }
}

fn record(tx: &Transaction<'_>, key: &Key, change: &str, version: u64, at: i64) -> Applied<()> {
    let Transaction { connection, keep_changes: keep, .. } = *tx;
    let mut insert = connection.prepare_cached(
        "INSERT INTO changes (account, region, kind, id, change, version, at) VALUES (?, ?, ?, ?, ?, ?, ?)",
    )?;
    let (scope, version) = (&key.scope, version as i64);
    let seq = insert.insert(params![scope.account, scope.region, key.kind, key.id, change, version, at])?;
    // Forgotten in strides, so that most commits do not pay for it.
    let stride = (keep / 8).clamp(1, 1000) as i64;
    if seq % stride == 0 {
        let oldest = seq.saturating_sub(i64::try_from(keep).unwrap_or(i64::MAX));
        connection.prepare_cached("DELETE FROM changes WHERE seq <= ?")?.execute([oldest])?;
    }
    Ok(())
}

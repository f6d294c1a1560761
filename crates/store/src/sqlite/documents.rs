//! Documents and the change feed that follows them.

use rusqlite::{Connection, params};

use super::apply::{Applied, now};
use super::read;
use crate::{Cursor, Document, Error, Key, NewDocument, Outcome};

pub(super) fn insert(connection: &Connection, new: NewDocument, keep_changes: u64) -> Applied<Document> {
    let NewDocument { key, name, parent, body } = new;
    if read::get(connection, &key)?.is_some() {
        return Err(Error::Exists { kind: key.kind, id: key.id }.into());
    }
    claim_name(connection, &key, name.as_deref())?;
    let at = now();
    let mut insert = connection.prepare_cached(
        "INSERT INTO documents (account, region, kind, id, name, parent, version, body, created, updated)
         VALUES (?, ?, ?, ?, ?, ?, 1, ?, ?, ?)",
    )?;
    let seq =
        insert.insert(params![key.scope.account, key.scope.region, key.kind, key.id, name, parent, body, at, at])?;
    record(connection, &key, "created", 1, at, keep_changes)?;
    let at = read::timestamp(at);
    Ok(Document { key, name, parent, version: 1, body, created: at, updated: at, cursor: Cursor(seq) })
}

pub(super) fn put(
    connection: &Connection,
    key: &Key,
    expect: Option<u64>,
    name: Option<String>,
    body: Vec<u8>,
    keep_changes: u64,
) -> Applied<Document> {
    let old = require(connection, key, expect)?;
    if name != old.name {
        claim_name(connection, key, name.as_deref())?;
    }
    let (version, at) = (old.version + 1, now());
    let mut update =
        connection.prepare_cached("UPDATE documents SET name = ?, body = ?, version = ?, updated = ? WHERE seq = ?")?;
    update.execute(params![name, body, version as i64, at, old.cursor.0])?;
    record(connection, key, "updated", version, at, keep_changes)?;
    Ok(Document { name, version, body, updated: read::timestamp(at), ..old })
}

pub(super) fn delete(connection: &Connection, key: &Key, expect: Option<u64>, keep_changes: u64) -> Applied<Outcome> {
    let old = require(connection, key, expect)?;
    connection.prepare_cached("DELETE FROM documents WHERE seq = ?")?.execute([old.cursor.0])?;
    let mut forget =
        connection.prepare_cached("DELETE FROM tokens WHERE account = ? AND region = ? AND kind = ? AND id = ?")?;
    forget.execute(params![key.scope.account, key.scope.region, key.kind, key.id])?;
    record(connection, key, "deleted", old.version, now(), keep_changes)?;
    Ok(Outcome::Done)
}

pub(super) fn require(connection: &Connection, key: &Key, expect: Option<u64>) -> Applied<Document> {
    let Some(document) = read::get(connection, key)? else {
        return Err(Error::Missing { kind: key.kind.clone(), id: key.id.clone() }.into());
    };
    match expect {
        Some(expected) if expected != document.version => {
            Err(Error::Stale { key: key.clone(), expected, found: document.version }.into())
        }
        _ => Ok(document),
    }
}

fn claim_name(connection: &Connection, key: &Key, name: Option<&str>) -> Applied<()> {
    let Some(name) = name else { return Ok(()) };
    match read::find(connection, &key.scope, &key.kind, name)? {
        None => Ok(()),
        Some(_) => Err(Error::NameTaken { kind: key.kind.clone(), name: name.to_owned() }.into()),
    }
}

fn record(connection: &Connection, key: &Key, change: &str, version: u64, at: i64, keep: u64) -> Applied<()> {
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

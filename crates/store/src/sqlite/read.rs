//! Queries, for the readers and for the conditions of a batch.

use jiff::Timestamp;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::apply::Applied;
use super::seal;
use crate::vault::Vault;
use crate::{Change, ChangeKind, Cursor, Document, Key, Order, Query, Scope, Secret, Tag};

const DOCUMENT: &str =
    "SELECT account, region, kind, id, name, parent, version, body, created, updated, seq, sealed_by FROM documents";

pub(super) fn timestamp(microseconds: i64) -> Timestamp {
    Timestamp::from_microsecond(microseconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A document with its body as it lies in the table.
pub(super) struct Stored {
    pub(super) document: Document,
    pub(super) sealed_by: Option<String>,
}

impl Stored {
    /// The document with its body opened.
    pub(super) fn opened(self, vault: &Vault) -> Applied<Document> {
        let Self { mut document, sealed_by } = self;
        let (key, by) = (&document.key, sealed_by.as_deref());
        let what = || format!("the document {} {}", key.kind, key.id);
        document.body = seal::opened(vault, by, || seal::document(key), what, document.body)?;
        document.sealed_by = seal::name(vault, by);
        Ok(document)
    }
}

fn document(row: &Row<'_>) -> rusqlite::Result<Stored> {
    let document = Document {
        key: Key { scope: Scope { account: row.get(0)?, region: row.get(1)? }, kind: row.get(2)?, id: row.get(3)? },
        name: row.get(4)?,
        parent: row.get(5)?,
        version: row.get::<_, i64>(6)?.unsigned_abs(),
        body: row.get(7)?,
        created: timestamp(row.get(8)?),
        updated: timestamp(row.get(9)?),
        cursor: Cursor(row.get(10)?),
        sealed_by: None,
    };
    Ok(Stored { document, sealed_by: row.get(11)? })
}

/// The document as it lies there: enough for a condition, and no key is needed.
pub(super) fn stored(connection: &Connection, key: &Key) -> rusqlite::Result<Option<Stored>> {
    let sql = format!("{DOCUMENT} WHERE account = ? AND region = ? AND kind = ? AND id = ?");
    let mut statement = connection.prepare_cached(&sql)?;
    statement.query_row(params![key.scope.account, key.scope.region, key.kind, key.id], document).optional()
}

pub(super) fn get(connection: &Connection, vault: &Vault, key: &Key) -> Applied<Option<Document>> {
    stored(connection, key)?.map(|stored| stored.opened(vault)).transpose()
}

pub(super) fn stored_name(
    connection: &Connection,
    scope: &Scope,
    kind: &str,
    name: &str,
) -> rusqlite::Result<Option<Stored>> {
    let sql = format!("{DOCUMENT} WHERE account = ? AND region = ? AND kind = ? AND name = ?");
    let mut statement = connection.prepare_cached(&sql)?;
    statement.query_row(params![scope.account, scope.region, kind, name], document).optional()
}

pub(super) fn find(
    connection: &Connection,
    vault: &Vault,
    scope: &Scope,
    kind: &str,
    name: &str,
) -> Applied<Option<Document>> {
    stored_name(connection, scope, kind, name)?.map(|stored| stored.opened(vault)).transpose()
}

pub(super) fn list(connection: &Connection, vault: &Vault, query: &Query) -> Applied<Vec<Document>> {
    let (past, direction, start) = match query.order {
        Order::OldestFirst => (">", "ASC", i64::MIN),
        Order::NewestFirst => ("<", "DESC", i64::MAX),
    };
    // Two statements rather than one with `OR`: each is a range of its own index.
    let parent = if query.parent.is_some() { "parent = ?6" } else { "?6 IS NULL" };
    let sql = format!(
        "{DOCUMENT} WHERE account = ?1 AND region = ?2 AND kind = ?3 AND {parent} AND seq {past} ?4
         ORDER BY seq {direction} LIMIT ?5"
    );
    let after = query.after.map_or(start, |cursor| cursor.0);
    let limit = i64::try_from(query.limit).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(
        params![query.scope.account, query.scope.region, query.kind, after, limit, query.parent],
        document,
    )?;
    rows.map(|row| row?.opened(vault)).collect()
}

pub(super) fn tags(connection: &Connection, scope: &Scope, arn: &str) -> rusqlite::Result<Vec<Tag>> {
    let mut statement = connection
        .prepare_cached("SELECT key, value FROM tags WHERE account = ? AND region = ? AND arn = ? ORDER BY key")?;
    let rows = statement
        .query_map(params![scope.account, scope.region, arn], |row| Ok(Tag { key: row.get(0)?, value: row.get(1)? }))?;
    rows.collect()
}

pub(super) fn counter(connection: &Connection, scope: &Scope, counter: &str) -> rusqlite::Result<i64> {
    let mut statement =
        connection.prepare_cached("SELECT value FROM counters WHERE account = ? AND region = ? AND counter = ?")?;
    let value = statement.query_row(params![scope.account, scope.region, counter], |row| row.get(0)).optional()?;
    Ok(value.unwrap_or(0))
}

pub(super) fn counters(
    connection: &Connection,
    scope: &Scope,
    prefix: &str,
    limit: usize,
) -> rusqlite::Result<Vec<(String, i64)>> {
    // A range of the primary key; no character sorts behind the greatest one.
    let mut statement = connection.prepare_cached(
        "SELECT counter, value FROM counters
         WHERE account = ?1 AND region = ?2 AND counter >= ?3 AND counter < ?3 || ?4 ORDER BY counter LIMIT ?5",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let last = char::MAX.to_string();
    let rows = statement
        .query_map(params![scope.account, scope.region, prefix, last, limit], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

pub(super) fn secret(connection: &Connection, vault: &Vault, kind: &str, id: &str) -> Applied<Option<Secret>> {
    let mut statement = connection.prepare_cached("SELECT secret, sealed_by FROM secrets WHERE kind = ? AND id = ?")?;
    let found =
        statement.query_row([kind, id], |row| Ok((row.get(0)?, row.get::<_, Option<String>>(1)?))).optional()?;
    let Some((secret, sealed_by)) = found else { return Ok(None) };
    let what = || format!("the secret {kind} {id}");
    let secret = seal::opened(vault, sealed_by.as_deref(), || seal::secret(kind, id), what, secret)?;
    Ok(Some(Secret::new(secret)))
}

pub(super) fn secret_ids(connection: &Connection, kind: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare_cached("SELECT id FROM secrets WHERE kind = ? ORDER BY id")?;
    let rows = statement.query_map([kind], |row| row.get(0))?;
    rows.collect()
}

/// A part of the feed, or the news that its beginning is gone.
pub(super) enum Changes {
    Known(Vec<Change>),
    Forgotten { before: u64 },
}

pub(super) fn changes(connection: &Connection, sequence: u64, limit: usize) -> Applied<Changes> {
    // One transaction: the writer may forget between the two queries.
    let transaction = connection.unchecked_transaction()?;
    let oldest: Option<i64> = transaction.query_row("SELECT min(seq) FROM changes", (), |row| row.get(0))?;
    if let Some(oldest) = oldest.map(i64::unsigned_abs)
        && sequence.saturating_add(1) < oldest
    {
        return Ok(Changes::Forgotten { before: oldest });
    }
    let mut statement = transaction.prepare_cached(
        "SELECT seq, account, region, kind, id, change, version, at FROM changes WHERE seq > ? ORDER BY seq LIMIT ?",
    )?;
    let after = i64::try_from(sequence).unwrap_or(i64::MAX);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = statement.query_map([after, limit], |row| {
        Ok(Change {
            sequence: row.get::<_, i64>(0)?.unsigned_abs(),
            key: Key { scope: Scope { account: row.get(1)?, region: row.get(2)? }, kind: row.get(3)?, id: row.get(4)? },
            kind: match row.get_ref(5)?.as_str()? {
                "created" => ChangeKind::Created,
                "updated" => ChangeKind::Updated,
                "deleted" => ChangeKind::Deleted,
                other => return Err(rusqlite::Error::FromSqlConversionFailure(5, Type::Text, other.into())),
            },
            version: row.get::<_, i64>(6)?.unsigned_abs(),
            at: timestamp(row.get(7)?),
        })
    })?;
    Ok(Changes::Known(rows.collect::<rusqlite::Result<_>>()?))
}

pub(super) fn latest_change(connection: &Connection) -> Applied<u64> {
    let latest: Option<i64> = connection.query_row("SELECT max(seq) FROM changes", (), |row| row.get(0))?;
    Ok(latest.unwrap_or(0).unsigned_abs())
}

//! Queries, for the readers and for the conditions of a batch.

use jiff::Timestamp;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::{Change, ChangeKind, Cursor, Document, Key, Order, Query, Scope, Secret, Tag};

const DOCUMENT: &str =
    "SELECT account, region, kind, id, name, parent, version, body, created, updated, seq FROM documents";

pub(super) fn timestamp(microseconds: i64) -> Timestamp {
    Timestamp::from_microsecond(microseconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn document(row: &Row<'_>) -> rusqlite::Result<Document> {
    Ok(Document {
        key: Key { scope: Scope { account: row.get(0)?, region: row.get(1)? }, kind: row.get(2)?, id: row.get(3)? },
        name: row.get(4)?,
        parent: row.get(5)?,
        version: row.get::<_, i64>(6)?.unsigned_abs(),
        body: row.get(7)?,
        created: timestamp(row.get(8)?),
        updated: timestamp(row.get(9)?),
        cursor: Cursor(row.get(10)?),
    })
}

pub(super) fn get(connection: &Connection, key: &Key) -> rusqlite::Result<Option<Document>> {
    let sql = format!("{DOCUMENT} WHERE account = ? AND region = ? AND kind = ? AND id = ?");
    let mut statement = connection.prepare_cached(&sql)?;
    statement.query_row(params![key.scope.account, key.scope.region, key.kind, key.id], document).optional()
}

pub(super) fn find(
    connection: &Connection,
    scope: &Scope,
    kind: &str,
    name: &str,
) -> rusqlite::Result<Option<Document>> {
    let sql = format!("{DOCUMENT} WHERE account = ? AND region = ? AND kind = ? AND name = ?");
    let mut statement = connection.prepare_cached(&sql)?;
    statement.query_row(params![scope.account, scope.region, kind, name], document).optional()
}

pub(super) fn list(connection: &Connection, query: &Query) -> rusqlite::Result<Vec<Document>> {
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
    rows.collect()
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

pub(super) fn secret(connection: &Connection, kind: &str, id: &str) -> rusqlite::Result<Option<Secret>> {
    let mut statement = connection.prepare_cached("SELECT secret FROM secrets WHERE kind = ? AND id = ?")?;
    statement.query_row([kind, id], |row| Ok(Secret::new(row.get::<_, Vec<u8>>(0)?))).optional()
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

pub(super) fn changes(connection: &Connection, sequence: u64, limit: usize) -> rusqlite::Result<Changes> {
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

pub(super) fn latest_change(connection: &Connection) -> rusqlite::Result<u64> {
    let latest: Option<i64> = connection.query_row("SELECT max(seq) FROM changes", (), |row| row.get(0))?;
    Ok(latest.unwrap_or(0).unsigned_abs())
}

//! What each operation of a batch does to the tables.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::{documents, queue, read};
use crate::{Batch, ClientToken, Error, Key, Op, Outcome, Receipt, Scope, Secret, Tag};

/// Why a batch did not run: its own condition, or the database.
#[derive(Debug)]
pub(super) enum Failure {
    Condition(Error),
    Database(rusqlite::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Condition(error)
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

pub(super) type Applied<T> = Result<T, Failure>;

/// Microseconds since 1970, now.
pub(super) fn now() -> i64 {
    Timestamp::now().as_microsecond()
}

pub(super) fn batch(connection: &Connection, batch: Batch, keep_changes: u64) -> Applied<Receipt> {
    if let Some(token) = &batch.token {
        if let Some(made) = redeem(connection, token)? {
            return Ok(Receipt::Replayed(made));
        }
        remember(connection, token)?;
    }
    let mut outcomes = Vec::with_capacity(batch.ops.len());
    for op in batch.ops {
        outcomes.push(apply(connection, op, keep_changes)?);
    }
    Ok(Receipt::Done(outcomes))
}

fn apply(connection: &Connection, op: Op, keep_changes: u64) -> Applied<Outcome> {
    match op {
        Op::Insert(new) => documents::insert(connection, new, keep_changes).map(Outcome::Document),
        Op::Put { key, expect, name, body } => {
            documents::put(connection, &key, expect, name, body, keep_changes).map(Outcome::Document)
        }
        Op::Delete { key, expect } => documents::delete(connection, &key, expect, keep_changes),
        Op::Discard { key } => match documents::delete(connection, &key, None, keep_changes) {
            Err(Failure::Condition(Error::Missing { .. })) => Ok(Outcome::Done),
            result => result,
        },
        Op::Require { key, expect } => documents::require(connection, &key, expect).map(|_| Outcome::Done),
        Op::Tag { scope, arn, tags, max } => tag(connection, &scope, &arn, &tags, max),
        Op::Untag { scope, arn, keys } => untag(connection, &scope, &arn, keys),
        Op::Add { scope, counter, by, min, max } => add(connection, &scope, counter, by, min, max),
        Op::InsertSecret { kind, id, secret } => insert_secret(connection, kind, id, &secret),
        Op::DeleteSecret { kind, id } => delete_secret(connection, kind, id),
        Op::Enqueue { queue, body } => queue::enqueue(connection, &queue, &body),
        Op::Claim { queue, lease } => queue::claim(connection, &queue, lease),
        Op::Extend { lease, by, checkpoint } => queue::extend(connection, lease, by, checkpoint),
        Op::Complete(lease) => queue::complete(connection, lease),
    }
}

fn redeem(connection: &Connection, token: &ClientToken) -> Applied<Option<Key>> {
    let mut statement = connection.prepare_cached(
        "SELECT fingerprint, kind, id FROM tokens WHERE account = ? AND region = ? AND operation = ? AND token = ?",
    )?;
    let key = params![token.scope.account, token.scope.region, token.operation, token.token];
    let found = statement.query_row(key, |row| Ok((row.get::<_, Vec<u8>>(0)?, row.get(1)?, row.get(2)?))).optional()?;
    let Some((fingerprint, kind, id)) = found else { return Ok(None) };
    if fingerprint != token.fingerprint {
        return Err(Error::TokenReused.into());
    }
    Ok(Some(Key { scope: token.scope.clone(), kind, id }))
}

fn remember(connection: &Connection, token: &ClientToken) -> Applied<()> {
    connection.prepare_cached("INSERT INTO tokens VALUES (?, ?, ?, ?, ?, ?, ?)")?.execute(params![
        token.scope.account,
        token.scope.region,
        token.operation,
        token.token,
        token.fingerprint,
        token.makes.kind,
        token.makes.id
    ])?;
    Ok(())
}

fn tag(connection: &Connection, scope: &Scope, arn: &str, tags: &[Tag], max: usize) -> Applied<Outcome> {
    let mut put = connection.prepare_cached(
        "INSERT INTO tags VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (account, region, arn, key) DO UPDATE SET value = excluded.value",
    )?;
    for tag in tags {
        put.execute(params![scope.account, scope.region, arn, tag.key, tag.value])?;
    }
    let found = read::tags(connection, scope, arn)?.len();
    if found > max {
        return Err(Error::TooManyTags { arn: arn.to_owned(), found, max }.into());
    }
    Ok(Outcome::Done)
}

fn untag(connection: &Connection, scope: &Scope, arn: &str, keys: Option<Vec<String>>) -> Applied<Outcome> {
    let Some(keys) = keys else {
        let mut all = connection.prepare_cached("DELETE FROM tags WHERE account = ? AND region = ? AND arn = ?")?;
        all.execute(params![scope.account, scope.region, arn])?;
        return Ok(Outcome::Done);
    };
    let mut one =
        connection.prepare_cached("DELETE FROM tags WHERE account = ? AND region = ? AND arn = ? AND key = ?")?;
    for key in keys {
        one.execute(params![scope.account, scope.region, arn, key])?;
    }
    Ok(Outcome::Done)
}

fn add(connection: &Connection, scope: &Scope, counter: String, by: i64, min: i64, max: i64) -> Applied<Outcome> {
    let value = read::counter(connection, scope, &counter)?;
    let Some(sum) = value.checked_add(by).filter(|sum| (min..=max).contains(sum)) else {
        return Err(Error::OutOfBounds { counter, value }.into());
    };
    connection
        .prepare_cached(
            "INSERT INTO counters VALUES (?, ?, ?, ?)
             ON CONFLICT (account, region, counter) DO UPDATE SET value = excluded.value",
        )?
        .execute(params![scope.account, scope.region, counter, sum])?;
    Ok(Outcome::Counter(sum))
}

fn insert_secret(connection: &Connection, kind: String, id: String, secret: &Secret) -> Applied<Outcome> {
    let mut insert = connection.prepare_cached("INSERT INTO secrets VALUES (?, ?, ?) ON CONFLICT DO NOTHING")?;
    match insert.execute(params![kind, id, secret.expose()])? {
        0 => Err(Error::Exists { kind, id }.into()),
        _ => Ok(Outcome::Done),
    }
}

fn delete_secret(connection: &Connection, kind: String, id: String) -> Applied<Outcome> {
    let mut delete = connection.prepare_cached("DELETE FROM secrets WHERE kind = ? AND id = ?")?;
    match delete.execute(params![kind, id])? {
        0 => Err(Error::Missing { kind, id }.into()),
        _ => Ok(Outcome::Done),
    }
}

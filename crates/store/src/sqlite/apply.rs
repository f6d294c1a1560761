//! What each operation of a batch does to the tables.

use std::cell::OnceCell;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::{documents, keys, queue, read, seal};
use crate::keys::MASTER;
use crate::seal::Address;
use crate::vault::{Currents, Vault};
use crate::{Batch, ClientToken, Error, Key, KeyId, Op, Outcome, Receipt, Scope, Secret, Tag};

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

/// What the steps of a group share.
pub(super) struct Transaction<'a> {
    pub(super) connection: &'a Connection,
    pub(super) vault: &'a Vault,
    pub(super) keep_changes: u64,
    currents: OnceCell<Currents>,
}

impl<'a> Transaction<'a> {
    pub(super) fn new(connection: &'a Connection, vault: &'a Vault, keep_changes: u64) -> Self {
        Self { connection, vault, keep_changes, currents: OnceCell::new() }
    }

    /// Seals with the current key of a name. Which that is, is read inside the transaction that writes: once a
    /// rotation is committed, nobody seals with the key before it.
    pub(super) fn seal(&self, name: &str, address: &Address, body: &[u8]) -> Applied<(Vec<u8>, KeyId)> {
        if self.currents.get().is_none() {
            let _ = self.currents.set(keys::currents(self.connection)?);
        }
        let id = self.currents.get().and_then(|currents| currents.get(name)).copied();
        let id = id.ok_or_else(|| Error::UnknownKeyName(name.to_owned()))?;
        Ok((crate::seal::seal(&*self.vault.key(id)?, address, body)?, id))
    }

    /// The name of the key of an id.
    pub(super) fn name_of(&self, id: &str) -> Applied<String> {
        let id: KeyId = id.parse()?;
        Ok(self.vault.name_of(id).ok_or(Error::UnknownKey(id))?)
    }
}

pub(super) fn batch(tx: &Transaction<'_>, batch: Batch) -> Applied<Receipt> {
    if let Some(token) = &batch.token {
        if let Some(made) = redeem(tx.connection, token)? {
            return Ok(Receipt::Replayed(made));
        }
        remember(tx.connection, token)?;
    }
    let mut outcomes = Vec::with_capacity(batch.ops.len());
    for op in batch.ops {
        outcomes.push(apply(tx, op)?);
    }
    Ok(Receipt::Done(outcomes))
}

fn apply(tx: &Transaction<'_>, op: Op) -> Applied<Outcome> {
    let connection = tx.connection;
    match op {
        Op::Insert(new) => documents::insert(tx, new).map(Outcome::Document),
        Op::Put { key, expect, name, body } => documents::put(tx, &key, expect, name, body).map(Outcome::Document),
        Op::Delete { key, expect } => documents::delete(tx, &key, expect),
        Op::Discard { key } => match documents::delete(tx, &key, None) {
            Err(Failure::Condition(Error::Missing { .. })) => Ok(Outcome::Done),
            result => result,
        },
        Op::Require { key, expect } => documents::require(tx, &key, expect).map(|_| Outcome::Done),
        Op::Tag { scope, arn, tags, max } => tag(connection, &scope, &arn, &tags, max),
        Op::Untag { scope, arn, keys } => untag(connection, &scope, &arn, keys),
        Op::Add { scope, counter, by, min, max } => add(connection, &scope, counter, by, min, max),
        Op::Forget { scope, counter } => forget(connection, &scope, &counter),
        Op::InsertSecret { kind, id, secret } => insert_secret(tx, kind, id, &secret),
        Op::DeleteSecret { kind, id } => delete_secret(connection, kind, id),
        Op::Enqueue { queue, body, sealed_by } => queue::enqueue(tx, &queue, &body, sealed_by.as_deref()),
        Op::Claim { queue, lease } => queue::claim(tx, &queue, lease),
        Op::Extend { lease, by, checkpoint } => queue::extend(tx, lease, by, checkpoint),
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

fn forget(connection: &Connection, scope: &Scope, counter: &str) -> Applied<Outcome> {
    connection
        .prepare_cached("DELETE FROM counters WHERE account = ? AND region = ? AND counter = ?")?
        .execute(params![scope.account, scope.region, counter])?;
    Ok(Outcome::Done)
}

fn insert_secret(tx: &Transaction<'_>, kind: String, id: String, secret: &Secret) -> Applied<Outcome> {
    let (sealed, by) = tx.seal(MASTER, &seal::secret(&kind, &id), secret.expose())?;
    let sql = "INSERT INTO secrets VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING";
    match tx.connection.prepare_cached(sql)?.execute(params![kind, id, sealed, by.to_string()])? {
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

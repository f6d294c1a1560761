//! Queue rows.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};

use super::apply::{Applied, now};
use crate::{Claim, Error, Lease, Outcome};

pub(super) fn enqueue(connection: &Connection, queue: &str, body: &[u8]) -> Applied<Outcome> {
    let mut insert =
        connection.prepare_cached("INSERT INTO queue (queue, ready, attempt, body) VALUES (?, ?, 0, ?)")?;
    Ok(Outcome::Row(insert.insert(params![queue, now(), body])?))
}

pub(super) fn claim(connection: &Connection, queue: &str, lease: Duration) -> Applied<Outcome> {
    let mut claim = connection.prepare_cached(
        "UPDATE queue SET ready = ?2 + ?3, attempt = attempt + 1
         WHERE row = (SELECT row FROM queue WHERE queue = ?1 AND ready <= ?2 ORDER BY ready, row LIMIT 1)
         RETURNING row, attempt, body",
    )?;
    let claimed = claim
        .query_row(params![queue, now(), micros(lease)], |row| {
            Ok(Claim { lease: Lease { row: row.get(0)?, attempt: row.get(1)? }, body: row.get(2)? })
        })
        .optional()?;
    Ok(Outcome::Claim(claimed))
}

pub(super) fn extend(
    connection: &Connection,
    lease: Lease,
    by: Duration,
    checkpoint: Option<Vec<u8>>,
) -> Applied<Outcome> {
    let mut extend = connection
        .prepare_cached("UPDATE queue SET ready = ?, body = coalesce(?, body) WHERE row = ? AND attempt = ?")?;
    held(lease, extend.execute(params![now().saturating_add(micros(by)), checkpoint, lease.row, lease.attempt])?)
}

pub(super) fn complete(connection: &Connection, lease: Lease) -> Applied<Outcome> {
    let mut delete = connection.prepare_cached("DELETE FROM queue WHERE row = ? AND attempt = ?")?;
    held(lease, delete.execute(params![lease.row, lease.attempt])?)
}

fn held(lease: Lease, rows: usize) -> Applied<Outcome> {
    match rows {
        0 => Err(Error::LeaseLost(lease.row).into()),
        _ => Ok(Outcome::Done),
    }
}

/// Bounded to a century, so that no sum overflows.
fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX).min(100 * 365 * 86_400 * 1_000_000)
}

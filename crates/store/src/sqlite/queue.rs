//! Queue rows.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};

use super::apply::{Applied, Transaction, now};
use super::seal;
use crate::{Claim, Error, Lease, Outcome};

pub(super) fn enqueue(tx: &Transaction<'_>, queue: &str, body: &[u8], sealed_by: Option<&str>) -> Applied<Outcome> {
    let mut insert =
        tx.connection.prepare_cached("INSERT INTO queue (queue, ready, attempt, body) VALUES (?, ?, 0, ?)")?;
    let Some(name) = tx.vault.sealing_name(sealed_by) else {
        return Ok(Outcome::Row(insert.insert(params![queue, now(), body])?));
    };
    // The row's number is a part of its address, and known only once there is a row.
    let row = insert.insert(params![queue, now(), &[] as &[u8]])?;
    write(tx, queue, row, name, body)?;
    Ok(Outcome::Row(row))
}

fn write(tx: &Transaction<'_>, queue: &str, row: i64, name: &str, body: &[u8]) -> Applied<()> {
    let (sealed, id) = tx.seal(name, &seal::row(queue, row), body)?;
    let mut update = tx.connection.prepare_cached("UPDATE queue SET body = ?, sealed_by = ? WHERE row = ?")?;
    update.execute(params![sealed, id.to_string(), row])?;
    Ok(())
}

pub(super) fn claim(tx: &Transaction<'_>, queue: &str, lease: Duration) -> Applied<Outcome> {
    let mut claim = tx.connection.prepare_cached(
        "UPDATE queue SET ready = ?2 + ?3, attempt = attempt + 1
         WHERE row = (SELECT row FROM queue WHERE queue = ?1 AND ready <= ?2 ORDER BY ready, row LIMIT 1)
         RETURNING row, attempt, body, sealed_by",
    )?;
    let claimed = claim
        .query_row(params![queue, now(), micros(lease)], |row| {
            Ok((Lease { row: row.get(0)?, attempt: row.get(1)? }, row.get(2)?, row.get::<_, Option<String>>(3)?))
        })
        .optional()?;
    let Some((lease, body, sealed_by)) = claimed else { return Ok(Outcome::Claim(None)) };
    let what = || format!("row {} of the queue {queue}", lease.row);
    let body = seal::opened(tx.vault, sealed_by.as_deref(), || seal::row(queue, lease.row), what, body)?;
    Ok(Outcome::Claim(Some(Claim { lease, body })))
}

pub(super) fn extend(
    tx: &Transaction<'_>,
    lease: Lease,
    by: Duration,
    checkpoint: Option<Vec<u8>>,
) -> Applied<Outcome> {
    let until = now().saturating_add(micros(by));
    let mut extend = tx
        .connection
        .prepare_cached("UPDATE queue SET ready = ? WHERE row = ? AND attempt = ? RETURNING queue, sealed_by")?;
    let row = extend.query_row(params![until, lease.row, lease.attempt], |row| Ok((row.get(0)?, row.get(1)?)));
    let held: Option<(String, Option<String>)> = row.optional()?;
    let Some((queue, sealed_by)) = held else { return Err(Error::LeaseLost(lease.row).into()) };
    let Some(body) = checkpoint else { return Ok(Outcome::Done) };
    match sealed_by {
        Some(id) => write(tx, &queue, lease.row, &tx.name_of(&id)?, &body)?,
        None => {
            let mut save = tx.connection.prepare_cached("UPDATE queue SET body = ? WHERE row = ?")?;
            save.execute(params![body, lease.row])?;
        }
    }
    Ok(Outcome::Done)
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

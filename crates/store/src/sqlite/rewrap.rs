//! Sealing rows with another key, a few at a time, so that a running server never waits long for the database.

use rusqlite::{Connection, TransactionBehavior, params};

use super::apply::{Applied, Failure};
use super::seal;
use crate::seal::{Address, rewrap};
use crate::vault::Vault;
use crate::{Error, KeyId, Scope};

/// Rows that share a transaction.
const BATCH: usize = 256;

/// Where a row is.
enum Place {
    Number(i64),
    Secret(String, String),
}

struct Row {
    place: Place,
    address: Address,
    body: Vec<u8>,
}

/// Wraps the data keys of all rows that `old` has wrapped with `new`. May be killed and run again; whoever writes
/// meanwhile must seal with `new` already. `progress` gets rows done.
pub(super) fn rows(
    connection: &mut Connection,
    vault: &Vault,
    old: KeyId,
    new: KeyId,
    progress: &mut dyn FnMut(u64),
) -> Applied<u64> {
    let (from, to) = (vault.key(old)?, vault.key(new)?);
    let mut done = 0;
    for table in seal::TABLES {
        loop {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let rows = page(&transaction, table, Some(old), i64::MIN)?;
            for row in &rows {
                let sealed = rewrap(&row.body, &row.address, "", &from, &to);
                let sealed = sealed.map_err(|error| named(error, table, &row.place))?;
                write(&transaction, table, &row.place, &sealed, new)?;
            }
            transaction.commit()?;
            done += rows.len() as u64;
            progress(done);
            if rows.len() < BATCH {
                break;
            }
        }
    }
    Ok(done)
}

/// Seals all rows that lie in clear.
pub(super) fn clear_rows(
    connection: &mut Connection,
    vault: &Vault,
    new: KeyId,
    progress: &mut dyn FnMut(u64),
) -> Applied<u64> {
    let (key, mut done) = (vault.key(new)?, 0);
    for table in ["documents", "queue"] {
        let mut after = i64::MIN;
        loop {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let rows = page(&transaction, table, None, after)?;
            for row in &rows {
                let sealed = crate::seal::seal(&key, &row.address, &row.body)?;
                write(&transaction, table, &row.place, &sealed, new)?;
                if let Place::Number(number) = row.place {
                    after = number;
                }
            }
            transaction.commit()?;
            done += rows.len() as u64;
            progress(done);
            if rows.len() < BATCH {
                break;
            }
        }
    }
    Ok(done)
}

fn page(connection: &Connection, table: &str, by: Option<KeyId>, after: i64) -> Applied<Vec<Row>> {
    let by = by.map(|id| id.to_string());
    let columns = match table {
        "documents" => "seq, body, account, region, kind, id FROM documents WHERE sealed_by IS ?1 AND seq > ?2",
        "queue" => "row, body, queue FROM queue WHERE sealed_by IS ?1 AND row > ?2",
        _ => "0, secret, kind, id FROM secrets WHERE sealed_by IS ?1 AND ?2 IS NOT NULL",
    };
    let order = if table == "secrets" { "kind, id" } else { "1" };
    let mut statement = connection.prepare_cached(&format!("SELECT {columns} ORDER BY {order} LIMIT {BATCH}"))?;
    let rows = statement.query_map(params![by, after], |row| {
        let number = row.get(0)?;
        let (place, address) = match table {
            "documents" => {
                let key = Scope::new(row.get::<_, String>(2)?, row.get::<_, String>(3)?)
                    .key(row.get::<_, String>(4)?, row.get::<_, String>(5)?);
                (Place::Number(number), seal::document(&key))
            }
            "queue" => (Place::Number(number), seal::row(&row.get::<_, String>(2)?, number)),
            _ => {
                let (kind, id): (String, String) = (row.get(2)?, row.get(3)?);
                let address = seal::secret(&kind, &id);
                (Place::Secret(kind, id), address)
            }
        };
        Ok(Row { place, address, body: row.get(1)? })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn write(connection: &Connection, table: &str, place: &Place, sealed: &[u8], by: KeyId) -> rusqlite::Result<()> {
    let by = by.to_string();
    match place {
        Place::Number(number) => {
            let column = if table == "queue" { "row" } else { "seq" };
            let sql = format!("UPDATE {table} SET body = ?, sealed_by = ? WHERE {column} = ?");
            connection.prepare_cached(&sql)?.execute(params![sealed, by, number])?
        }
        Place::Secret(kind, id) => connection
            .prepare_cached("UPDATE secrets SET secret = ?, sealed_by = ? WHERE kind = ? AND id = ?")?
            .execute(params![sealed, by, kind, id])?,
    };
    Ok(())
}

/// The same error, saying which row it is.
fn named(error: Error, table: &str, place: &Place) -> Failure {
    let what = match place {
        Place::Number(number) => format!("row {number} of the table {table}"),
        Place::Secret(kind, id) => format!("the secret {kind} {id}"),
    };
    match error {
        Error::Sealed { reason, .. } => Error::Sealed { what, reason }.into(),
        other => other.into(),
    }
}

//! Sealing and opening the rows that may be sealed.

use rusqlite::{Connection, params};

use super::apply::Applied;
use crate::seal::{self, Address};
use crate::vault::Vault;
use crate::{Error, Key, KeyId};

/// The tables whose bodies may be sealed.
pub(super) const TABLES: [&str; 3] = ["secrets", "documents", "queue"];

pub(super) fn document(key: &Key) -> Address {
    let Key { scope, kind, id } = key;
    let parts = [b"document", scope.account.as_bytes(), scope.region.as_bytes(), kind.as_bytes(), id.as_bytes()];
    Address::of(&parts)
}

pub(super) fn secret(kind: &str, id: &str) -> Address {
    Address::of(&[b"secret", kind.as_bytes(), id.as_bytes()])
}

pub(super) fn row(queue: &str, row: i64) -> Address {
    Address::of(&[b"queue", queue.as_bytes(), &row.to_be_bytes()])
}

/// A body as it was written; `what` names it in an error.
pub(super) fn opened(
    vault: &Vault,
    sealed_by: Option<&str>,
    address: impl FnOnce() -> Address,
    what: impl FnOnce() -> String,
    body: Vec<u8>,
) -> Applied<Vec<u8>> {
    if sealed_by.is_none() {
        return Ok(body);
    }
    match seal::open(&body, &address(), "", |id| vault.key(id)) {
        Err(Error::Sealed { reason, .. }) => Err(Error::Sealed { what: what(), reason }.into()),
        opened => Ok(opened?),
    }
}

/// Seals every secret that lies in clear.
pub(super) fn secrets(connection: &Connection, vault: &Vault) -> Applied<()> {
    let Some(id) = super::keys::currents(connection)?.get(crate::keys::MASTER).copied() else {
        return Err(Error::UnknownKeyName(crate::keys::MASTER.to_owned()).into());
    };
    let key = vault.key(id)?;
    let mut clear = connection.prepare("SELECT kind, id, secret FROM secrets WHERE sealed_by IS NULL")?;
    let rows = clear.query_map((), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let rows: Vec<(String, String, Vec<u8>)> = rows.collect::<rusqlite::Result<_>>()?;
    for (kind, name, bytes) in rows {
        let sealed = seal::seal(&key, &secret(&kind, &name), &bytes)?;
        let mut update =
            connection.prepare_cached("UPDATE secrets SET secret = ?, sealed_by = ? WHERE kind = ? AND id = ?")?;
        update.execute(params![sealed, id.to_string(), kind, name])?;
    }
    Ok(())
}

/// The name of the key that seals a row.
pub(super) fn name(vault: &Vault, sealed_by: Option<&str>) -> Option<String> {
    sealed_by.and_then(|id| id.parse::<KeyId>().ok()).and_then(|id| vault.name_of(id))
}

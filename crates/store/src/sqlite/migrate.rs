//! Which schema a database has, and bringing it up to date.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use super::apply::{Applied, Failure};
use super::open::{explain_at, pragma};
use super::{keys, seal, snapshot};
use crate::vault::Vault;
use crate::{Encryption, Error, Result};

/// "Outc" in the database's header tells ours from any other SQLite file.
const APPLICATION: i64 = 0x4f75_7463;

/// A step in the schema's history.
pub(super) struct Migration {
    /// What it does to the tables.
    pub(super) script: &'static str,
    /// What it does to their content where SQL cannot.
    pub(super) content: Option<fn(&Connection, &Vault) -> Applied<()>>,
}

/// Entry N brings a database from version N to N + 1. Entries are only ever added.
const MIGRATIONS: &[Migration] = &[
    Migration { script: include_str!("migrations/0001_first.sql"), content: None },
    Migration { script: include_str!("migrations/0002_sealed.sql"), content: Some(seal_secrets) },
];

/// The newest schema that this build knows.
pub(crate) const SCHEMA: i64 = MIGRATIONS.len() as i64;

fn seal_secrets(connection: &Connection, vault: &Vault) -> Applied<()> {
    keys::settle(connection, vault, false)?;
    seal::secrets(connection, vault)
}

/// The schema of a database.
pub(crate) fn schema(connection: &Connection, path: &Path) -> Result<i64> {
    pragma(connection, path, "user_version")
}

/// Refuses what is another program's or a newer version's.
pub(super) fn check_identity(connection: &Connection, path: &Path) -> Result<()> {
    let application = pragma(connection, path, "application_id")?;
    let found = pragma(connection, path, "user_version")?;
    if application == 0 && found == 0 && pragma(connection, path, "schema_version")? == 0 {
        return Ok(()); // Just created.
    }
    if application != APPLICATION {
        return Err(Error::Foreign(path.to_owned()));
    }
    if found > SCHEMA {
        let maker = connection.query_row("SELECT value FROM about WHERE name = 'version'", (), |row| row.get(0));
        let maker = maker.map_or_else(|_| "a newer Outcrop".to_owned(), |version: String| format!("Outcrop {version}"));
        return Err(Error::NewerSchema { path: path.to_owned(), maker, found, known: SCHEMA });
    }
    Ok(())
}

/// Brings schema and keys up to date.
pub(super) fn run(connection: &mut Connection, path: &Path, encryption: &Encryption, owner: bool) -> Result<Vault> {
    run_all(connection, path, encryption, owner, MIGRATIONS)
}

/// Each step in one transaction with its version number. The lock is taken before the version is read: two processes
/// may open a new folder at once.
pub(super) fn run_all(
    connection: &mut Connection,
    path: &Path,
    encryption: &Encryption,
    owner: bool,
    migrations: &[Migration],
) -> Result<Vault> {
    let explained = |error| explain_at(path, "migrating", &error);
    let last = migrations.len() as i64;
    let found = pragma(connection, path, "user_version")?;
    if (1..last).contains(&found) {
        keep_old(connection, path, found)?;
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(explained)?;
    let current = pragma(&transaction, path, "user_version")?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let may_make = current < 2 || !any_key(&transaction).map_err(explained)?;
    let vault = Vault::open(encryption, folder, may_make)?;
    let settled = (|| -> Applied<()> {
        for (version, migration) in migrations.iter().enumerate().skip(usize::try_from(current).unwrap_or(0)) {
            transaction.execute_batch(migration.script)?;
            if let Some(content) = migration.content {
                content(&transaction, &vault)?;
            }
            transaction.pragma_update(None, "user_version", version as i64 + 1)?;
            transaction.pragma_update(None, "application_id", APPLICATION)?;
        }
        if current < last {
            let sql = "INSERT INTO about VALUES ('version', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
            transaction.execute(sql, [env!("CARGO_PKG_VERSION")])?;
        }
        keys::settle(&transaction, &vault, owner)
    })();
    settled.map_err(|failure| match failure {
        Failure::Condition(error) => error,
        Failure::Database(error) => explained(error),
    })?;
    transaction.commit().map_err(explained)?;
    if (1..last).contains(&current) {
        forget(connection);
    }
    Ok(vault)
}

/// Leaves nothing of how rows were: secrets lay in clear before the second schema, and neither unused parts of pages
/// nor the log are to show them.
fn forget(connection: &Connection) {
    let forgotten = connection
        .execute_batch("VACUUM")
        .and_then(|()| connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(())));
    if let Err(error) = forgotten {
        // What was migrated is migrated: this is no reason not to start.
        tracing::warn!(%error, "the database was migrated, but unused parts of its file may still show earlier content");
    }
}

fn any_key(connection: &Connection) -> rusqlite::Result<bool> {
    Ok(connection.query_row("SELECT 1 FROM keys LIMIT 1", (), |_| Ok(())).optional()?.is_some())
}

/// Keeps the database as it is before its schema changes, beside it.
fn keep_old(connection: &Connection, path: &Path, version: i64) -> Result<()> {
    let kept = old_copy(path, version);
    if kept.exists() {
        return Ok(()); // An earlier try got as far as this, and changed nothing.
    }
    let unfinished = path.with_extension(format!("db.schema-{version}.unfinished"));
    let _ = std::fs::remove_file(&unfinished);
    let copied = snapshot::copy(connection, path, &unfinished, &mut |_, _| ());
    let copied = copied.and_then(|()| {
        std::fs::rename(&unfinished, &kept)
            .map_err(|error| Error::io(format!("keeping {}", kept.display()), &error))?;
        super::sync_folder(path.parent().unwrap_or(Path::new(".")))
    });
    if copied.is_err() {
        let _ = std::fs::remove_file(&unfinished);
    }
    copied?;
    tracing::warn!(
        kept = %kept.display(), schema = version,
        "the database's schema changes; the old one was kept. Remove it once you do not want to go back"
    );
    Ok(())
}

/// Where the database of an older schema is kept.
pub(super) fn old_copy(path: &Path, version: i64) -> PathBuf {
    path.with_extension(format!("db.schema-{version}"))
}

//! Opening the database: whose folder it is, whether it is whole, and how it is connected to.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::{Options, PATIENCE, migrate};
use crate::vault::Vault;
use crate::{Error, Result};

/// Where in a data folder a restore unpacks; as long as it is there the restore is not done.
pub(crate) const RESTORING: &str = "restoring";

/// Creates a folder that only this user may enter.
pub(crate) fn create_folder(folder: &Path) -> Result<()> {
    let created = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    created.map_err(|error| Error::io(format!("creating {}", folder.display()), &error))
}

/// Makes the folder's entries last.
pub(crate) fn sync_folder(folder: &Path) -> Result<()> {
    let synced = File::open(folder).and_then(|file| file.sync_all());
    synced.map_err(|error| Error::io(format!("syncing {}", folder.display()), &error))
}

/// Takes the folder for this process. The lock is the kernel's, so it dies with the process.
pub(crate) fn own(folder: &Path) -> Result<File> {
    create_folder(folder)?;
    let path = folder.join("lock");
    let file = private(&path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::InUse(folder.to_owned())),
        Err(TryLockError::Error(error)) => Err(Error::io(format!("locking {}", path.display()), &error)),
    }
}

/// The database's path, with the file there and readable by this user only: it holds secrets, and SQLite gives its
/// companion files the same mode.
pub(super) fn prepare(folder: &Path) -> Result<PathBuf> {
    create_folder(folder)?;
    let path = folder.join("outcrop.db");
    private(&path)?;
    sync_folder(folder)?;
    Ok(path)
}

/// A file that only this user may open, made where it is missing.
pub(crate) fn private(path: &Path) -> Result<File> {
    let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
    opened.map_err(|error| Error::io(format!("opening {}", path.display()), &error))
}

/// The connection that writes, on a checked and migrated database, and the keys to what is sealed in it. `owner` says
/// that this process is the server.
pub(super) fn writer(path: &Path, options: &Options, owner: bool) -> Result<(Connection, Vault)> {
    let mut connection = connect(path)?;
    migrate::check_identity(&connection, path)?;
    // FULL: in WAL mode NORMAL survives kill -9 but may lose the last commits in a power cut.
    let mode = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864;";
    let begun = Instant::now();
    // Two connections that find a new file at the same moment do not wait for each other here, but are refused at once.
    while let Err(error) = connection.execute_batch(mode) {
        match explain_at(path, "opening", &error) {
            Error::Busy if begun.elapsed() < PATIENCE => std::thread::sleep(Duration::from_millis(5)),
            error => return Err(error),
        }
    }
    check_pages(&connection, path)?;
    let vault = migrate::run(&mut connection, path, &options.encryption, owner)?;
    if let Some(pages) = options.max_pages {
        let limited = connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()));
        limited.map_err(|error| explain_at(path, "limiting", &error))?;
    }
    Ok((connection, vault))
}

/// A connection that reads.
pub(crate) fn reader(path: &Path) -> Result<Connection> {
    let connection = connect(path)?;
    let set_up = connection.execute_batch("PRAGMA query_only = ON;");
    set_up.map_err(|error| explain_at(path, "opening", &error))?;
    Ok(connection)
}

pub(super) fn connect(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags);
    let connection = connection.map_err(|error| explain_at(path, "opening", &error))?;
    let busy = connection.busy_timeout(PATIENCE);
    busy.map_err(|error| explain_at(path, "opening", &error))?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

pub(super) fn pragma(connection: &Connection, path: &Path, name: &str) -> Result<i64> {
    let value = connection.pragma_query_value(None, name, |row| row.get(0));
    value.map_err(|error| explain_at(path, "opening", &error))
}

/// Walks every page once, so that damage is told at the start and not to a caller in the night.
pub(super) fn check_pages(connection: &Connection, path: &Path) -> Result<()> {
    let verdict: rusqlite::Result<String> = connection.query_row("PRAGMA quick_check(1)", (), |row| row.get(0));
    match verdict {
        Ok(verdict) if verdict == "ok" => Ok(()),
        Ok(reason) => Err(Error::Corrupt { path: path.to_owned(), reason }),
        Err(error) => Err(explain_at(path, "checking", &error)),
    }
}

/// A database error in the store's words.
pub(super) fn explain(context: &str, error: &rusqlite::Error) -> Error {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => Error::Full,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Error::Busy,
        _ => Error::Io { context: context.to_owned(), reason: error.to_string() },
    }
}

/// The same where the file is known: damage names it.
pub(crate) fn explain_at(path: &Path, context: &str, error: &rusqlite::Error) -> Error {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            Error::Corrupt { path: path.to_owned(), reason: error.to_string() }
        }
        _ => explain(&format!("{context} {}", path.display()), error),
    }
}

//! Copying a database that is being written.

use std::path::Path;

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use super::open::{check_pages, explain_at};
use crate::vault::write_private;
use crate::{Error, Result};

/// Pages that are copied at a time, 4 MiB: between two steps the progress is told.
const PAGES: i32 = 1024;

/// Copies what `source` sees into a new file, synced and for this user only. Where `source` is in a transaction that
/// is its snapshot, however long the copying takes and whoever writes meanwhile. `progress` gets pages done and all.
pub(crate) fn copy(source: &Connection, path: &Path, to: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<()> {
    write_private(to, b"")?;
    let explained = |error| explain_at(path, "copying", &error);
    let mut target = Connection::open(to).map_err(|error| explain_at(to, "opening", &error))?;
    // No journal: a copy that is interrupted is thrown away whole.
    let set_up = target.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;");
    set_up.map_err(|error| explain_at(to, "opening", &error))?;
    let backup = Backup::new(source, &mut target).map_err(explained)?;
    loop {
        let step = backup.step(PAGES).map_err(explained)?;
        let at = backup.progress();
        let all = at.pagecount.unsigned_abs();
        progress(u64::from(all - at.remaining.unsigned_abs().min(all)), u64::from(all));
        match step {
            StepResult::Done => break,
            StepResult::Busy | StepResult::Locked => std::thread::sleep(std::time::Duration::from_millis(10)),
            _ => {}
        }
    }
    drop(backup);
    drop(target);
    let synced = std::fs::File::open(to).and_then(|file| file.sync_all());
    synced.map_err(|error| Error::io(format!("syncing {}", to.display()), &error))
}

/// Walks every page of a copy: what is damaged in `original` must be told, not kept.
pub(crate) fn check(copy: &Path, original: &Path) -> Result<()> {
    let connection = Connection::open(copy).map_err(|error| explain_at(copy, "opening", &error))?;
    check_pages(&connection, original)
}

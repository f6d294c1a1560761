//! Who may change the folder at the moment. Whoever gives a blob its name, replaces or removes one holds the lock
//! together with all others who do; who must see the folder stand still holds it alone. The locks are the kernel's, so
//! they hold between processes and die with them.

use std::fs::File;
use std::path::Path;

use crate::sqlite::private;
use crate::{Error, Result};

/// Held until dropped.
pub(super) struct Lock {
    _held: File,
}

/// Together with other changes.
pub(super) fn change(root: &Path) -> Result<Lock> {
    take(root, false)
}

/// Alone. Waits for the changes that are under way, each of them a rename and a sync.
pub(super) fn still(root: &Path) -> Result<Lock> {
    take(root, true)
}

fn take(root: &Path, alone: bool) -> Result<Lock> {
    let failed = |error: std::io::Error| Error::io(format!("locking {}", root.display()), &error);
    // A turnstile before the lock: whoever waits to be alone holds it, so that new changes queue behind and the wait
    // ends, however busy the folder is.
    let turnstile = private(&root.join("turnstile"))?;
    turnstile.lock().map_err(failed)?;
    let held = private(&root.join("lock"))?;
    if alone { held.lock() } else { held.lock_shared() }.map_err(failed)?;
    Ok(Lock { _held: held })
}

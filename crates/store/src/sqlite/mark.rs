//! The mark of secrets: a few bytes in a file beside the database that are others after every commit that deleted a
//! secret. Whoever keeps secrets in memory learns from it, without asking the database, that another process of the
//! same folder (`outcrop keys remove`) has taken one away.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::open;
use crate::keys::random;
use crate::{Error, Result};

/// The file, in the database's folder.
const FILE: &str = "secrets.mark";

pub(super) struct Mark(File);

impl Mark {
    pub(super) fn open(database: &Path) -> Result<Self> {
        Ok(Self(open::private(&database.with_file_name(FILE))?))
    }

    /// The mark now; none where it cannot be read.
    pub(super) fn now(&self) -> Option<u128> {
        let mut bytes = [0; size_of::<u128>()];
        // Shorter before the first deletion.
        self.0.read_at(&mut bytes, 0).ok()?;
        Some(u128::from_ne_bytes(bytes))
    }

    /// Makes it another. Chance, not a count: two processes that count at once would come to the same.
    pub(super) fn renew(&self) -> Result<()> {
        let mut bytes = [0; size_of::<u128>()];
        random(&mut bytes)?;
        self.0.write_all_at(&bytes, 0).map_err(|error| Error::io(format!("writing {FILE}"), &error))
    }
}

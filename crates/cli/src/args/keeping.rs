//! The command lines of what is kept: keys, backups.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Folder;

/// The keys that seal what is kept.
#[derive(Subcommand)]
pub enum Secrets {
    /// Lists the keys: their ids, what each still opens, and where it was last seen
    ///
    ///   current   seals what is written
    ///   old       an interrupted rotation has left something to it: rotate again
    ///   retired   opens nothing here any more; older backups need it
    ///   ready     in the key file, not used yet
    #[command(verbatim_doc_comment)]
    List {
        /// Prints JSON for programs
        #[arg(long)]
        json: bool,
        /// Which server's keys.
        #[command(flatten)]
        folder: Folder,
    },
    /// Replaces the master key, or the named ones, while the server runs
    ///
    /// A new key is added at the end of the key file (or the newest unused one
    /// there is taken), and everything that the old one has sealed is sealed with
    /// it, a little at a time. The running server takes up the new key by itself.
    /// A rotation that was interrupted goes on where it stopped.
    ///
    /// Afterwards the old key's line may be removed from the key file, if no backup
    /// that needs it is to be restored. A key that comes from `env:` or `cmd:` is
    /// changed there first, the new one after the old one.
    ///
    /// Examples:
    ///   outcrop secrets rotate
    ///   outcrop secrets rotate --key payments --data /var/lib/outcrop
    #[command(verbatim_doc_comment)]
    Rotate {
        /// The name of a key under [encryption.keys]; may be repeated
        #[arg(long = "key", value_name = "NAME", default_value = outcrop_store::MASTER)]
        keys: Vec<String>,
        /// Which server's keys.
        #[command(flatten)]
        folder: Folder,
    },
}

/// What to copy, and to where.
#[derive(Args)]
pub struct Backup {
    /// What to make: a folder, or a file whose name ends in .tar; nothing may be there yet
    #[arg(value_name = "DIR|FILE.tar")]
    pub to: PathBuf,
    /// Puts the keys into the backup too: it can then be read by whoever has it
    #[arg(long)]
    pub include_keys: bool,
    /// Which server's data.
    #[command(flatten)]
    pub folder: Folder,
}

/// What to put back, and to where.
#[derive(Args)]
pub struct Restore {
    /// The backup: a folder, or a .tar file
    #[arg(value_name = "DIR|FILE.tar")]
    pub from: PathBuf,
    /// Sets aside what is in the data folder
    #[arg(long)]
    pub force: bool,
    /// Which server's data.
    #[command(flatten)]
    pub folder: Folder,
}

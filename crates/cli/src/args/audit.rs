//! `outcrop audit`, as it is typed.

use clap::{Args, Subcommand};
use jiff::civil::Date;

use super::Folder;

/// The audit trail.
#[derive(Subcommand)]
pub enum Audit {
    /// Proves that no record was altered, removed or put in between
    ///
    /// Walks the chain of every process that has written here, and names the first
    /// line that is not as it was. The server may run. Ends with status 1 if there
    /// is one.
    ///
    /// Lines that were cut off the end leave no trace in the chain. Keep the last
    /// hash that is shown here somewhere else, and ask for it with --hash the next
    /// time.
    #[command(verbatim_doc_comment)]
    Verify {
        /// The hash of a record that must still be there
        #[arg(long, value_name = "SHA-256")]
        hash: Option<String>,
        /// Which server's trail.
        #[command(flatten)]
        folder: Folder,
    },
    /// Prints all records of some days as JSON lines, oldest first
    Export {
        /// The first day, UTC [default: the first there is]
        #[arg(long, value_name = "YYYY-MM-DD")]
        from: Option<Date>,
        /// The last day, UTC [default: the last there is]
        #[arg(long, value_name = "YYYY-MM-DD")]
        to: Option<Date>,
        /// Which server's trail.
        #[command(flatten)]
        folder: Folder,
    },
    /// Shows the newest records, the newest last
    Tail {
        /// How many
        #[arg(short = 'n', long, default_value_t = 20)]
        lines: usize,
        /// Prints JSON lines
        #[arg(long)]
        json: bool,
        /// Which server's trail.
        #[command(flatten)]
        folder: Folder,
    },
    /// Shows the newest records of which all that is named holds, newest last
    ///
    /// Examples:
    ///   outcrop audit search --error AccessDeniedException
    ///   outcrop audit search --key AKIA... --event Converse --json
    #[command(verbatim_doc_comment)]
    Search(Search),
}

/// What to look for.
#[derive(Args)]
pub struct Search {
    /// The operation: Converse
    #[arg(long, value_name = "NAME")]
    pub event: Option<String>,
    /// The account
    #[arg(long, value_name = "ID")]
    pub account: Option<String>,
    /// A part of the principal's ARN
    #[arg(long, value_name = "TEXT")]
    pub principal: Option<String>,
    /// The access key
    #[arg(long, value_name = "ID")]
    pub key: Option<String>,
    /// The exception: AccessDeniedException
    #[arg(long, value_name = "NAME")]
    pub error: Option<String>,
    /// The request, by its x-amzn-RequestId
    #[arg(long, value_name = "ID")]
    pub request_id: Option<String>,
    /// A part of the policy's name or the statement's
    #[arg(long, value_name = "TEXT")]
    pub policy: Option<String>,
    /// The first day, UTC
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub from: Option<Date>,
    /// The last day, UTC
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub to: Option<Date>,
    /// The most records
    #[arg(short = 'n', long, default_value_t = 100)]
    pub lines: usize,
    /// Prints JSON lines
    #[arg(long)]
    pub json: bool,
    /// Which server's trail.
    #[command(flatten)]
    pub folder: Folder,
}

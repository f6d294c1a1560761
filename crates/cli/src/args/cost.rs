//! `outcrop cost`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Folder;

/// What to tell of cost.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Cost {
    /// Another report.
    #[command(subcommand)]
    pub report: Option<CostReport>,
    /// Spend.
    #[command(flatten)]
    pub spend: Spend,
}

/// The other reports.
#[derive(Subcommand)]
pub enum CostReport {
    /// What a successful task cost: spend divided by the tasks that succeeded
    ///
    /// A task is what an outcome was told for with POST /outcrop/outcomes: one
    /// call by its request id, or every call with one value in its
    /// requestMetadata. Failed tasks are paid for, too: their spend is divided by
    /// those that succeeded. `--by task` tells kinds of tasks apart.
    ///
    /// Examples:
    ///   outcrop cost tasks --by task
    ///   outcrop cost tasks --by model --from 7d
    #[command(verbatim_doc_comment)]
    Tasks {
        /// Which calls.
        #[command(flatten)]
        which: Which,
        /// Prints JSON
        #[arg(long)]
        json: bool,
    },
    /// What could be saved, from real traffic, in dollars a month
    ///
    /// Each finding says how it was computed and what speaks against it. It takes
    /// 1,000 answered calls over a day; with fewer there is nothing to say. Give it
    /// the server's --config: prices come from there.
    ///
    /// Examples:
    ///   outcrop cost advise
    ///   outcrop cost advise --from 14d --filter tag:team=search
    #[command(verbatim_doc_comment)]
    Advise {
        /// Which calls.
        #[command(flatten)]
        which: Which,
        /// Prints JSON
        #[arg(long)]
        json: bool,
    },
}

/// Spend, and how it is shown.
#[derive(Args)]
pub struct Spend {
    /// Which calls.
    #[command(flatten)]
    pub which: Which,
    /// Prints CSV, exact to the last digit
    #[arg(long, conflicts_with = "json")]
    pub csv: bool,
    /// Prints JSON, exact to the last digit
    #[arg(long)]
    pub json: bool,
    /// Draws the spend as bars along the time that it is grouped by first (hour, day or month), stacked by what comes
    /// after it
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
    /// Writes the spend in the columns of FOCUS, the FinOps Open Cost and Usage Specification, as CSV
    #[arg(long, value_name = "FILE")]
    pub focus: Option<PathBuf>,
}

/// Which calls, told apart by what.
#[derive(Args)]
pub struct Which {
    /// What rows are told apart by, as many as you like: day, hour, month, model, account, region, principal, key,
    /// profile, operation, provider, tier, tag:KEY, metadata:KEY; for `tasks` also task. `advise` does not ask
    #[arg(long, value_name = "NAME,NAME", default_value = "day")]
    pub by: String,
    /// From when: 2026-11-01 (in UTC), 2026-11-01T08:00:00Z, today, or how long ago: 7d, 24h [default: 30d]
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// Until when; a day's end where it is a day [default: now]
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,
    /// Only calls with this value, such as tag:team=search or model=amazon.*; may be repeated. Several of one name: any
    /// of them. Several names: all of them
    #[arg(long, value_name = "NAME=VALUE")]
    pub filter: Vec<String>,
    /// Whose data, and by which prices.
    #[command(flatten)]
    pub folder: Folder,
}

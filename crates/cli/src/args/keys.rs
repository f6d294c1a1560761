//! `outcrop keys`, as it is typed.

use clap::Subcommand;
use jiff::{SignedDuration, Span, SpanRelativeTo};

use super::Folder;

/// Keys for `outcrop serve`.
#[derive(Subcommand)]
pub enum Keys {
    /// Makes a key and shows its secret, once
    ///
    /// An access key signs requests, as the AWS SDKs and the AWS CLI do. With
    /// --api-key it is a Bedrock API key instead: one bearer token, which bedrock
    /// and bedrock-runtime accept without a signature.
    ///
    /// What the key opens is decided by its user: a user that the configuration
    /// declares ([[access.users]]) may what its policies allow, another what
    /// default_policies allow, and `root` is the account's owner, who may do
    /// everything in it. A user has at most two active keys of a kind.
    ///
    /// A running server on the same data folder accepts the key at once.
    ///
    /// Examples:
    ///   outcrop keys create --account 123456789012
    ///   outcrop keys create --account 123456789012 --user ada --days 90
    ///   outcrop keys create --account 123456789012 --api-key --days 7 --json
    #[command(verbatim_doc_comment)]
    Create {
        /// The account that the key opens: 12 digits of your choice; accounts do not see each other's resources
        #[arg(long, value_name = "ID", value_parser = account)]
        account: String,
        /// The user whom the key belongs to [default: admin; a Bedrock API key gets a user of its own]
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
        /// Makes a Bedrock API key (a bearer token) instead of an access key
        #[arg(long)]
        api_key: bool,
        /// How long the key holds [default: without end; a Bedrock API key 30 days]
        #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=36_600))]
        days: Option<u32>,
        /// Prints JSON for programs
        #[arg(long)]
        json: bool,
        /// Where the keys are kept.
        #[command(flatten)]
        folder: Folder,
    },
    /// Lists the keys with their users, ends and last uses, without their secrets
    List {
        /// Prints JSON for programs
        #[arg(long)]
        json: bool,
        /// Where the keys are kept.
        #[command(flatten)]
        folder: Folder,
    },
    /// Makes a second key for a key's user, to change over to
    ///
    /// The new key is of the same kind and holds as long as the old one did. The
    /// old one goes on until it is revoked, or until --retire-after has passed.
    ///
    /// Examples:
    ///   outcrop keys rotate AKIA...
    ///   outcrop keys rotate AKIA... --retire-after 24h
    #[command(verbatim_doc_comment)]
    Rotate {
        /// The key's id, as `outcrop keys list` shows it
        id: String,
        /// Ends the old key after this time, such as 30m, 24h or 7d
        #[arg(long, value_name = "TIME", value_parser = time)]
        retire_after: Option<SignedDuration>,
        /// Prints JSON for programs
        #[arg(long)]
        json: bool,
        /// Where the keys are kept.
        #[command(flatten)]
        folder: Folder,
    },
    /// Makes a key invalid, at once and for good
    ///
    /// Short-term API keys made with it end with it. Sessions of roles that were assumed with it go on to their own
    /// ends, as in AWS, unless --sessions is given.
    Revoke {
        /// The key's id, as `outcrop keys list` shows it; a session's (ASIA...) too
        id: String,
        /// Ends the sessions that came from it, too
        #[arg(long)]
        sessions: bool,
        /// Where the keys are kept.
        #[command(flatten)]
        folder: Folder,
    },
}

fn account(text: &str) -> Result<String, &'static str> {
    if text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(text.to_owned());
    }
    Err("an account has 12 digits, such as 123456789012")
}

fn time(text: &str) -> Result<SignedDuration, &'static str> {
    let told = "a time is a number and a unit, such as 30m, 24h or 7d";
    let span: Span = text.parse().map_err(|_| told)?;
    let time = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| told)?;
    if time.is_negative() { Err(told) } else { Ok(time) }
}

//! What can go wrong with a model that is fetched from elsewhere, each with what to do next.

/// An error on the way to a model's file. No text holds the token or a URL's query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RemoteError {
    /// Not a way to name a file elsewhere.
    #[error(
        "'{0}' names no model: hf:OWNER/NAME, hf:OWNER/NAME:FILE, hf:OWNER/NAME@REVISION:FILE, or the URL of a .gguf file \
         with --sha256"
    )]
    Source(String),
    /// A URL without a hash.
    #[error("{0} is only fetched when it is known what it must be: add --sha256 with the file's SHA-256")]
    NoHash(String),
    /// Something else in a hash's place.
    #[error("{0} is no SHA-256: 64 hexadecimal digits")]
    NotAHash(String),
    /// Nothing may be asked of the network.
    #[error(
        "{0} is not on this machine, and fetching is switched off (--offline, OUTCROP_OFFLINE or HF_HUB_OFFLINE); pull it \
         while online, or copy the file here and run `outcrop models pull FILE.gguf`"
    )]
    Offline(String),
    /// The way out is not open to it.
    #[error("{what} is not fetched: {why}")]
    Refused {
        /// What was asked for, perhaps where a redirect led.
        what: String,
        /// The rule.
        why: String,
    },
    /// 401 or 403.
    #[error("{what} may not be read ({status}): {advice}")]
    Denied {
        /// What was asked for.
        what: String,
        /// The answer's status.
        status: u16,
        /// What helps.
        advice: &'static str,
    },
    /// 404 of a URL that is not the hub's.
    #[error("{0} does not exist; check the address")]
    MissingUrl(String),
    /// 404 of the hub.
    #[error(
        "{0} does not exist; check owner, name, revision and file (a private one looks like this without HF_TOKEN)"
    )]
    Missing(String),
    /// 429, again and again.
    #[error("{0} is asked too often (429); wait a few minutes, or set HF_TOKEN for a limit of your own")]
    TooMany(String),
    /// Another status, a broken connection, an answer that makes no sense; again and again.
    #[error("{what} cannot be fetched: {why}; what has come so far is kept, the next pull goes on from there")]
    Failed {
        /// What was asked for.
        what: String,
        /// What went wrong last.
        why: String,
    },
    /// A redirect that is not followed.
    #[error("{what} leads to {to}, which is not followed: only HTTPS is, or plain HTTP from a plain HTTP endpoint")]
    Redirect {
        /// What was asked for.
        what: String,
        /// Where to.
        to: String,
    },
    /// The repository has nothing that runs.
    #[error("{what} has no GGUF file that can be run{which}; `hf:OWNER/NAME:FILE` names one")]
    NoFile {
        /// The repository.
        what: String,
        /// What there is, or that a file is not among them.
        which: String,
    },
    /// Not the bytes that were promised.
    #[error(
        "{what} has the SHA-256 {found}, not {expected}: it was damaged on the way or replaced; it is thrown away, try again"
    )]
    Hash {
        /// What was fetched.
        what: String,
        /// Its hash.
        found: String,
        /// What it should be.
        expected: String,
    },
}

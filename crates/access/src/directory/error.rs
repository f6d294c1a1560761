//! Why a directory cannot be as declared.

/// A declaration that cannot be; the text says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DirectoryError {
    /// A name that no policy has.
    #[error(
        "{of} names the policy `{name}`, which there is not; declare it as [access.policies.{name}], or use one of: {known}"
    )]
    NoSuchPolicy {
        /// Who names it.
        of: String,
        /// The name.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// A policy document that cannot be read.
    #[error("policy `{name}`: {reason}")]
    BadPolicy {
        /// The policy.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A name that AWS has taken.
    #[error("policy `{0}` has the name of one of AWS's own; give it another name")]
    ReservedPolicy(String),
    /// A trust policy that cannot be read.
    #[error("the trust policy of role `{role}`: {reason}")]
    BadTrust {
        /// The role.
        role: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Two of the same name.
    #[error("{what} `{name}` is declared twice in account {account}; remove one of them")]
    Twice {
        /// `user` or `role`.
        what: &'static str,
        /// Its name.
        name: String,
        /// Its account.
        account: String,
    },
    /// Two issuers of the same name.
    #[error("issuer `{0}` is declared twice; remove one of them")]
    TwoIssuers(String),
    /// Not an account.
    #[error("`{0}` is not an account: an account has 12 digits")]
    BadAccount(String),
    /// Not a name.
    #[error("`{0}` is not a name: names have 1 to 64 letters, digits or _+=,.@-")]
    BadName(String),
    /// The owner's name.
    #[error("the user `root` is the owner of its account, who may do everything; it cannot be declared")]
    Root,
    /// Not a possible longest session.
    #[error("max_session_seconds of role `{role}` is {seconds}; it must be from 3600 to 43200")]
    BadDuration {
        /// The role.
        role: String,
        /// What was said.
        seconds: u32,
    },
    /// Not a tag.
    #[error(
        "the tag `{0}` cannot be: a key has 1 to 128 characters, a value at most 256, and a principal at most 50 tags"
    )]
    BadTag(String),
    /// An issuer that cannot be.
    #[error("issuer `{issuer}`: {reason}")]
    BadIssuer {
        /// The issuer.
        issuer: String,
        /// What is wrong with it.
        reason: String,
    },
}

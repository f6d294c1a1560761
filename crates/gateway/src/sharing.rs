//! Who may profit from whose computed prompts: never a caller of another account.

use outcrop_access::Caller;

/// The trust boundary within which the computed beginning of a prompt may serve another call. Whoever is inside can
/// tell by the time, and by `cacheReadInputTokens`, that somebody else inside sent the same beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sharing {
    /// The account.
    #[default]
    Account,
    /// One user, role session or API key.
    Principal,
}

impl Sharing {
    /// The name of the boundary that `caller` is in.
    pub(crate) fn scope(self, caller: &Caller) -> String {
        match self {
            Self::Account => caller.account.clone(),
            // An ARN of another account cannot be told apart from ours by itself if somebody configures it so.
            Self::Principal => format!("{} {}", caller.account, caller.arn),
        }
    }
}

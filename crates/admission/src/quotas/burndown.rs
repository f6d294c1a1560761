//! How many tokens of a quota a call takes (the user guide's "Token burndown rates").

use crate::Spent;

/// Tokens of a quota that a written token takes: 5 for Claude 3.7 and what came after it, else 1.
pub fn rate(model: &str) -> u64 {
    let Some(claude) = model.strip_prefix("anthropic.claude-") else { return 1 };
    let before = ["instant", "v1", "v2", "3-haiku", "3-sonnet", "3-opus", "3-5-"];
    if before.iter().any(|old| claude.starts_with(old)) { 1 } else { 5 }
}

/// What a call counts against quotas when it is over: what was read and not found in a cache, what was written to one,
/// and the answer at its rate.
pub fn tokens(spent: &Spent, rate: u64) -> u64 {
    spent.input.saturating_add(spent.cache_write).saturating_add(spent.output.saturating_mul(rate))
}

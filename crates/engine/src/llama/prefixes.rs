//! Computed prefixes that later calls may begin with.
//!
//! They lie beside the context, not in it, so that a prefix serves many sequences at once and the sequences stay
//! next to each other. Only what prefill computed in whole chunks is kept: then a call that finds its prefix
//! computes exactly the batches that it would have computed without, and answers the same.

use std::collections::VecDeque;

/// Prefixes, the least recently used first.
pub(super) struct Prefixes<T, S> {
    kept: VecDeque<Kept<T, S>>,
    bytes: usize,
    limit: usize,
}

struct Kept<T, S> {
    scope: String,
    tokens: Vec<T>,
    state: S,
    bytes: usize,
}

impl<T: PartialEq + Clone, S> Prefixes<T, S> {
    /// Keeps at most `limit` bytes.
    pub(super) fn new(limit: usize) -> Self {
        Self { kept: VecDeque::new(), bytes: 0, limit }
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The longest beginning of `tokens`, in whole chunks, that was computed in this scope: its length, the
    /// length and the state of what holds it.
    pub(super) fn find(&mut self, scope: &str, tokens: &[T], chunk: usize) -> Option<(usize, usize, &S)> {
        let mut best = None;
        let mut most = 0;
        for (index, kept) in self.kept.iter().enumerate() {
            if kept.scope != scope {
                continue;
            }
            let shared = kept.tokens.iter().zip(tokens).take_while(|(a, b)| a == b).count() / chunk * chunk;
            if shared > most {
                most = shared;
                best = Some(index);
            }
        }
        let kept = self.kept.remove(best?)?;
        self.kept.push_back(kept);
        self.kept.back().map(|kept| (most, kept.tokens.len(), &kept.state))
    }

    /// Whether keeping `tokens` would add something.
    pub(super) fn wants(&self, scope: &str, tokens: &[T]) -> bool {
        !tokens.is_empty() && !self.kept.iter().any(|kept| kept.scope == scope && kept.tokens.starts_with(tokens))
    }

    /// Keeps a prefix. The shorter ones that it begins with are contained in it.
    pub(super) fn keep(&mut self, scope: &str, tokens: &[T], state: S, bytes: usize) {
        if bytes > self.limit {
            return;
        }
        self.kept.retain(|kept| kept.scope != scope || !tokens.starts_with(&kept.tokens));
        self.kept.push_back(Kept { scope: scope.to_owned(), tokens: tokens.to_vec(), state, bytes });
        self.bytes = self.kept.iter().map(|kept| kept.bytes).sum();
        while self.bytes > self.limit
            && let Some(oldest) = self.kept.pop_front()
        {
            self.bytes -= oldest.bytes;
        }
    }
}

#[cfg(test)]
mod tests;

//! Which target of one priority is asked first.

#[cfg(test)]
mod tests;

use sha2::{Digest, Sha256};

/// How a target is chosen among those of its priority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Choice {
    /// By chance, in proportion to the weights.
    #[default]
    Weighted,
    /// The one with the fewest tokens under way for its weight.
    LeastLoaded,
}

/// What decides between targets of the same priority.
#[derive(Debug, Clone, Copy)]
pub enum Lot<'a> {
    /// Chance.
    Chance,
    /// This value of this route: the same value, the same order.
    Value {
        /// The route's model.
        route: &'a str,
        /// What the caller is known by.
        value: &'a str,
    },
    /// What is under way.
    Load,
}

impl Lot<'_> {
    /// A key by which targets are sorted, the smallest first. For weights w and uniform u, the smallest -ln(u)/w is a
    /// choice in proportion to the weights, and the order of the rest is one among them (Efraimidis and Spirakis).
    /// With u from a hash instead of chance it is rendezvous hashing: who is added or leaves takes or gives its own
    /// share only, and everybody else keeps the target that they had.
    pub fn key(self, name: &str, weight: f64, load: u64) -> f64 {
        if weight <= 0.0 {
            return f64::INFINITY;
        }
        let uniform = match self {
            Self::Chance => fastrand::f64(),
            Self::Value { route, value } => hashed(route, name, value),
            // Chance breaks ties only: it is less than one token.
            Self::Load => return (load as f64 + fastrand::f64() * 0.5) / weight,
        };
        -uniform.max(f64::MIN_POSITIVE).ln() / weight
    }
}

/// Uniform in 0 to 1, and the same in every version and on every machine.
fn hashed(route: &str, name: &str, value: &str) -> f64 {
    let mut hash = Sha256::new();
    for part in [route, name, value] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    let first = digest.iter().take(8).fold(0u64, |n, byte| (n << 8) | u64::from(*byte));
    // 53 bits are what a double holds.
    (first >> 11) as f64 / (1u64 << 53) as f64
}

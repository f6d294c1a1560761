//! Resource ids.

#[cfg(test)]
mod tests;

use crate::{Error, Result};

/// What the ids of a kind look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ids {
    /// Twelve of `a-z0-9`: inference profiles, guardrails, jobs.
    Lower,
    /// Ten of `A-Z0-9`: agents, knowledge bases, flows, prompts.
    Upper,
}

impl Ids {
    /// A new id from the operating system's random numbers: 52 bits and more, so that they can be neither guessed
    /// nor, in practice, meet.
    pub fn generate(self) -> Result<String> {
        let (alphabet, length) = match self {
            Self::Lower => (b"abcdefghijklmnopqrstuvwxyz0123456789", 12),
            Self::Upper => (b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", 10),
        };
        let mut id = String::with_capacity(length);
        let mut random = [0_u8; 32];
        while id.len() < length {
            getrandom::fill(&mut random).map_err(|error| Error::Internal(error.to_string()))?;
            // Bytes from 252 on would favour the first letters.
            let even = random.iter().filter(|byte| **byte < 252);
            id.extend(even.map(|byte| char::from(alphabet[usize::from(*byte) % 36])).take(length - id.len()));
        }
        Ok(id)
    }
}

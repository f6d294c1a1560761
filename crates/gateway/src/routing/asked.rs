//! Who has been asked to answer one call, for whoever tells of it when nobody did.

use std::sync::{Arc, Mutex, PoisonError};

use super::target::Target;

/// The attempts of one call.
#[derive(Debug, Default)]
pub struct Attempts(Mutex<(u32, Option<Arc<Target>>)>);

impl Attempts {
    /// `target` is asked.
    pub(super) fn made(&self, target: &Arc<Target>) {
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *made = (made.0 + 1, Some(Arc::clone(target)));
    }

    /// How many there were, and who was asked last.
    pub fn last(&self) -> (u32, Option<Arc<Target>>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

//! What of a call only deeper layers see, for the record that is made of it when it is over.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Carried by a call's context; every clone notes in the same place. Asking costs no more for it than a few pointers.
#[derive(Clone, Default)]
pub struct Trail(Arc<Mutex<Noted>>);

/// What was noted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Noted {
    /// The answer to the last question that policies were asked. None where nobody asked, and for the owner of the
    /// account, whom no policy binds.
    pub decided: Option<Decided>,
    /// The model that was named, where the path does not name it.
    pub model: Option<String>,
}

/// How policies answered a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// What was asked, as IAM writes it.
    pub action: String,
    /// On what; none where the action is on no one resource.
    pub resource: Option<String>,
    /// The answer.
    pub allowed: bool,
    /// What kind of policy decided, or should have: `identity`, `resource`, `session`, `trust`.
    pub kind: &'static str,
    /// Its name. None of a resource's, and where no policy said anything.
    pub policy: Option<Arc<str>>,
    /// The statement's Sid, or its place in the policy. None where no policy said anything.
    pub statement: Option<Arc<str>>,
}

impl Trail {
    /// Notes an answer of policies.
    pub fn decided(&self, decided: Decided) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).decided = Some(decided);
    }

    /// Notes which model the call names.
    pub fn model(&self, id: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).model = Some(id.to_owned());
    }

    /// What was noted until now.
    pub fn noted(&self) -> Noted {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl fmt::Debug for Trail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Trail")
    }
}

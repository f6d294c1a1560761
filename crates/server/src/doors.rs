//! What the port answers besides the operations of the four services. The pipeline asks here, so that a new door is in
//! the list by which `outcrop doctor --routes` and the walk over every route know it.

use crate::pipeline::HEALTH;

/// A path that belongs to no operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// Liveness.
    Health,
    /// STS, in the AWS Query protocol.
    Sts,
}

impl Door {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Health, Self::Sts];

    /// The door at `path`.
    pub fn at(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|door| door.path() == path)
    }

    /// Its path.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Health => HEALTH,
            Self::Sts => "/",
        }
    }

    /// The methods it takes, but for HEAD, which is a GET without its body.
    pub const fn methods(self) -> &'static [&'static str] {
        match self {
            Self::Health => &["GET"],
            Self::Sts => &["GET", "POST"],
        }
    }

    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Health => "health",
            Self::Sts => "sts",
        }
    }
}

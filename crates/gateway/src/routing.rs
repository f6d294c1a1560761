//! Which providers a call is put to, in which order, how often and for how long.
//!
//! A configuration becomes [`Routes`]: for every model of the catalogue the targets that may answer for it. A call gets
//! a [`Plan`]: those of them that its account's data rules, its Regions and its budget of time admit, in order.
//! [`Plan::attempt`] asks them until one begins to answer. What is learnt on the way, health and load, is a target's
//! [`State`], which outlives configurations in a [`Registry`].

mod asked;
mod attempt;
mod backoff;
mod breaker;
mod budget;
mod choose;
mod failed;
mod histogram;
mod lease;
mod name;
mod plan;
mod report;
mod routes;
mod settings;
mod slot;
mod state;
mod target;
#[cfg(test)]
mod testing;
mod traced;
mod variant;

pub use asked::Attempts;
pub use attempt::Served;
pub use breaker::BreakerSettings;
pub use choose::Choice;
pub use failed::ATTEMPTS;
pub use lease::Lease;
pub use name::{Naming, OwnName};
pub use outcrop_providers::Glob;
pub use plan::{Ask, Plan};
pub use report::{RouteReport, TargetReport};
pub use routes::{LOCAL, Route, Routes, RoutesError};
pub use settings::{Hedge, Policy, RouteSettings, Setup, Source, StandIns, TargetSettings};
pub use state::{Registry, State};
pub use target::Target;

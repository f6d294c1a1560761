//! Long work over the store's queue rows: claim, lease, checkpoint, cancel, resume.
//!
//! Does: keeps a [`Task`] (whose it is, for which role, what to do, how far it came) as a row that is enqueued in the
//! transaction of the document that caused it; runs rows by a [`Worker`], so many at once and so many for an account;
//! renews leases; puts a failed row off for longer each time. A row whose process died is claimed again when its lease
//! has run out, with its last checkpoint and how often that happened: what kills the process would do so for ever. Never: knows a kind of job, judges what a task may.
//!
//! Start at [`Runner::run`].

mod held;
mod runner;
mod task;

pub use held::{Held, Lost};
pub use runner::{Ended, Limits, Runner, Worker};
pub use task::Task;

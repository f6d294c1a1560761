//! What calls took, what they cost, and how that is seen: usage, prices, metrics, alarms, invocation logs, the audit
//! trail, and the parts of CloudWatch, CloudTrail and Service Quotas that show them.
//!
//! Never: deciding a call, HTTP.
//!
//! Start at [`Entry`], the one record of a call that everything else is made from, and at [`Hub`], which hands it on.

pub mod advise;
pub mod alarms;
pub mod anomalies;
pub mod audit;
pub mod cloudtrail;
pub mod cloudwatch;
pub mod cost;
pub mod entry;
pub mod hub;
pub mod invocation_log;
pub mod ledger;
pub mod meters;
pub mod metrics;
pub mod otlp;
pub mod outcomes;
pub mod prices;
pub mod prometheus;
pub mod slice;
pub mod trace;

pub use entry::{Entry, Outcome, Tokens};
pub use hub::{Consumer, Hub, Recorder};
pub use ledger::Ledger;
pub use prices::{Prices, Rates};
pub use slice::{Slice, SliceError};

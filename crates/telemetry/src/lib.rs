//! What calls took, what they cost, and how that is seen: the usage ledger and reports of it, prices, metrics, alarms,
//! unusual spend, traces, invocation logs, the audit trail; and the parts of CloudWatch and CloudTrail that show them.
//!
//! Never: decides whether a call may be made, listens, keeps a word of what was said ([`invocation_log`] alone does,
//! for accounts that asked for it), connects to anybody but through `outbound`.
//!
//! Start at [`Entry`], the one record of a call that usage, cost and metrics are made from, and at [`Hub`], which hands
//! it on to every [`Consumer`]. [`ledger`] keeps entries and [`cost`] adds them up; [`prices`] says what a call costs;
//! [`metrics`] is what CloudWatch shows and [`alarms`] judge, [`meters`] what [`prometheus`] and [`otlp`] show.
//! [`audit`] and [`invocation_log`] hear of requests from the server, not of entries. A [`Slice`] is a part of another
//! AWS service.

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

pub use entry::{Entry, Outcome, TextUnits, Tokens};
pub use hub::{Consumer, Hub, Recorder};
pub use ledger::Ledger;
pub use prices::{Prices, Rates};
pub use slice::{Slice, SliceError};

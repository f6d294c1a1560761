//! Model invocation logging: what callers said and were answered, for accounts that asked for it and for no other.
//!
//! An account turns it on for a Region ([`put`]) and says where records go: a bucket, a log group, or both. Both are
//! folders that the operator has set up ([`Destinations`]). What goes where is in `deliver`, in AWS's form and
//! layout; what of a body is delivered, in `body`.
//!
//! Off, it costs a look into memory: no body is kept or copied. On, a call keeps its bytes, which it has anyway, until
//! one thread has written them; nobody waits for that thread. Where more waits than may, records are dropped and
//! counted. A crash loses at most the last second.

mod body;
mod deliver;
mod error;
mod operations;
mod places;
mod record;
mod tap;
#[cfg(test)]
mod tests;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Sender, channel};

use arc_swap::ArcSwap;
use outcrop_buckets::Buckets;
use outcrop_resources::{Mirror, Resources};

pub use error::LogError;
pub use operations::{delete, get, put};
pub use places::Destinations;
pub use tap::{Call, Tap};

use operations::Kept;
use tap::Job;

/// The logs of all accounts.
pub struct InvocationLogs {
    kept: Mirror<Kept>,
    destinations: Arc<ArcSwap<Destinations>>,
    buckets: Buckets,
    jobs: Sender<Message>,
    shared: Arc<Shared>,
}

enum Message {
    Job(Box<Job>),
    Flush(std::sync::mpsc::SyncSender<()>),
}

/// Deliveries since the start, as CloudWatch's metrics of them are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Deliveries {
    /// `ModelInvocationLogsS3DeliverySuccess`
    pub s3_success: u64,
    /// `ModelInvocationLogsS3DeliveryFailure`: those that found no room are among them.
    pub s3_failure: u64,
    /// `ModelInvocationLogsCloudWatchDeliverySuccess`
    pub cloud_watch_success: u64,
    /// `ModelInvocationLogsCloudWatchDeliveryFailure`
    pub cloud_watch_failure: u64,
    /// `ModelInvocationLargeDataS3DeliverySuccess`
    pub large_success: u64,
    /// `ModelInvocationLargeDataS3DeliveryFailure`
    pub large_failure: u64,
}

#[derive(Debug, Default)]
struct Shared {
    /// Bytes of bodies that wait.
    waiting: AtomicUsize,
    /// How many may.
    most: AtomicUsize,
    s3: Count,
    cloud_watch: Count,
    large: Count,
}

#[derive(Debug, Default)]
struct Count {
    success: AtomicU64,
    failure: AtomicU64,
}

impl Count {
    fn add(&self, success: bool, records: u64) {
        if success { &self.success } else { &self.failure }.fetch_add(records, Relaxed);
    }
}

impl InvocationLogs {
    /// Starts the thread that delivers. Configurations are in memory after the first [`catch_up`](Self::catch_up).
    pub fn open(resources: &Resources, destinations: Destinations, buffer_bytes: usize) -> io::Result<Self> {
        let (jobs, receiver) = channel();
        let shared = Arc::<Shared>::default();
        let destinations = Arc::new(ArcSwap::from_pointee(destinations));
        let deliverer = deliver::Deliverer::new(Arc::clone(&destinations), Arc::clone(&shared));
        std::thread::Builder::new().name("invocation-log".into()).spawn(move || deliverer.run(&receiver))?;
        let kept = Mirror::new(resources, "invocation-logging");
        let logs = Self { kept, destinations, buckets: Buckets::default(), jobs, shared };
        logs.shared.most.store(buffer_bytes, Relaxed);
        Ok(logs)
    }

    /// The same, knowing whose buckets are.
    #[must_use]
    pub fn with_buckets(self, buckets: Buckets) -> Self {
        Self { buckets, ..self }
    }

    /// Other folders and another bound, from now on.
    pub fn configure(&self, destinations: Destinations, buffer_bytes: usize) {
        self.destinations.store(Arc::new(destinations));
        self.shared.most.store(buffer_bytes, Relaxed);
    }

    /// Brings into memory what accounts have asked for since.
    pub async fn catch_up(&self) -> outcrop_resources::Result<()> {
        self.kept.catch_up().await
    }

    /// Keeps memory fresh until it is dropped.
    pub async fn follow(&self) {
        self.kept.follow().await;
    }

    /// Waits, blocking, until everything that is over by now is delivered.
    pub fn flush(&self, patience: std::time::Duration) -> bool {
        let (done, told) = std::sync::mpsc::sync_channel(1);
        self.jobs.send(Message::Flush(done)).is_ok() && told.recv_timeout(patience).is_ok()
    }

    /// What was delivered and what was not, since the start.
    pub fn deliveries(&self) -> Deliveries {
        let Shared { s3, cloud_watch, large, .. } = &*self.shared;
        let of = |count: &AtomicU64| count.load(Relaxed);
        Deliveries {
            s3_success: of(&s3.success),
            s3_failure: of(&s3.failure),
            cloud_watch_success: of(&cloud_watch.success),
            cloud_watch_failure: of(&cloud_watch.failure),
            large_success: of(&large.success),
            large_failure: of(&large.failure),
        }
    }
}

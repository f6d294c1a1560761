//! A task that is being worked on.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use outcrop_store::{Batch, Error, Lease, Op, Store};
use serde_json::Value;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::Task;

/// A claimed task. Its lease is renewed for as long as this exists.
pub struct Held {
    store: Arc<dyn Store>,
    lease: Lease,
    duration: Duration,
    task: Mutex<Task>,
    cancel: CancellationToken,
    place: Arc<Place>,
}

/// One of a runner's places, which a task has while it works.
pub(crate) struct Place {
    taken: Mutex<Option<OwnedSemaphorePermit>>,
    places: Arc<Semaphore>,
    free: Arc<Notify>,
}

impl Place {
    pub fn new(permit: OwnedSemaphorePermit, free: Arc<Notify>) -> Self {
        Self { places: Arc::clone(permit.semaphore()), taken: Mutex::new(Some(permit)), free }
    }

    /// Whether the task has it now.
    pub fn is_taken(&self) -> bool {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    fn put(&self, permit: Option<OwnedSemaphorePermit>) {
        *self.taken.lock().unwrap_or_else(PoisonError::into_inner) = permit;
    }
}

/// Why a checkpoint was not taken.
#[derive(Debug, thiserror::Error)]
pub enum Lost {
    /// Another has taken the task over: this worker must end and write nothing more.
    #[error("another worker has taken the task over")]
    Lease,
    /// A step that was to be taken with it failed, so that nothing was done.
    #[error(transparent)]
    Store(Error),
}

impl From<Error> for Lost {
    fn from(error: Error) -> Self {
        match error {
            Error::LeaseLost(_) => Self::Lease,
            other => Self::Store(other),
        }
    }
}

impl Held {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        lease: Lease,
        duration: Duration,
        task: Task,
        cancel: CancellationToken,
        place: Arc<Place>,
    ) -> Self {
        Self { store, lease, duration, task: Mutex::new(task), cancel, place }
    }

    /// Waits for something while another task may have this one's place, then for a place again.
    pub async fn aside<T>(&self, wait: impl Future<Output = T>) -> T {
        self.place.put(None);
        self.place.free.notify_one();
        let done = wait.await;
        // Nobody closes the places.
        self.place.put(Arc::clone(&self.place.places).acquire_owned().await.ok());
        done
    }

    /// The task, with its last checkpoint.
    pub fn task(&self) -> Task {
        self.task.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Cancelled when the lease is lost or the server stops. Whoever then ends with [`Ended::Again`](crate::Ended)
    /// has the task resumed.
    pub fn cancelled(&self) -> &CancellationToken {
        &self.cancel
    }

    /// Takes further steps while the task is still this worker's, in one transaction with that question.
    pub async fn commit(&self, ops: Vec<Op>) -> Result<(), Lost> {
        self.extend(None, ops).await
    }

    /// Saves how far it came, in one transaction with further steps.
    pub async fn checkpoint(&self, checkpoint: Value, ops: Vec<Op>) -> Result<(), Lost> {
        self.save(Task { checkpoint: Some(checkpoint), begun: 1, ..self.task() }, ops).await
    }

    /// Says that it went on, for workers without checkpoints: if the process dies now, the work was not at fault.
    pub async fn went_on(&self) -> Result<(), Lost> {
        let task = self.task();
        if task.begun <= 1 { Ok(()) } else { self.save(Task { begun: 1, ..task }, Vec::new()).await }
    }

    /// Counts that it is begun, before it is: nobody could afterwards.
    pub(crate) async fn begin(&self) -> Result<(), Lost> {
        let task = self.task();
        self.save(Task { begun: task.begun.saturating_add(1), ..task }, Vec::new()).await
    }

    async fn save(&self, task: Task, ops: Vec<Op>) -> Result<(), Lost> {
        let body = body(&task)?;
        self.extend(Some(body), ops).await?;
        *self.task.lock().unwrap_or_else(PoisonError::into_inner) = task;
        Ok(())
    }

    pub(crate) async fn renew(&self) -> Result<(), Lost> {
        self.extend(None, Vec::new()).await
    }

    pub(crate) async fn complete(&self, mut ops: Vec<Op>) -> Result<(), Lost> {
        ops.insert(0, Op::Complete(self.lease));
        self.store.commit(Batch::new(ops)).await?;
        Ok(())
    }

    /// Leaves it for later, `failed` or not.
    pub(crate) async fn put_off(&self, by: Duration, failed: bool) -> Result<(), Lost> {
        let task = self.task();
        let task = Task { failures: task.failures + u32::from(failed), begun: 0, ..task };
        self.leave(by, Some(body(&task)?)).await
    }

    /// Leaves it for later as it is; nobody has begun it.
    pub(crate) async fn pass(&self, by: Duration) -> Result<(), Lost> {
        self.leave(by, None).await
    }

    async fn leave(&self, by: Duration, checkpoint: Option<Vec<u8>>) -> Result<(), Lost> {
        self.store.commit(Op::Extend { lease: self.lease, by, checkpoint }.into()).await?;
        Ok(())
    }

    async fn extend(&self, checkpoint: Option<Vec<u8>>, mut ops: Vec<Op>) -> Result<(), Lost> {
        ops.insert(0, Op::Extend { lease: self.lease, by: self.duration, checkpoint });
        let done = self.store.commit(Batch::new(ops)).await.map(drop).map_err(Lost::from);
        if matches!(done, Err(Lost::Lease)) {
            self.cancel.cancel();
        }
        done
    }
}

fn body(task: &Task) -> Result<Vec<u8>, Lost> {
    // Only a map whose keys are no strings fails, and there is none in it.
    serde_json::to_vec(task).map_err(|_| Lost::Store(Error::Busy))
}

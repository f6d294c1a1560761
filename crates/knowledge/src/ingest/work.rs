//! The tasks of knowledge bases' queue.

use async_trait::async_trait;
use outcrop_api::bedrock_agent::KnowledgeBaseDocument;
use outcrop_queue::{Ended, Held, Task, Worker};
use outcrop_resources::{Error, Op, Scope};
use serde::{Deserialize, Serialize};

use super::direct::{self, Call};
use super::{delete, job};
use crate::kept::Told;
use crate::{Knowledge, KnowledgeError};

/// The queue that all of them wait in.
pub const QUEUE: &str = "knowledge";

/// How often a task is tried that fails for reasons which may pass.
pub(super) const TRIES: u32 = 4;

/// How often a task is begun that ends the process each time, before it comes any further.
pub(super) const DEATHS: u32 = 20;

/// The last steps of a task that is done, or why it is to be tried again.
pub(super) type Finished = Result<Vec<Op>, KnowledgeError>;

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Work {
    /// Takes a knowledge base away, with its data sources and their vectors.
    DeleteBase {
        /// The knowledge base.
        base: String,
    },
    /// Does an ingestion job.
    Ingest {
        /// The knowledge base.
        base: String,
        /// The data source.
        source: String,
        /// The job.
        job: String,
    },
    /// Reads documents that a call brought, and makes them searchable.
    Documents {
        /// The knowledge base.
        base: String,
        /// The data source.
        source: String,
        /// The call.
        call: String,
        /// The documents.
        documents: Vec<Told<KnowledgeBaseDocument>>,
    },
    /// Takes documents away.
    Remove {
        /// The knowledge base.
        base: String,
        /// The data source.
        source: String,
        /// The call.
        call: String,
        /// Which.
        ids: Vec<String>,
    },
    /// Takes a data source away, with its vectors.
    DeleteSource {
        /// The knowledge base.
        base: String,
        /// The data source.
        source: String,
    },
}

impl Work {
    /// The step that has it done.
    pub(crate) fn enqueue(
        &self,
        knowledge: &Knowledge,
        scope: Scope<'_>,
        role: Option<&str>,
    ) -> Result<Op, KnowledgeError> {
        let internal = |error: serde_json::Error| Error::Internal(error.to_string());
        let work = serde_json::to_value(self).map_err(internal)?;
        let task = Task::new(scope.account, scope.region, role, work);
        Ok(task.enqueue(knowledge.0.runner.queue()).map_err(internal)?)
    }
}

/// Does the tasks, with the knowledge bases that `now` answers: a reload makes others.
pub struct Tasks<F>(pub F);

#[async_trait]
impl<F: Fn() -> Option<Knowledge> + Send + Sync + 'static> Worker for Tasks<F> {
    async fn work(&self, held: &Held) -> Ended {
        let Some(knowledge) = (self.0)() else { return Ended::Again("the server has no knowledge bases".to_owned()) };
        let task = held.task();
        let work: Work = match serde_json::from_value(task.work) {
            Ok(work) => work,
            Err(error) => return Ended::Again(error.to_string()),
        };
        let scope = Scope { account: &task.account, region: &task.region };
        let work = async {
            match &work {
                Work::Ingest { base, source, job } => job::run(&knowledge, scope, (base, source, job), held).await,
                Work::Documents { base, source, call, documents } => {
                    let call = Call { knowledge: &knowledge, scope, base, source, id: call };
                    direct::ingest(&call, documents, held).await
                }
                Work::Remove { base, source, call, ids } => {
                    let call = Call { knowledge: &knowledge, scope, base, source, id: call };
                    direct::remove(&call, ids, held).await
                }
                Work::DeleteBase { base } => delete::base(&knowledge, scope, base, held).await,
                Work::DeleteSource { base, source } => delete::source(&knowledge, scope, base, source, held).await,
            }
        };
        // Whatever is dropped half-way is done again when the task is resumed.
        let done = tokio::select! {
            done = work => done,
            () = held.cancelled().cancelled() => return Ended::Again("the server stops".to_owned()),
        };
        done.map_or_else(|error| Ended::Again(error.to_string()), Ended::Done)
    }
}

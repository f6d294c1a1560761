//! Knowledge bases: what they work with, and who does the work that operations set off.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use outcrop_access::Acting;
use outcrop_buckets::Buckets;
use outcrop_extract::wall::Wall;
use outcrop_gateway::Gateway;
use outcrop_guard::Encoder;
use outcrop_knowledge::{Answers, Knowledge, QUEUE, Settings, State, Tasks, Turns};
use outcrop_queue::{Limits, Runner};
use outcrop_resources::Resources;
use outcrop_vectors::Embedded;
use tokio_util::sync::CancellationToken;

use super::{StartError, told};
use crate::config::{Config, KnowledgeAnswers, functions};
use crate::reload::Live;

/// The folder of the embedded index, in the data folder.
const FOLDER: &str = "knowledge";
/// The argument with which this program reads one file and ends.
pub const EXTRACT_CHILD: &str = "extract-child";
/// How long work of a process that was killed waits to be resumed.
const LEASE: Duration = Duration::from_secs(6);

/// What knowledge bases share with the rest of the server.
pub(super) struct Means {
    /// Where documents lie.
    pub buckets: Buckets,
    /// The roles that they act with.
    pub acting: Acting,
    /// What makes sentences' vectors.
    pub encoder: Arc<dyn Encoder>,
}

/// What knowledge bases work with, whatever the configuration becomes.
pub(super) fn open(config: &Config, folder: &Path, resources: &Resources, means: Means) -> Result<State, StartError> {
    let limits =
        Limits { at_once: config.knowledge.jobs, per_account: config.knowledge.jobs_per_account, lease: LEASE };
    Ok(State {
        buckets: means.buckets,
        engine: Arc::new(Embedded::open(folder.join(FOLDER)).map_err(told)?),
        runner: Runner::new(Arc::clone(resources.store()), QUEUE, limits),
        acting: means.acting,
        encoder: means.encoder,
        turns: Turns::default(),
        wall: Arc::new(wall()?),
    })
}

/// What reads files.
pub(super) fn wall() -> Result<Wall, StartError> {
    Ok(Wall::new(std::env::current_exe().map_err(told)?, vec![EXTRACT_CHILD.into()], Default::default()))
}

/// The knowledge bases as `config` wants them.
pub(super) fn knowledge(
    config: &Config,
    resources: &Resources,
    gateway: Arc<Gateway>,
    state: &State,
) -> Result<Knowledge, StartError> {
    let outbound = config.outbound.open().map_err(told)?;
    let settings = Settings {
        strict: config.knowledge.strict,
        managed_model: config.knowledge.managed_embedding_model.clone(),
        answers: match config.knowledge.answers {
            KnowledgeAnswers::Auto => Answers::Auto,
            KnowledgeAnswers::Extractive => Answers::Extractive,
            KnowledgeAnswers::Generative => Answers::Generative,
        },
        functions: functions(&config.functions, &outbound).map_err(told)?,
        schedules: config.knowledge.schedules(),
    };
    Ok(Knowledge::new(resources, gateway, state.clone(), settings))
}

/// Does what operations set off, until `stop`.
pub(super) async fn work(runner: Runner, live: Arc<Live>, stop: CancellationToken) {
    let now = move || Some(live.pipeline().doors.as_ref()?.knowledge.clone());
    let due = outcrop_knowledge::schedule::run(now.clone(), stop.clone());
    tokio::join!(runner.run(Arc::new(Tasks(now)), stop), due);
}

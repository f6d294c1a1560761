//! Knowledge bases: what they work with, and who does the work that operations set off.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use outcrop_access::Acting;
use outcrop_buckets::Buckets;
use outcrop_extract::wall::Wall;
use outcrop_gateway::Gateway;
use outcrop_guard::Encoder;
use outcrop_knowledge::{Answers, EMBEDDED, Knowledge, QUEUE, Settings, State, Tasks, Turns};
use outcrop_queue::{Limits, Runner};
use outcrop_resources::Resources;
use outcrop_vectors::Embedded;
use tokio_util::sync::CancellationToken;

use super::{StartError, told};
use crate::config::{Config, KnowledgeAnswers, Speaks, functions};
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
        embedded: Arc::new(Embedded::open(folder.join(FOLDER)).map_err(told)?),
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
    dev: bool,
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
        outside: Some(config.outside(dev).map_err(told)?),
        stores: config.stores(&outbound).map_err(told)?,
    };
    Ok(Knowledge::new(resources, gateway, state.clone(), settings))
}

/// What serves which storage type, for the table at the start.
pub(super) fn describe(config: &Config) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    for (name, store) in &config.knowledge.stores {
        let only = match store.endpoints.as_slice() {
            [] => String::new(),
            some => format!(" at {}", some.join(", ")),
        };
        let kind = match store.kind {
            Speaks::Postgres => "PostgreSQL",
            Speaks::Qdrant => "Qdrant",
            Speaks::Opensearch => "OpenSearch",
        };
        lines.push(("knowledge", format!("{name} ({kind}) keeps {}{only}", store.types.join(", "))));
    }
    let rest = if lines.is_empty() { "all storage types" } else { "what is not named above" };
    lines.push(("knowledge", format!("the {EMBEDDED} keeps {rest}")));
    lines
}

/// Does what operations set off, until `stop`.
pub(super) async fn work(runner: Runner, live: Arc<Live>, stop: CancellationToken) {
    let now = move || Some(live.pipeline().doors.as_ref()?.knowledge.clone());
    let due = outcrop_knowledge::schedule::run(now.clone(), stop.clone());
    tokio::join!(runner.run(Arc::new(Tasks(now)), stop), due);
}

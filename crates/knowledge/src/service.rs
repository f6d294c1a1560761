//! The knowledge bases of all accounts, and what they work with.

use std::sync::Arc;

use bytes::Bytes;
use outcrop_access::Context;
use outcrop_access::acting::{Acting, As, BEDROCK};
use outcrop_buckets::Buckets;
use outcrop_extract::wall::Wall;
use outcrop_extract::{Document, Failure};
use outcrop_functions::Functions;
use outcrop_gateway::Gateway;
use outcrop_guard::Encoder;
use outcrop_queue::Runner;
use outcrop_resources::{Collection, Op, Resource, Resources, Scope, Tagger};
use outcrop_vectors::Engine;

use crate::KnowledgeError;
use crate::answer::session::{SESSION, Session};
use crate::base::scope;
use crate::ingest::Outside;
use crate::kept::{self, DATA_SOURCE, INGESTION_JOB, KINDS, KNOWLEDGE_BASE};
use crate::schedule;
use crate::stores::Bound;
use crate::turns::Turns;

/// What the configuration says.
#[derive(Clone)]
pub struct Settings {
    /// Whether what a declared storage type cannot do is refused, though the embedded index can.
    pub strict: bool,
    /// What makes the vectors of MANAGED knowledge bases that name no model.
    pub managed_model: String,
    /// Who words answers.
    pub answers: Answers,
    /// What transforms chunks.
    pub functions: Functions,
    /// When sources are synchronised, beside what their tags and connectors say.
    pub schedules: schedule::Settings,
    /// How sources that lie elsewhere are reached; none where they are not.
    pub outside: Option<Outside>,
    /// The engines beside the embedded index.
    pub stores: Vec<Bound>,
}

/// Who words the answers of RetrieveAndGenerate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Answers {
    /// The documents themselves where a model of this process would answer, the model elsewhere.
    #[default]
    Auto,
    /// The documents themselves, in the sentences that answer.
    Extractive,
    /// The model, whichever it is.
    Generative,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            strict: false,
            managed_model: "amazon.titan-embed-text-v2:0".to_owned(),
            answers: Answers::Auto,
            functions: Functions::default(),
            schedules: schedule::Settings::new(),
            outside: None,
            stores: Vec::new(),
        }
    }
}

/// What stays when the configuration changes.
#[derive(Clone)]
pub struct State {
    /// Where documents lie.
    pub buckets: Buckets,
    /// Where chunks are kept for which the operator names no other engine.
    pub embedded: Arc<dyn Engine>,
    /// What runs the work that operations set off.
    pub runner: Runner,
    /// The roles that knowledge bases act with.
    pub acting: Acting,
    /// What tells how close texts are in meaning, for evidence and for reranking without a model.
    pub encoder: Arc<dyn Encoder>,
    /// Whose documents are being written.
    pub turns: Turns,
    /// What reads files.
    pub wall: Arc<Wall>,
}

/// The knowledge bases of all accounts. Cheap to clone.
#[derive(Clone)]
pub struct Knowledge(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) resources: Resources,
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) buckets: Buckets,
    pub(crate) embedded: Arc<dyn Engine>,
    pub(crate) runner: Runner,
    pub(crate) acting: Acting,
    pub(crate) encoder: Arc<dyn Encoder>,
    pub(crate) turns: Turns,
    pub(crate) wall: Arc<Wall>,
    pub(crate) functions: Functions,
    pub(crate) settings: Settings,
    pub(crate) bases: Collection<kept::KnowledgeBase>,
    pub(crate) sources: Collection<kept::DataSource>,
    pub(crate) jobs: Collection<kept::Job>,
    pub(crate) sessions: Collection<Session>,
    pub(crate) tagger: Tagger,
}

impl Knowledge {
    /// Knowledge bases kept in `resources`, filled and searched by models of `gateway`.
    pub fn new(resources: &Resources, gateway: Arc<Gateway>, state: State, settings: Settings) -> Self {
        Self(Arc::new(Inner {
            resources: resources.clone(),
            gateway,
            buckets: state.buckets,
            embedded: state.embedded,
            runner: state.runner,
            acting: state.acting,
            encoder: state.encoder,
            turns: state.turns,
            wall: state.wall,
            functions: settings.functions.clone(),
            settings,
            bases: resources.collection(&KNOWLEDGE_BASE),
            sources: resources.collection(&DATA_SOURCE),
            jobs: resources.collection(&INGESTION_JOB),
            sessions: resources.collection(&SESSION),
            tagger: resources.tagger(KINDS),
        }))
    }

    /// Whether what a declared storage type cannot do is refused.
    pub fn strict(&self) -> bool {
        self.0.settings.strict
    }

    /// A call by the role that a knowledge base acts with.
    pub(crate) fn acting(&self, scope: Scope<'_>, role: &str, base: Option<&str>) -> Result<Context, KnowledgeError> {
        let asked =
            As { account: scope.account, region: scope.region, role_arn: role, service: BEDROCK, source_arn: base };
        self.0.acting.role(asked).map_err(|error| {
            tracing::info!(%error, "a knowledge base cannot act");
            KnowledgeError::Validation(
                "Bedrock Knowledge Base was unable to assume the given role. Provide the proper permissions and retry \
                 the request."
                    .to_owned(),
            )
        })
    }

    /// The same for a role that a caller names, who must be let pass it.
    pub(crate) fn pass(&self, cx: &Context, role: &str, base: &str) -> Result<Context, KnowledgeError> {
        self.0.acting.pass_role(cx, role, BEDROCK)?;
        self.acting(scope(cx), role, Some(base))
    }

    /// The step that keeps a knowledge base from going while something is added to it.
    pub(crate) fn require_base(&self, scope: Scope<'_>, base: &Resource<kept::KnowledgeBase>) -> Op {
        Op::Require { key: scope.owned().key(KNOWLEDGE_BASE.name, &base.id), expect: Some(base.revision) }
    }

    /// The same for a data source.
    pub(crate) fn require_source(&self, scope: Scope<'_>, source: &Resource<kept::DataSource>) -> Op {
        Op::Require { key: scope.owned().key(DATA_SOURCE.name, &source.id), expect: Some(source.revision) }
    }

    /// Reads a file.
    pub(crate) async fn parse(&self, bytes: Bytes, name: String, mime: Option<String>) -> Result<Document, Failure> {
        self.0.wall.read(bytes, name, mime).await
    }
}

//! What a configuration says about routing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use outcrop_models::data_retention::Retention;
use outcrop_providers::Provider;

use super::routes::LOCAL;
use super::{BreakerSettings, Choice, Glob, Naming};

/// All of it.
#[derive(Default)]
pub struct Setup {
    /// Who can answer, in the order in which they are preferred.
    pub sources: Vec<Arc<Source>>,
    /// Models whose targets are named.
    pub routes: Vec<RouteSettings>,
    /// How models without a route of their own are treated.
    pub policy: Policy,
    /// Local models that answer for models which nobody serves; none where nobody is to be stood in for.
    pub stand_ins: Option<StandIns>,
}

/// A provider, by its name in the configuration.
pub struct Source {
    /// Its name.
    pub name: Arc<str>,
    /// It.
    pub provider: Arc<dyn Provider>,
    /// What makes it the same provider after the configuration has changed: its kind and place. Never shown.
    pub identity: String,
    /// How its names follow from the catalogue's.
    pub naming: Naming,
    /// The models that it serves.
    pub serves: Vec<Glob>,
    /// Its own names of models, by the catalogue's id; it serves these, too.
    pub models: BTreeMap<String, String>,
    /// The most that it keeps of what it is sent.
    pub retention: Retention,
    /// Where it is.
    pub region: Option<String>,
    /// It is the engine of this very process: it cannot hang unseen, and needs no time-outs.
    pub local: bool,
}

impl Source {
    /// The engine of this process. What it is asked it does not keep.
    pub fn local(provider: Arc<dyn Provider>) -> Self {
        Self {
            name: LOCAL.into(),
            provider,
            identity: LOCAL.to_owned(),
            naming: Naming::Local,
            serves: Vec::new(),
            models: BTreeMap::new(),
            retention: Retention::None,
            region: None,
            local: true,
        }
    }
}

/// The local models that answer for catalogue models.
#[derive(Debug, Clone, Default)]
pub struct StandIns {
    /// For models that write text.
    pub text: Option<String>,
    /// For models that embed.
    pub embedding: Option<String>,
    /// For models that rank.
    pub rerank: Option<String>,
    /// Where one model is to have another stand-in: by model id.
    pub by_model: BTreeMap<String, String>,
}

/// The targets of a model, or of several.
#[derive(Debug, Clone)]
pub struct RouteSettings {
    /// Which models.
    pub model: Glob,
    /// Who answers for them.
    pub targets: Vec<TargetSettings>,
    /// How.
    pub policy: Policy,
}

/// Who may answer for a model.
#[derive(Debug, Clone, Default)]
pub struct TargetSettings {
    /// The provider's name.
    pub provider: String,
    /// Its name of the model; by the provider's `models` or its naming where absent.
    pub model: Option<String>,
    /// The name of this target in reports; the provider's where absent.
    pub variant: Option<String>,
    /// Its share of the calls among those of its priority; 0 only answers where the others do not.
    pub weight: f64,
    /// Lower ones are asked first.
    pub priority: u32,
    /// It answers only calls that may run in one of these.
    pub regions: Vec<String>,
    /// Calls that it gets at a time.
    pub max_concurrent: Option<u32>,
    /// It is the fast one: `optimized` calls are not told `standard`.
    pub optimized: bool,
}

/// How a route's targets are asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// Which target of a priority is first.
    pub choice: Choice,
    /// The key of the request metadata whose value decides instead: the same value, the same target.
    pub sticky: Option<String>,
    /// How often each target may be asked again.
    pub retries: u32,
    /// What share of its calls a route may add by asking the same target again.
    pub retry_share: f64,
    /// The longest pause before a target is asked again, and the longest `Retry-After` that is waited for.
    pub longest_pause: Duration,
    /// How long until a streamed answer begins.
    pub first_token: Duration,
    /// How long between two events of it.
    pub between_tokens: Duration,
    /// How long one target may take over an answer that comes whole, where there are others to ask.
    pub whole: Duration,
    /// How long an answer may take in all.
    pub total: Duration,
    /// How long a call may wait where all targets have all the calls that they may have.
    pub queue: Duration,
    /// When targets are left alone.
    pub breaker: BreakerSettings,
    /// Whether the next target is asked where the first is slow to begin.
    pub hedge: Option<Hedge>,
    /// How long an answer serves the same request again; `None` where none does.
    pub cache: Option<Duration>,
}

/// A second attempt before the first has failed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hedge {
    /// It is made when the first has taken longer to begin than this share of the attempts before.
    pub percentile: f64,
    /// For at most this share of the calls.
    pub share: f64,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            choice: Choice::Weighted,
            sticky: None,
            retries: 3,
            retry_share: 0.2,
            longest_pause: Duration::from_secs(2),
            first_token: Duration::from_secs(120),
            between_tokens: Duration::from_secs(60),
            whole: Duration::from_secs(600),
            total: Duration::from_secs(3600),
            queue: Duration::from_secs(30),
            breaker: BreakerSettings::default(),
            hedge: None,
            cache: None,
        }
    }
}

//! Providers that do as they are told, and routes over them.

use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use outcrop_access::{Caller, CallerKind, Context};
use outcrop_api::{Fault, Kind};
use outcrop_models::data_retention::Retention;
use outcrop_models::{Catalogue, Resolved};
use outcrop_providers::{Answer, Call, Cause, Failure, Provider};

use super::*;

pub const HAIKU: &str = "anthropic.claude-3-haiku-20240307-v1:0";

/// What a provider does when it is asked.
#[derive(Debug, Clone)]
pub enum Turn {
    Answer,
    Fail(Cause),
    Later(Cause, Duration),
    Hang,
    After(Duration),
}

/// Does the turns, then answers; counts how often it was asked.
#[derive(Default)]
pub struct Told {
    pub turns: Mutex<VecDeque<Turn>>,
    pub asked: AtomicU32,
}

impl Told {
    pub fn to(turns: impl IntoIterator<Item = Turn>) -> Arc<Self> {
        Arc::new(Self { turns: Mutex::new(turns.into_iter().collect()), asked: AtomicU32::new(0) })
    }

    /// Never anything but `turn`.
    pub fn always(turn: Turn) -> Arc<Self> {
        Self::to(std::iter::repeat_n(turn, 10_000))
    }

    pub fn asked(&self) -> u32 {
        self.asked.load(SeqCst)
    }

    pub async fn go(&self) -> Result<(), Failure> {
        self.asked.fetch_add(1, SeqCst);
        let turn = self.turns.lock().unwrap().pop_front();
        let failure = |cause| Failure::new(cause, fault(cause));
        match turn.unwrap_or(Turn::Answer) {
            Turn::Answer => Ok(()),
            Turn::Fail(cause) => Err(failure(cause)),
            Turn::Later(cause, wait) => Err(Failure { retry_after: Some(wait), ..failure(cause) }),
            Turn::Hang => std::future::pending().await,
            Turn::After(wait) => {
                tokio::time::sleep(wait).await;
                Ok(())
            }
        }
    }
}

pub fn fault(cause: Cause) -> Fault {
    let kind = match cause {
        Cause::Request | Cause::Unmappable => Kind::Validation,
        Cause::Throttled => Kind::Throttling,
        Cause::TimedOut => Kind::ModelTimeout,
        Cause::Broken => Kind::ModelError,
        _ => Kind::ServiceUnavailable,
    };
    Fault::new(kind, format!("{cause:?}"))
}

#[async_trait]
impl Provider for Told {
    async fn converse(&self, _: Call) -> Result<Answer, Failure> {
        self.go().await?;
        Ok(Answer::Whole(Box::default()))
    }
}

pub fn source(name: &str, provider: Arc<dyn Provider>) -> Source {
    Source {
        name: name.into(),
        provider,
        identity: name.to_owned(),
        naming: Naming::Anthropic,
        serves: vec![Glob::new(HAIKU)],
        models: Default::default(),
        retention: Retention::Default,
        region: None,
        local: false,
    }
}

pub fn target(provider: &str) -> TargetSettings {
    TargetSettings { provider: provider.to_owned(), weight: 1.0, ..Default::default() }
}

/// The route of [`HAIKU`] to `targets`, whose providers are `sources`.
pub fn route(sources: Vec<Source>, targets: Vec<TargetSettings>, policy: Policy) -> Arc<Route> {
    let model = Glob::new(HAIKU);
    let routes = vec![RouteSettings { model, targets, policy }];
    let setup = Setup { sources: sources.into_iter().map(Arc::new).collect(), routes, ..Default::default() };
    let catalogue = Catalogue::builtin().unwrap();
    let routes = Routes::new(&catalogue, &setup, &Registry::default()).unwrap();
    Arc::clone(routes.of(catalogue.get(HAIKU).unwrap()).unwrap())
}

pub fn context() -> Context {
    Context::new(Caller::root("111122223333", None, CallerKind::User), "us-east-1", "bedrock-runtime")
}

/// [`HAIKU`], in the caller's Region.
pub fn resolved() -> Resolved {
    let catalogue = Catalogue::builtin().unwrap();
    Resolved {
        invoked_id: HAIKU.to_owned(),
        called_id: HAIKU.to_owned(),
        profile_arn: None,
        destinations: vec!["us-east-1".to_owned()],
        anywhere: false,
        metric_id: HAIKU.to_owned(),
        context: None,
        provisioned: None,
        tags: BTreeMap::new(),
        router: None,
        model: Arc::clone(catalogue.get(HAIKU).unwrap()),
    }
}

/// A streamed call without anything special.
pub fn ask<'a>() -> Ask<'a> {
    Ask { stream: true, tokens: &|| 10, ..Ask::whole(Retention::Default) }
}

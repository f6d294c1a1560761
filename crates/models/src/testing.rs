//! Callers and a store for the tests.

use std::sync::Arc;

use outcrop_access::{Caller, CallerKind, Context};
use outcrop_resources::Resources;
use outcrop_store::{Options, Sqlite};

use crate::{Catalogue, LocalKind, LocalModel, Models, Settings};

pub(crate) const ACCOUNT: &str = "111122223333";
pub(crate) const HAIKU: &str = "anthropic.claude-3-haiku-20240307-v1:0";
pub(crate) const HAIKU_ARN: &str = "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0";
pub(crate) const SONNET4: &str = "us.anthropic.claude-sonnet-4-20250514-v1:0";

/// A call from `account` in `region`.
pub(crate) fn call(account: &str, region: &str) -> Context {
    Context::new(Caller::root(account, None, CallerKind::User), region, "bedrock")
}

/// A call from [`ACCOUNT`] in us-east-1.
pub(crate) fn here() -> Context {
    call(ACCOUNT, "us-east-1")
}

/// Models over a store in a folder that goes with the test.
pub(crate) struct Bench {
    pub(crate) models: Models,
    store: Arc<Sqlite>,
    pub(crate) resources: Resources,
    _folder: tempfile::TempDir,
}

pub(crate) async fn bench(settings: Settings) -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(Sqlite::open(folder.path(), &Options::default()).unwrap());
    let resources = Resources::open(store.clone()).await.unwrap();
    let local = [
        LocalModel { name: "tiny".into(), kind: LocalKind::Text, context: 2048 },
        LocalModel { name: "mini".into(), kind: LocalKind::Embedding { dimensions: 384 }, context: 256 },
    ];
    let catalogue = Catalogue::builtin().unwrap().with_local(local).unwrap();
    Bench { models: Models::new(catalogue, settings, &resources), store, resources, _folder: folder }
}

impl Bench {
    /// The store behind the models, as another server would open it.
    pub(crate) fn store(&self) -> Arc<Sqlite> {
        Arc::clone(&self.store)
    }
}

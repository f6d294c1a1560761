//! A kind of resource for the tests.

use std::sync::Arc;

use outcrop_store::{Options, Sqlite};
use serde::{Deserialize, Serialize};

use crate::{Collection, Create, Ids, Kind, KmsKeys, Resources, Scope};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Thing {
    pub(crate) number: i64,
}

pub(crate) const KINDS: &[Kind] = &[
    Kind { name: "thing", noun: "Thing", arn: "application-thing", ids: Ids::Lower },
    Kind { name: "other", noun: "Other", arn: "other", ids: Ids::Upper },
];

pub(crate) const HERE: Scope<'static> = Scope { account: "000000000000", region: "us-east-1" };
pub(crate) const ELSEWHERE: [Scope<'static>; 2] =
    [Scope { account: "111111111111", ..HERE }, Scope { region: "eu-west-1", ..HERE }];

/// What the configuration binds; the last one to a name that does not exist.
pub(crate) const KMS: [(&str, &str); 3] = [
    ("arn:aws:kms:us-east-1:000000000000:key/11111111-2222-3333-4444-555555555555", "master"),
    ("arn:aws:kms:us-east-1:000000000000:alias/payments", "master"),
    ("arn:aws:kms:us-east-1:000000000000:alias/gone", "gone"),
];

pub(crate) struct Bench {
    pub(crate) resources: Resources,
    pub(crate) things: Collection<Thing>,
    pub(crate) folder: tempfile::TempDir,
}

pub(crate) async fn bench() -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let store = Sqlite::open(folder.path(), &Options::default()).unwrap();
    let resources = Resources::open(Arc::new(store)).await.unwrap().with_kms(KmsKeys::new(KMS));
    Bench { things: resources.collection(&KINDS[0]), resources, folder }
}

impl Bench {
    pub(crate) async fn make(&self, scope: Scope<'_>, number: i64) -> String {
        self.things.create(scope, Create::new(&Thing { number })).await.unwrap().id
    }
}

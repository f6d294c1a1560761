//! What is kept of guardrails.
//!
//! A guardrail is a small document (its versions, who they are) beside one document of contents for the draft and for
//! each version. An entry in memory says which contents every version has, so that a call finds its guardrail without
//! waiting for the store. All of it is written in one transaction.

use std::collections::BTreeMap;

use jiff::Timestamp;
use outcrop_resources::{Ids, Kind, Op, Resource, Scope};
use outcrop_store::{Key, NewDocument};
use serde::{Deserialize, Serialize};

use crate::definition::Definition;
use crate::error::GuardrailsError;

/// Guardrails, as resources.
pub const GUARDRAIL: Kind = Kind { name: "guardrail", noun: "Guardrail", arn: "guardrail", ids: Ids::Lower };
/// What of this crate can have tags and policies.
pub const KINDS: &[Kind] = &[GUARDRAIL];
/// The version that can be edited.
pub const DRAFT: &str = "DRAFT";
/// Versions of a guardrail beside its draft (AWS's quota).
pub const MAX_VERSIONS: i64 = 20;
/// The documents of contents; their ids are `<guardrail>:<version>`.
pub const CONTENTS: &str = "guardrail-definition";

/// What is kept of a guardrail beside its contents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guardrail {
    /// What it is for.
    pub description: Option<String>,
    /// The id of its cross-Region profile.
    pub profile: Option<String>,
    /// Its KMS key, as it is told.
    pub kms_key: Option<String>,
    /// The digest of the draft's contents.
    pub hash: String,
    /// When the draft was last edited; at its making where it never was.
    pub edited: Option<Timestamp>,
    /// The last number that was given, which is never given again.
    pub last_version: u32,
    /// Its numbered versions, oldest first.
    pub versions: Vec<Version>,
}

/// A numbered version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// Its number.
    pub number: u32,
    /// The guardrail's name when it was made.
    pub name: String,
    /// The version's own description.
    pub description: Option<String>,
    /// As [`Guardrail::profile`].
    pub profile: Option<String>,
    /// As [`Guardrail::kms_key`].
    pub kms_key: Option<String>,
    /// The digest of its contents.
    pub hash: String,
    /// When it was made.
    pub created: Timestamp,
}

/// What a call must know: which contents each version has, by digest.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Entry {
    /// Digests by version.
    pub versions: BTreeMap<String, String>,
}

impl Entry {
    /// The entry of a guardrail.
    pub fn of(guardrail: &Guardrail) -> Self {
        let numbered = guardrail.versions.iter().map(|version| (version.number.to_string(), version.hash.clone()));
        Self { versions: numbered.chain([(DRAFT.to_owned(), guardrail.hash.clone())]).collect() }
    }
}

/// The address of a guardrail.
pub fn key(scope: Scope<'_>, id: &str) -> Key {
    scope.owned().key(GUARDRAIL.name, id)
}

/// The address of a version's contents.
pub fn contents_key(scope: Scope<'_>, id: &str, version: &str) -> Key {
    scope.owned().key(CONTENTS, format!("{id}:{version}"))
}

/// The version in the id of a document of contents.
pub fn version_in(key: &Key) -> &str {
    key.id.split_once(':').map_or("", |(_, version)| version)
}

/// Writes contents that are not there.
pub fn insert(key: Key, definition: &Definition, sealed_by: Option<String>) -> outcrop_resources::Result<Op> {
    Ok(Op::Insert(NewDocument { key, name: None, parent: None, body: body(definition)?, sealed_by }))
}

/// What is kept of contents.
pub fn body<T: Serialize>(value: &T) -> outcrop_resources::Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|error| outcrop_resources::Error::Internal(error.to_string()))
}

/// Counts the versions of a guardrail: a transaction that makes one too many fails, and one that was made before and is
/// asked for again does not.
pub fn count(scope: Scope<'_>, id: &str, by: i64) -> Op {
    Op::Add { scope: scope.owned(), counter: versions(id), by, min: 0, max: MAX_VERSIONS }
}

/// Forgets how many there were.
pub fn uncount(scope: Scope<'_>, id: &str) -> Op {
    Op::Forget { scope: scope.owned(), counter: versions(id) }
}

fn versions(id: &str) -> String {
    format!("guardrail-versions/{id}")
}

/// Who uses a version counts it, so that it cannot go.
pub fn used(scope: Scope<'_>, id: &str, version: &str, by: i64) -> Op {
    Op::Add { scope: scope.owned(), counter: uses(id, version), by, min: 0, max: i64::MAX }
}

/// Fails where somebody uses a version; forgets it otherwise.
pub fn unused(scope: Scope<'_>, id: &str, version: &str) -> [Op; 2] {
    let counter = uses(id, version);
    [
        Op::Add { scope: scope.owned(), counter: counter.clone(), by: 0, min: 0, max: 0 },
        Op::Forget { scope: scope.owned(), counter },
    ]
}

fn uses(id: &str, version: &str) -> String {
    format!("guardrail-uses/{id}:{version}")
}

impl Guardrail {
    /// A version's entry among the versions.
    pub fn version(&self, version: &str) -> Option<&Version> {
        self.versions.iter().find(|known| known.number.to_string() == version)
    }
}

/// The version that is meant, if there is one.
pub fn version_of<'a>(found: &'a Resource<Guardrail>, version: &str) -> Result<Option<&'a Version>, GuardrailsError> {
    if version == DRAFT {
        return Ok(None);
    }
    let unknown = || GuardrailsError::NoVersion { id: found.id.clone(), version: version.to_owned() };
    found.value.version(version).map(Some).ok_or_else(unknown)
}

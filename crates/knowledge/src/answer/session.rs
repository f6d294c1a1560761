//! Sessions: what was asked and answered before. Their ids are the server's, they end a day after they began, and the
//! key that a session was begun with is the one that it stays sealed with.

use jiff::{SignedDuration, Timestamp};
use outcrop_access::Context;
use outcrop_resources::{Create, Error, Ids, Kind, Page, Resource};
use serde::{Deserialize, Serialize};

use crate::base::scope;
use crate::{Knowledge, KnowledgeError};

/// Sessions, as resources. In AWS they have no ARN.
pub const SESSION: Kind = Kind { name: "rag-session", noun: "Session", arn: "rag-session", ids: Ids::Lower };

/// How long one lasts (the guide); asking again does not make it longer.
const LASTS: SignedDuration = SignedDuration::from_hours(24);
/// Turns that are kept: what an orchestration prompt can use.
const TURNS: usize = 10;
/// Ended sessions that go when a new one begins.
const SWEPT: i32 = 20;

/// A session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// What was said, oldest first.
    pub turns: Vec<Turn>,
    /// The KMS key that it was begun with.
    pub kms_key: Option<String>,
}

/// A question and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// What was asked.
    pub question: String,
    /// What was answered.
    pub answer: String,
}

/// The session that a caller names, or a new one.
pub(super) async fn open(
    cx: &Context,
    knowledge: &Knowledge,
    id: Option<&str>,
    kms_key: Option<&str>,
) -> Result<Resource<Session>, KnowledgeError> {
    let (scope, sessions) = (scope(cx), &knowledge.0.sessions);
    let Some(id) = id else {
        sweep(cx, knowledge).await?;
        let id = uuid::Uuid::new_v4().to_string();
        let value = Session { turns: Vec::new(), kms_key: kms_key.map(str::to_owned) };
        return Ok(sessions.create(scope, Create { id: Some(&id), kms_key, ..Create::new(&value) }).await?);
    };
    let invalid =
        || KnowledgeError::Validation(format!("Session with Id {id} is not valid. Please check and try again."));
    let found = match sessions.get(scope, id).await {
        Ok(found) => found,
        Err(Error::NotFound { .. }) => return Err(invalid()),
        Err(error) => return Err(error.into()),
    };
    if ended(&found) {
        return Err(invalid());
    }
    if kms_key.is_some_and(|key| found.value.kms_key.as_deref() != Some(key)) {
        let text = "The kmsKeyArn of a session cannot be changed. Leave it out, or begin a new session.";
        return Err(KnowledgeError::Validation(text.to_owned()));
    }
    Ok(found)
}

fn ended(session: &Resource<Session>) -> bool {
    Timestamp::now().duration_since(session.created) > LASTS
}

/// Keeps a turn. Two that end at once are both kept.
pub(super) async fn keep(cx: &Context, knowledge: &Knowledge, id: &str, turn: Turn) -> Result<(), KnowledgeError> {
    let kept = knowledge.0.sessions.update(scope(cx), id, |session| {
        let turns = &mut session.value.turns;
        turns.push(turn.clone());
        let old = turns.len().saturating_sub(TURNS);
        turns.drain(..old);
        Ok::<_, Error>(())
    });
    kept.await?;
    Ok(())
}

/// Deletes the oldest sessions of the account that have ended: nobody else does, and nobody can ask for them again.
async fn sweep(cx: &Context, knowledge: &Knowledge) -> Result<(), KnowledgeError> {
    let page = Page { max_results: Some(SWEPT), ..Page::default() };
    let oldest = knowledge.0.sessions.list(scope(cx), &page, |_| true).await?;
    for session in oldest.items.iter().filter(|session| ended(session)) {
        match knowledge.0.sessions.delete(scope(cx), &session.id).await {
            Ok(()) | Err(Error::NotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

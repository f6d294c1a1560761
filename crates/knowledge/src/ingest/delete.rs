//! Takes knowledge bases and data sources away: first what is searched, then what is kept of it.

use outcrop_queue::Held;
use outcrop_resources::{Error, Op, Resource, Scope};
use outcrop_store::{Batch, Query};

use super::work::{Finished, TRIES};
use crate::control::{bases, jobs, sources};
use crate::kept::{DOCUMENT, DataSource, INGESTION_JOB, KnowledgeBase, State};
use crate::{Knowledge, KnowledgeError};

/// Documents and jobs that are removed in one transaction.
const STRIDE: usize = 500;

/// Takes a knowledge base away; answers the last steps.
pub(super) async fn base(knowledge: &Knowledge, scope: Scope<'_>, id: &str, held: &Held) -> Finished {
    let Some(found) = there(knowledge.0.bases.get(scope, id).await)? else { return Ok(Vec::new()) };
    let last = held.task().failures + 1 >= TRIES;
    let mut retained = false;
    for source in all(knowledge, scope, id).await? {
        // What is left in the embedded index could be reached by nobody.
        retained |= source.value.retain && found.value.store.is_some();
        let _alone = knowledge.0.turns.of(&source.id, held).await;
        if let Err(error) = empty(knowledge, scope, &found, &source).await {
            if !last {
                return Err(error);
            }
            let reason = unable(&source.id);
            unsuccessful(knowledge, scope, &source.id, &reason, &error).await?;
            return stays(knowledge, scope, id, reason).await;
        }
        remove(knowledge, scope, id, &source).await?;
    }
    if !retained && let Err(error) = discard(knowledge, &found).await {
        if !last {
            return Err(error);
        }
        tracing::error!(knowledge_base = id, %error, "its index cannot be deleted");
        return stays(knowledge, scope, id, format!("Unable to delete data from vector store. {error}")).await;
    }
    let counted = [
        Op::Add { scope: scope.owned(), counter: bases::COUNTER.into(), by: -1, min: 0, max: i64::MAX },
        Op::Forget { scope: scope.owned(), counter: sources::counter(id) },
        jobs::forget(scope, id),
    ];
    there(knowledge.0.bases.delete_with(scope, id, counted.into()).await)?;
    Ok(Vec::new())
}

async fn discard(knowledge: &Knowledge, base: &Resource<KnowledgeBase>) -> Result<(), KnowledgeError> {
    Ok(knowledge.engine(&base.value)?.discard(&base.id).await?)
}

/// A knowledge base whose vectors cannot be reached: it may be deleted again.
async fn stays(knowledge: &Knowledge, scope: Scope<'_>, id: &str, reason: String) -> Finished {
    let change = |base: &mut Resource<KnowledgeBase>| {
        base.value.state = State::DeleteUnsuccessful;
        base.value.failures = vec![reason.clone()];
        Ok::<_, Error>(())
    };
    knowledge.0.bases.update(scope, id, change).await?;
    Ok(Vec::new())
}

/// Takes a data source away; answers the last steps.
pub(super) async fn source(knowledge: &Knowledge, scope: Scope<'_>, base: &str, id: &str, held: &Held) -> Finished {
    let Some(found) = there(knowledge.0.sources.get(scope, id).await)? else { return Ok(Vec::new()) };
    let Some(owner) = there(knowledge.0.bases.get(scope, base).await)? else { return Ok(Vec::new()) };
    let _alone = knowledge.0.turns.of(id, held).await;
    match empty(knowledge, scope, &owner, &found).await {
        Ok(()) => remove(knowledge, scope, base, &found).await?,
        Err(error) if held.task().failures + 1 < TRIES => return Err(error),
        Err(error) => unsuccessful(knowledge, scope, id, &unable(id), &error).await?,
    }
    Ok(Vec::new())
}

/// Removes a source's vectors, unless they stay, and what is known of its documents and jobs.
async fn empty(
    knowledge: &Knowledge,
    scope: Scope<'_>,
    base: &Resource<KnowledgeBase>,
    source: &Resource<DataSource>,
) -> Result<(), KnowledgeError> {
    if !source.value.retain {
        knowledge.index(&base.id, &base.value).await?.forget(&source.id).await?;
    }
    for kind in [DOCUMENT, INGESTION_JOB.name] {
        loop {
            let query = Query {
                scope: scope.owned(),
                kind: kind.to_owned(),
                parent: Some(source.id.clone()),
                after: None,
                order: Default::default(),
                limit: STRIDE,
            };
            let some = knowledge.0.resources.store().list(query).await?;
            if some.is_empty() {
                break;
            }
            let ops: Vec<_> = some.into_iter().map(|document| Op::Discard { key: document.key }).collect();
            knowledge.0.resources.store().commit(Batch::new(ops)).await?;
        }
    }
    Ok(())
}

async fn remove(
    knowledge: &Knowledge,
    scope: Scope<'_>,
    base: &str,
    source: &Resource<DataSource>,
) -> Result<(), KnowledgeError> {
    let count = Op::Add { scope: scope.owned(), counter: sources::counter(base), by: -1, min: 0, max: i64::MAX };
    let ops = vec![count, jobs::forget(scope, &source.id)];
    there(knowledge.0.sources.delete_with(scope, &source.id, ops).await)?;
    Ok(())
}

async fn unsuccessful(
    knowledge: &Knowledge,
    scope: Scope<'_>,
    source: &str,
    reason: &str,
    error: &KnowledgeError,
) -> Result<(), KnowledgeError> {
    tracing::error!(data_source = source, %error, "its vectors cannot be deleted");
    let change = |found: &mut Resource<DataSource>| {
        found.value.state = State::DeleteUnsuccessful;
        found.value.failures = vec![reason.to_owned()];
        Ok::<_, Error>(())
    };
    there(knowledge.0.sources.update(scope, source, change).await)?;
    Ok(())
}

fn unable(source: &str) -> String {
    format!(
        "Unable to delete data from vector store for data source with ID {source}. Check your vector store \
         configurations and permissions and retry your request. If the issue persists, consider updating the \
         dataDeletionPolicy of the data source to RETAIN and retry your request."
    )
}

/// A knowledge base's data sources.
async fn all(knowledge: &Knowledge, scope: Scope<'_>, base: &str) -> Result<Vec<Resource<DataSource>>, KnowledgeError> {
    let page = outcrop_resources::Page { operation: "ListDataSources", parent: Some(base), ..Default::default() };
    Ok(knowledge.0.sources.list(scope, &page, |_| true).await?.items)
}

/// What another has removed already is removed.
fn there<T>(found: Result<T, Error>) -> Result<Option<T>, KnowledgeError> {
    match found {
        Err(Error::NotFound { .. }) => Ok(None),
        found => Ok(found.map(Some)?),
    }
}

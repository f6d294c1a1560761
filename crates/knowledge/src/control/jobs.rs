//! Ingestion jobs: start, get, list, stop.

use outcrop_access::Context;
use outcrop_api::Reply;
use outcrop_api::bedrock_agent::DataSourceType;
use outcrop_api::bedrock_agent::{
    GetIngestionJobRequest, GetIngestionJobResponse, IngestionJob as Shown, IngestionJobSortByAttribute,
    IngestionJobStatistics, IngestionJobStatus, IngestionJobSummary, ListIngestionJobsRequest,
    ListIngestionJobsResponse, SortOrder, StartIngestionJobRequest, StartIngestionJobResponse, StopIngestionJobRequest,
    StopIngestionJobResponse,
};
use outcrop_resources::{Create, Error, Op, Order, Page, Resource, Scope};
use outcrop_store::Error as StoreError;

use super::bases::{token, usable};
use super::{broken, configuration, embedding, sources};
use crate::base::scope;
use crate::ingest::Work;
use crate::kept::{DataSource, Job, JobState, KnowledgeBase, State, Statistics};
use crate::{Knowledge, KnowledgeError};

/// The session tag of all calls that a job makes, by which the ledger tells what it took: the job's id.
pub const JOB: &str = "outcrop:ingestion-job";
/// Jobs of an account that are under way at once (AWS's quota).
const MAX_JOBS: i64 = 5;

/// Starts a job.
pub async fn start(
    cx: &Context,
    knowledge: &Knowledge,
    input: StartIngestionJobRequest,
) -> Result<StartIngestionJobResponse, KnowledgeError> {
    let scope = scope(cx);
    let base = knowledge.may(cx, "bedrock:StartIngestionJob", &input.knowledge_base_id).await?;
    usable(&base)?;
    let source = knowledge.source(scope, &base.id, &input.data_source_id).await?;
    let token = input.client_token.as_deref();
    let made = begin(knowledge, scope, &base, &source, input.description, token).await?;
    // As it was made, whatever it has become since.
    let updated = made.created;
    let first = Shown { status: IngestionJobStatus::Starting, updated_at: updated, ..shown(made) };
    let first = Shown { statistics: Some(statistics(Statistics::default())), ..first };
    Ok(StartIngestionJobResponse { ingestion_job: first })
}

/// Makes a job. Role, model and index are tried first.
pub(crate) async fn begin(
    knowledge: &Knowledge,
    scope: Scope<'_>,
    base: &Resource<KnowledgeBase>,
    source: &Resource<DataSource>,
    description: Option<String>,
    client_token: Option<&str>,
) -> Result<Resource<Job>, KnowledgeError> {
    if source.value.state != State::Ready {
        return Err(sources::deleting(&source.id));
    }
    if source.value.kind() == DataSourceType::Custom {
        return broken(
            "Ingestion jobs are not supported for data sources of type CUSTOM. Use IngestKnowledgeBaseDocuments.",
        );
    }
    let role = &base.value.role;
    let acting = knowledge.acting(scope, role, Some(&base.arn))?;
    let storage = base.value.storage.as_ref().map(|told| &told.0);
    let settings = &knowledge.0.settings;
    let wanted = configuration::checked(&base.value.configuration.0, storage, scope.region, settings)?;
    let shape = embedding::probe(knowledge, &acting, role, &wanted).await?;
    if shape != base.value.shape {
        return broken("Query vector contains invalid values or is invalid for this index");
    }
    knowledge.try_store(&base.id, &base.value).await?;
    let job = Job {
        base: base.id.clone(),
        description,
        state: JobState::Starting,
        statistics: Statistics::default(),
        failures: Vec::new(),
        text_ready: None,
    };
    let also = |arn: &str| {
        let id = crate::kept::INGESTION_JOB.id_in(scope, arn).unwrap_or_default().to_owned();
        let work = Work::Ingest { base: base.id.clone(), source: source.id.clone(), job: id };
        let work = work.enqueue(knowledge, scope, Some(role)).map_err(|error| Error::Internal(error.to_string()))?;
        let mut ops = vec![knowledge.require_base(scope, base), knowledge.require_source(scope, source), work];
        ops.extend(count(scope, &base.id, &source.id, 1));
        Ok(ops)
    };
    let new = Create {
        parent: Some(&source.id),
        client_token: token(client_token, "StartIngestionJob"),
        also: Some(&also),
        ..Create::new(&job)
    };
    let made = match knowledge.0.jobs.create(scope, new).await {
        Err(Error::Store(StoreError::OutOfBounds { counter, .. })) if counter == ACCOUNT => {
            let text =
                format!("The account has {MAX_JOBS} ongoing ingestion jobs, which is the most that it may have.");
            return Err(KnowledgeError::Quota(text));
        }
        Err(Error::Store(StoreError::OutOfBounds { counter, .. })) => {
            let of_source = counter == running(&source.id);
            let (what, id) = if of_source { ("data source", &source.id) } else { ("knowledge base", &base.id) };
            return Err(KnowledgeError::Conflict(format!(
                "The {what} {id} has an ongoing ingestion job. Wait for it to end, or stop it, then retry your request."
            )));
        }
        // Knowledge base or data source was written since it was read.
        Err(Error::Changed { .. } | Error::NotFound { .. }) => {
            knowledge.ready(scope, &base.id, &source.id).await?;
            return Err(Error::Changed { noun: crate::kept::DATA_SOURCE.noun, id: source.id.clone() }.into());
        }
        made => made?,
    };
    knowledge.0.runner.wake();
    Ok(made)
}

/// How many chunks a job has written so far, for which AWS has no member.
pub const CHUNKS: &str = "x-outcrop-chunks";

/// Tells a job.
pub async fn get(
    cx: &Context,
    knowledge: &Knowledge,
    input: GetIngestionJobRequest,
) -> Result<Reply<GetIngestionJobResponse>, KnowledgeError> {
    let ids = (&*input.knowledge_base_id, &*input.data_source_id, &*input.ingestion_job_id);
    let found = knowledge.job(cx, "bedrock:GetIngestionJob", ids).await?;
    let chunks = found.value.statistics.chunks.to_string();
    Ok(Reply::from(GetIngestionJobResponse { ingestion_job: shown(found) }).with(CHUNKS, chunks))
}

/// Lists a data source's jobs: the newest first, or as the caller sorts them.
pub async fn list(
    cx: &Context,
    knowledge: &Knowledge,
    input: ListIngestionJobsRequest,
) -> Result<ListIngestionJobsResponse, KnowledgeError> {
    let base = knowledge.may(cx, "bedrock:ListIngestionJobs", &input.knowledge_base_id).await?;
    let source = knowledge.source(scope(cx), &base.id, &input.data_source_id).await?;
    let sort = input.sort_by.as_ref();
    let ascending = sort.is_some_and(|sort| sort.order == SortOrder::Ascending);
    let by_status = sort.is_some_and(|sort| sort.attribute == IngestionJobSortByAttribute::Status);
    let wanted: Option<Vec<&str>> = input
        .filters
        .as_ref()
        .map(|filters| filters.iter().flat_map(|filter| filter.values.iter().map(String::as_str)).collect());
    let keep = |job: &Resource<Job>| wanted.as_ref().is_none_or(|all| all.contains(&job.value.state.as_str()));
    let filter = format!("{wanted:?} {by_status} {ascending}");
    let page = Page {
        operation: "ListIngestionJobs",
        max_results: input.max_results,
        next_token: input.next_token.as_deref(),
        parent: Some(&source.id),
        filter: &filter,
        order: if ascending { Order::OldestFirst } else { Order::NewestFirst },
    };
    let (jobs, next_token) = if by_status {
        sorted(knowledge, scope(cx), &page, keep, ascending).await?
    } else {
        let listed = knowledge.0.jobs.list(scope(cx), &page, keep).await?;
        (listed.items, listed.next_token)
    };
    let summary = |job| {
        let job = shown(job);
        IngestionJobSummary {
            knowledge_base_id: job.knowledge_base_id,
            data_source_id: job.data_source_id,
            ingestion_job_id: job.ingestion_job_id,
            description: job.description,
            status: job.status,
            started_at: job.started_at,
            updated_at: job.updated_at,
            text_ready_at: job.text_ready_at,
            statistics: job.statistics,
        }
    };
    let ingestion_job_summaries = jobs.into_iter().map(summary).collect();
    Ok(ListIngestionJobsResponse { ingestion_job_summaries, next_token })
}

/// A page of jobs by their status: all are read, since no index knows it.
async fn sorted(
    knowledge: &Knowledge,
    scope: Scope<'_>,
    page: &Page<'_>,
    keep: impl Fn(&Resource<Job>) -> bool,
    ascending: bool,
) -> Result<(Vec<Resource<Job>>, Option<String>), KnowledgeError> {
    let mut all = Vec::new();
    let mut next: Option<String> = None;
    loop {
        let page = Page { max_results: None, next_token: next.as_deref(), ..*page };
        let some = knowledge.0.jobs.list(scope, &page, &keep).await?;
        all.extend(some.items);
        next = some.next_token;
        if next.is_none() {
            break;
        }
    }
    // Stable: those of one status stay by their age.
    all.sort_by_key(|job| job.value.state.as_str());
    if !ascending {
        all.reverse();
    }
    let pager = knowledge.0.resources.pager(scope, page)?;
    let from = pager.start().map(|place| place.parse::<usize>().map_err(|_| pager.invalid())).transpose()?.unwrap_or(0);
    let more = all.len() > from + pager.limit();
    let token = more.then(|| pager.seal(&(from + pager.limit()).to_string())).transpose()?;
    Ok((all.into_iter().skip(from).take(pager.limit()).collect(), token))
}

/// Has a job end. What it has done stays, and the next job does the rest.
pub async fn stop(
    cx: &Context,
    knowledge: &Knowledge,
    input: StopIngestionJobRequest,
) -> Result<StopIngestionJobResponse, KnowledgeError> {
    let ids = (&*input.knowledge_base_id, &*input.data_source_id, &*input.ingestion_job_id);
    let found = knowledge.job(cx, "bedrock:StopIngestionJob", ids).await?;
    let change = |job: &mut Resource<Job>| {
        if job.value.state.ended() {
            return Err(KnowledgeError::Conflict(format!(
                "Ingestion job with id {} cannot be stopped because it is {}.",
                job.id,
                job.value.state.as_str()
            )));
        }
        job.value.state = JobState::Stopping;
        Ok(())
    };
    let stopping = knowledge.0.jobs.update(scope(cx), &found.id, change).await?;
    Ok(StopIngestionJobResponse { ingestion_job: shown(stopping) })
}

impl Knowledge {
    /// A job of a data source, if the caller may do `action` to its knowledge base.
    async fn job(
        &self,
        cx: &Context,
        action: &str,
        (base, source, job): (&str, &str, &str),
    ) -> Result<Resource<Job>, KnowledgeError> {
        let base = self.may(cx, action, base).await?;
        let source = self.source(scope(cx), &base.id, source).await?;
        let unknown = || KnowledgeError::UnknownJob(job.to_owned(), source.id.clone());
        match self.0.jobs.get(scope(cx), job).await {
            Err(Error::NotFound { .. }) => Err(unknown()),
            Ok(found) if found.parent.as_deref() != Some(&*source.id) => Err(unknown()),
            found => Ok(found?),
        }
    }
}

const ACCOUNT: &str = "ingestion-jobs";

/// Counts what is under way of a data source or a knowledge base.
fn running(id: &str) -> String {
    format!("ingestion-jobs/{id}")
}

/// Counts a job in and out: so many of an account, one of a knowledge base, one of a data source (AWS's quotas).
pub(crate) fn count(scope: Scope<'_>, base: &str, source: &str, by: i64) -> Vec<Op> {
    let add = |counter: String, max| Op::Add { scope: scope.owned(), counter, by, min: 0, max };
    vec![add(running(source), 1), add(running(base), 1), add(ACCOUNT.to_owned(), MAX_JOBS)]
}

/// Fails where a job of a data source or a knowledge base is under way.
pub(crate) fn none(scope: Scope<'_>, id: &str) -> Op {
    Op::Add { scope: scope.owned(), counter: running(id), by: 0, min: 0, max: 0 }
}

/// Forgets the count.
pub(crate) fn forget(scope: Scope<'_>, id: &str) -> Op {
    Op::Forget { scope: scope.owned(), counter: running(id) }
}

/// A refusal by [`none`] in words.
pub(crate) fn ongoing(error: KnowledgeError, what: &str, id: &str) -> KnowledgeError {
    match error {
        KnowledgeError::Resource(Error::Store(StoreError::OutOfBounds { .. })) => KnowledgeError::Conflict(format!(
            "{what} with id {id} has an ongoing ingestion job. Wait for it to end, or stop it, then retry your request."
        )),
        other => other,
    }
}

fn shown(found: Resource<Job>) -> Shown {
    let job = found.value;
    Shown {
        knowledge_base_id: job.base,
        data_source_id: found.parent.unwrap_or_default(),
        ingestion_job_id: found.id,
        description: job.description,
        status: job.state.as_str().into(),
        statistics: Some(statistics(job.statistics)),
        failure_reasons: (!job.failures.is_empty()).then_some(job.failures),
        started_at: found.created,
        updated_at: found.updated,
        text_ready_at: job.text_ready,
    }
}

fn statistics(told: Statistics) -> IngestionJobStatistics {
    let number = |count: u64| Some(i64::try_from(count).unwrap_or(i64::MAX));
    IngestionJobStatistics {
        number_of_documents_scanned: number(told.scanned),
        number_of_metadata_documents_scanned: number(told.metadata_scanned),
        number_of_new_documents_indexed: number(told.new),
        number_of_modified_documents_indexed: number(told.modified),
        number_of_metadata_documents_modified: number(told.metadata_modified),
        number_of_documents_deleted: number(told.deleted),
        number_of_documents_failed: number(told.failed),
        number_of_documents_skipped: number(told.skipped),
    }
}

//! An ingestion job: what its source has is compared with what is known, and what differs is done.
//!
//! It keeps no checkpoint of its own. Each document's row says by which job it was brought up to date, so that a job
//! whose process died compares again and goes on with what is left; what was done twice came to the same chunks.

mod plan;
mod write;

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use outcrop_api::Fault;
use outcrop_gateway::guard::blocked;
use outcrop_queue::Held;
use outcrop_resources::{Error, Op, Resource, Scope};
use outcrop_vectors::{Index, Metadata, Replace, Vector};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::by_model::Reader;
use super::document::{Did, Status};
use super::embed::{self, Embedder};
use super::prepare::{Prepared, Recipe, Unprepared, prepare};
use super::reasons;
use super::sources::{self, FetchError, Fetched, Item, Source, SourceError};
use super::transform::Transform;
use super::work::{DEATHS, Finished, TRIES};
use crate::control::jobs;
use crate::kept::{Job, JobState, State, Statistics};
use crate::{Knowledge, KnowledgeError};
use plan::{Plan, Todo};

/// Documents that are read at once.
const READERS: usize = 4;
/// Documents that wait, read, for their vectors, and how many chunks they may have together: one document may have more.
const WAITING: usize = 16;
const ROOM: u32 = 4_096;
/// Chunks whose vectors are made, and which are written, together.
const GROUP: usize = 128;

/// How long a job waits at its end for its usage to be written.
const SETTLED: Duration = Duration::from_secs(10);
/// How often is looked whether a job that lists was stopped.
const LOOK: Duration = Duration::from_secs(1);

/// A job under way.
struct Run<'a> {
    knowledge: &'a Knowledge,
    scope: Scope<'a>,
    id: String,
    index: Arc<dyn Index>,
    source: Arc<dyn Source>,
    embedder: Embedder,
    recipe: Recipe,
    /// The most that it may delete, in percent.
    deletes_at_most: Option<u8>,
    /// The most bytes of a file that it reads, where its source says.
    largest: Option<u64>,
    /// Whether the index is another server's.
    elsewhere: bool,
    /// Whether the job is not tried again.
    last: bool,
    held: &'a Held,
}

/// A document that was read.
struct One {
    todo: Todo,
    outcome: Outcome,
    /// What its chunks take of [`ROOM`], until they are written.
    room: Option<OwnedSemaphorePermit>,
}

impl One {
    fn new(todo: Todo, outcome: Outcome) -> Self {
        Self { todo, outcome, room: None }
    }

    fn chunks(&self) -> usize {
        if let Outcome::Ready(prepared) = &self.outcome { prepared.records.len() } else { 0 }
    }
}

enum Outcome {
    /// All but its vectors.
    Ready(Prepared),
    /// All its chunks are as they were, but for these attributes.
    Described(Metadata),
    /// Why its new attributes could not be read; it stays as it was.
    Undescribed(String),
    /// Why it is left out.
    Left(Status, String),
    /// Why it could not be read now; what is known of it stays.
    Kept(String),
    /// It is not there any more.
    Gone,
}

impl Outcome {
    /// The texts that want vectors.
    fn take_texts(&mut self) -> Vec<String> {
        if let Self::Ready(prepared) = self { std::mem::take(&mut prepared.embedded) } else { Vec::new() }
    }

    /// Takes the vectors of its chunks.
    fn take_vectors(&mut self, vectors: &mut impl Iterator<Item = Vector>) {
        if let Self::Ready(prepared) = self {
            prepared.records.iter_mut().zip(vectors).for_each(|(record, vector)| record.vector = vector);
        }
    }

    /// An enforced guardrail lets its text go to no embedding model.
    fn blocked(fault: &Fault) -> Self {
        Self::Left(Status::Failed, format!("An enforced guardrail blocks its text: {}", fault.message))
    }
}

/// Why a job ended before it was done.
enum Halt {
    /// Somebody stopped it.
    Stopped,
    /// It cannot be done.
    Failed(String),
    /// It may be done later.
    Later(KnowledgeError),
}

impl<E: Into<KnowledgeError>> From<E> for Halt {
    fn from(error: E) -> Self {
        Self::Later(error.into())
    }
}

/// A model's refusal ends the job where the same call would be refused again.
fn refused(fault: Fault) -> Halt {
    if embed::passes(fault.kind) { Halt::Later(KnowledgeError::Model(fault)) } else { Halt::Failed(fault.message) }
}

/// Does a job, or what is left of it.
pub(super) async fn run(
    knowledge: &Knowledge,
    scope: Scope<'_>,
    (base, source, job): (&str, &str, &str),
    held: &Held,
) -> Finished {
    let found = match knowledge.0.jobs.get(scope, job).await {
        Err(Error::NotFound { .. }) => return Ok(Vec::new()),
        found => found?,
    };
    if found.value.state.ended() {
        return Ok(Vec::new());
    }
    let last = held.task().failures + 1 >= TRIES;
    let done = match held.task().begun > DEATHS {
        true => Err(Halt::Failed(format!(
            "The server ended {DEATHS} times while it worked on this job, each time before anything more was done."
        ))),
        false => ingest(knowledge, scope, (base, source), &found, held).await,
    };
    let Err(halt) = done else { return Ok(Vec::new()) };
    let failed =
        |reason: String| end(knowledge, scope, (base, source, job), JobState::Failed, vec![reasons::whole(&reason)]);
    match halt {
        Halt::Stopped => end(knowledge, scope, (base, source, job), JobState::Stopped, Vec::new()).await?,
        Halt::Failed(reason) => failed(reason).await?,
        Halt::Later(error) if !last => return Err(error),
        Halt::Later(error) => failed(error.to_string()).await?,
    }
    Ok(Vec::new())
}

async fn ingest(
    knowledge: &Knowledge,
    scope: Scope<'_>,
    (base, source): (&str, &str),
    job: &Resource<Job>,
    held: &Held,
) -> Result<(), Halt> {
    if job.value.state == JobState::Stopping {
        return Err(Halt::Stopped);
    }
    let base = knowledge.0.bases.get(scope, base).await?;
    let source = knowledge.0.sources.get(scope, source).await?;
    if base.value.state != State::Ready || source.value.state != State::Ready {
        return Err(Halt::Failed("The data source is being deleted.".to_owned()));
    }
    let run = Run::open(knowledge, scope, &base, &source, job.id.clone(), held).await?;
    run.told(Vec::new(), Statistics::default(), 0).await?;
    let started = std::time::Instant::now();
    let began = jiff::Timestamp::now();
    let listed = tokio::select! {
        listed = run.source.list() => listed,
        halt = run.halted() => return Err(halt),
    };
    let listing = listed.map_err(|error| match error {
        SourceError::Later(text) => Halt::Later(KnowledgeError::Validation(text)),
        SourceError::Never(text) => Halt::Failed(text),
    })?;
    let mut plan = run.plan(listing, began).await?;
    let todo = std::mem::take(&mut plan.todo);
    let documents = todo.len();
    run.told(Vec::new(), plan.statistics, 0).await?;
    run.work(todo, &mut plan).await?;
    let protected = run.protected(&plan).await?;
    if protected.is_none() {
        run.remove_gone(&plan).await?;
    }
    plan.notes.extend(protected);
    let change = |source: &mut Resource<crate::kept::DataSource>| {
        source.value.synced = true;
        Ok::<_, Error>(())
    };
    if !source.value.synced {
        knowledge.0.sources.update(scope, &source.id, change).await?;
    }
    let ids = (&*base.id, &*source.id, &*job.id);
    // They failed in no order.
    plan.failed.values_mut().for_each(|documents| documents.sort_unstable());
    end(knowledge, scope, ids, JobState::Complete, reasons::told(&plan.notes, &plan.failed)).await?;
    tracing::info!(job = job.id, documents, seconds = started.elapsed().as_secs_f32(), "an ingestion job is complete");
    Ok(())
}

impl<'a> Run<'a> {
    async fn open(
        knowledge: &'a Knowledge,
        scope: Scope<'a>,
        base: &Resource<crate::kept::KnowledgeBase>,
        source: &Resource<crate::kept::DataSource>,
        id: String,
        held: &'a Held,
    ) -> Result<Self, Halt> {
        let acting = knowledge.acting(scope, &base.value.role, Some(&base.arn));
        let mut acting = acting.map_err(|error| Halt::Failed(error.to_string()))?;
        Arc::make_mut(&mut acting.permissions).tags.insert(jobs::JOB.to_owned(), id.clone());
        let embedder = Embedder::new(knowledge, acting.clone(), &base.value).await;
        let index = knowledge.index(&base.id, &base.value).await?;
        let recipe = Recipe::of(base, source, &id)?;
        let elsewhere = base.value.store.is_some();
        let last = held.task().failures + 1 >= TRIES;
        let (deletes_at_most, largest) = (source.value.deletes_at_most(), source.value.largest());
        let source = sources::open(knowledge, acting, source)?;
        Ok(Self {
            knowledge,
            scope,
            id,
            index,
            source,
            embedder,
            recipe,
            deletes_at_most,
            largest,
            elsewhere,
            last,
            held,
        })
    }

    /// Reads, embeds and writes what is to be done; each of the three while the others do. Reading and embedding end in
    /// the middle where the job is stopped or cannot go on; what is being written is written.
    async fn work(&self, todo: Vec<Todo>, plan: &mut Plan) -> Result<(), Halt> {
        let (read, mut to_embed) = mpsc::channel(WAITING);
        let room = Arc::new(Semaphore::new(ROOM as usize));
        let (embedded, mut to_write) = mpsc::channel(1);
        let writer = embedded.clone();
        let reading = async move {
            // In any order: a document that takes long holds up none behind it.
            let mut documents = stream::iter(todo).map(|todo| self.read(todo)).buffer_unordered(READERS);
            while let Some(one) = documents.next().await {
                let mut one = one?;
                let wanted = u32::try_from(one.chunks()).unwrap_or(ROOM).min(ROOM);
                one.room = Arc::clone(&room).acquire_many_owned(wanted).await.ok();
                if read.send(one).await.is_err() {
                    break;
                }
            }
            Ok::<_, Halt>(())
        };
        let embedding = async move {
            while let Some(group) = next_group(&mut to_embed).await {
                if embedded.send(self.embed(group).await?).await.is_err() {
                    break;
                }
            }
            Ok(())
        };
        let making = async move {
            tokio::select! {
                made = async { futures_util::try_join!(reading, embedding) } => made.map(drop),
                halt = self.halted() => Err(halt),
                // Its error is the one that is told.
                () = writer.closed() => Ok(()),
            }
        };
        let writing = async move {
            while let Some(group) = to_write.recv().await {
                self.write(group, plan).await?;
                self.held.went_on().await.map_err(|lost| Halt::Later(Error::Internal(lost.to_string()).into()))?;
            }
            Ok(())
        };
        let (made, written) = futures_util::join!(making, writing);
        made.and(written)
    }

    async fn read(&self, todo: Todo) -> Result<One, Halt> {
        if let Some(outcome) = self.only_described(&todo).await {
            return Ok(One::new(todo, outcome));
        }
        let left = |(status, reason)| Outcome::Left(status, reason);
        let outcome = match self.fetch(&todo.item).await {
            Err(FetchError::Gone) => Outcome::Gone,
            Err(FetchError::Later(why)) => Outcome::Kept(reasons::sentence(&why)),
            Err(error) => left(reasons::unfetched(&error)),
            Ok(fetched) => match prepare(&self.recipe, &self.embedder, &todo.item.id, fetched).await {
                Ok(prepared) => Outcome::Ready(prepared),
                Err(Unprepared::Bad(failure)) => left(reasons::left(&failure)),
                // What is known of it stays; of a new one that it failed.
                Err(Unprepared::Later(why)) if todo.indexed() => Outcome::Kept(reasons::sentence(&why)),
                Err(Unprepared::Later(why)) => Outcome::Left(Status::Failed, reasons::sentence(&why)),
                Err(Unprepared::Model(fault)) if blocked(&fault) => Outcome::blocked(&fault),
                Err(Unprepared::Model(fault)) => return Err(refused(fault)),
            },
        };
        Ok(One::new(todo, outcome))
    }

    async fn fetch(&self, item: &Item) -> Result<Fetched, FetchError> {
        let fits = |size: u64| match self.largest {
            Some(most) if size > most => {
                let why = format!(": it has {size} bytes, and maxFileSizeInMegaBytes takes {most}");
                Err(FetchError::Large(why))
            }
            _ => Ok(()),
        };
        item.size.map_or(Ok(()), fits)?;
        let fetched = self.source.fetch(item).await?;
        fits(fetched.bytes.len() as u64)?;
        Ok(fetched)
    }

    /// What comes of a document whose sidecar alone is another, where that changes nothing that is embedded: it is not
    /// read again. None where it must be.
    async fn only_described(&self, todo: &Todo) -> Option<Outcome> {
        let beside = todo.known.as_ref()?.document.beside.as_deref()?;
        if todo.did != Did::Sidecar || self.recipe.transform.is_some() {
            return None;
        }
        let sidecar = match self.source.sidecar(&todo.item).await {
            Ok(found) => found?,
            Err(FetchError::Later(why)) => return Some(Outcome::Kept(reasons::sentence(&why))),
            Err(error) => return Some(Outcome::Undescribed(reasons::sentence(&error.to_string()))),
        };
        if sidecar.mark().as_deref() != Some(beside) {
            return None;
        }
        let mut metadata = sidecar.attributes;
        metadata.extend(self.recipe.of_document(&todo.item.id));
        Some(Outcome::Described(metadata))
    }

    async fn embed(&self, mut group: Vec<One>) -> Result<Vec<One>, Halt> {
        let texts: Vec<Vec<String>> = group.iter_mut().map(|one| one.outcome.take_texts()).collect();
        match self.embedder.vectors(texts.iter().flatten().cloned().collect()).await {
            Ok(vectors) => {
                let mut vectors = vectors.into_iter();
                group.iter_mut().for_each(|one| one.outcome.take_vectors(&mut vectors));
            }
            // Which of them it is about is seen when each is embedded by itself.
            Err(fault) if blocked(&fault) => {
                for (one, texts) in group.iter_mut().zip(texts) {
                    match self.embedder.vectors(texts).await {
                        Ok(vectors) => one.outcome.take_vectors(&mut vectors.into_iter()),
                        Err(fault) if blocked(&fault) => one.outcome = Outcome::blocked(&fault),
                        Err(fault) => return Err(refused(fault)),
                    }
                }
            }
            Err(fault) => return Err(refused(fault)),
        }
        Ok(group)
    }

    fn replace(&self, document: &str, records: Vec<outcrop_vectors::Record>) -> Replace {
        Replace { source: self.recipe.source.clone(), document: document.to_owned(), records }
    }

    /// When somebody has stopped the job: a crawl may list for hours, and a model ask to be left alone.
    async fn halted(&self) -> Halt {
        loop {
            tokio::time::sleep(LOOK).await;
            match self.knowledge.0.jobs.get(self.scope, &self.id).await {
                Ok(job) if job.value.state != JobState::Stopping => {}
                Ok(_) => return Halt::Stopped,
                Err(error) => return error.into(),
            }
        }
    }

    /// Keeps what was done, in one step with what it adds to the job. Statistics never go back: a job that is resumed
    /// counts again what is done already.
    async fn told(&self, ops: Vec<Op>, now: Statistics, deleted: u64) -> Result<(), Halt> {
        let change = |job: &mut Resource<Job>| {
            let job = &mut job.value;
            if job.state == JobState::Starting {
                job.state = JobState::InProgress;
            }
            job.statistics = job.statistics.at_least(now);
            job.statistics.deleted += deleted;
            Ok::<_, KnowledgeError>(ops.clone())
        };
        let job = self.knowledge.0.jobs.update_with(self.scope, &self.id, change).await?;
        if job.value.state == JobState::Stopping { Err(Halt::Stopped) } else { Ok(()) }
    }
}

/// Documents that are embedded together: as many as have been read, up to so many chunks.
async fn next_group(read: &mut mpsc::Receiver<One>) -> Option<Vec<One>> {
    let first = read.recv().await?;
    let mut count = first.chunks();
    let mut group = vec![first];
    while count < GROUP && group.len() < GROUP {
        let Ok(one) = read.try_recv() else { break };
        count += one.chunks();
        group.push(one);
    }
    Some(group)
}

/// Ends a job and makes room for the next one, in one step.
async fn end(
    knowledge: &Knowledge,
    scope: Scope<'_>,
    (base, source, job): (&str, &str, &str),
    state: JobState,
    reasons: Vec<String>,
) -> Result<(), KnowledgeError> {
    let change = |found: &mut Resource<Job>| {
        let job = &mut found.value;
        if job.state.ended() {
            return Ok(Vec::new());
        }
        // A job that was to stop and had nothing left is done.
        job.state = state;
        job.failures.clone_from(&reasons);
        job.text_ready = (state == JobState::Complete).then(jiff::Timestamp::now);
        Ok::<_, KnowledgeError>(jobs::count(scope, base, source, -1))
    };
    // Whoever is told that it has ended may ask what it cost. A meter whose disk hangs holds up no job.
    if tokio::time::timeout(SETTLED, knowledge.0.gateway.settle()).await.is_err() {
        tracing::warn!(job, "an ingestion job ends before its usage is written");
    }
    knowledge.0.jobs.update_with(scope, job, change).await?;
    Ok(())
}

impl Recipe {
    /// What a data source does with its documents.
    pub(super) fn of(
        base: &Resource<crate::kept::KnowledgeBase>,
        source: &Resource<crate::kept::DataSource>,
        job: &str,
    ) -> Result<Self, KnowledgeError> {
        let told = source.value.ingestion.as_ref().map(|told| &told.0);
        Ok(Self {
            transform: Transform::of(told, &base.id, &source.id, job),
            source: source.id.clone(),
            location: sources::location(&source.value),
            chunking: crate::control::chunking(source.value.ingestion.as_ref())?,
            reader: Reader::of(told),
            managed: base.value.storage.is_none(),
        })
    }
}

impl Statistics {
    /// The larger of each.
    fn at_least(self, other: Self) -> Self {
        Self {
            scanned: self.scanned.max(other.scanned),
            metadata_scanned: self.metadata_scanned.max(other.metadata_scanned),
            new: self.new.max(other.new),
            modified: self.modified.max(other.modified),
            metadata_modified: self.metadata_modified.max(other.metadata_modified),
            deleted: self.deleted.max(other.deleted),
            failed: self.failed.max(other.failed),
            skipped: self.skipped.max(other.skipped),
            chunks: self.chunks.max(other.chunks),
        }
    }
}

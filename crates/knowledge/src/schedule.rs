//! Data sources that are synchronised without being asked.
//!
//! A MANAGED knowledge base's connector has AWS's own `syncSchedule`. Any other knowledge base has the tag [`EVERY`], or
//! the operator's setting. What is due is told by the source's last job, so that no restart forgets a schedule and no two
//! servers do one twice: a job that has begun is the last one for everybody.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use outcrop_api::bedrock_agent::{
    DataSourceType, DayOfMonth, DayOfWeek, ManagedKnowledgeBaseConnectorConfiguration, SyncSchedule,
};
use outcrop_resources::{Error, Op, Order, Page, Resource, Scope, Tag};
use outcrop_store::{Document, Error as StoreError, Key, NewDocument, Query};
use outcrop_wire::arn::Arn;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use crate::control::jobs;
use crate::kept::{DataSource, KNOWLEDGE_BASE, KnowledgeBase, State};
use crate::{Knowledge, KnowledgeError};

/// The tag of a knowledge base that says how often its sources are synchronised: `90s`, `15m`, `1h`, `2d`.
pub const EVERY: &str = "outcrop:sync-every";
/// The rows that say which knowledge bases to look at.
const KIND: &str = "knowledge-schedule";
/// Where they are: in one place for all accounts.
const NOWHERE: Scope<'static> = Scope { account: "outcrop", region: "-" };
/// How often it is looked.
const LOOK: Duration = Duration::from_secs(2);
/// How long a source is left alone whose job could not be started.
const REST: Duration = Duration::from_secs(60);
/// How long a row stays that nothing stands behind: what it announces may be about to be written.
const GRACE: SignedDuration = SignedDuration::from_secs(60);
/// Rows that are looked at together.
const STRIDE: usize = 500;

/// When a source is synchronised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schedule {
    /// So long after the last time.
    Every(Duration),
    /// Each day, at a quiet time.
    Daily,
    /// On a day of the week.
    Weekly(Weekday),
    /// On a day of the month; the last one where none is named.
    Monthly(Option<i8>),
}

impl Schedule {
    /// `90s`, `15m`, `1h` or `2d`.
    pub fn every(text: &str) -> Option<Self> {
        let text = text.trim();
        let unit = match text.chars().last()? {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            _ => return None,
        };
        let number: u64 = text[..text.len() - 1].trim().parse().ok()?;
        let seconds = number.checked_mul(unit).filter(|seconds| (1..=366 * 86_400).contains(seconds))?;
        Some(Self::Every(Duration::from_secs(seconds)))
    }

    /// What a connector's configuration says.
    pub fn of_connector(told: &ManagedKnowledgeBaseConnectorConfiguration) -> Option<Self> {
        Some(match told.sync_schedule.as_ref()? {
            SyncSchedule::Daily(_) => Self::Daily,
            SyncSchedule::Weekly(weekly) => Self::Weekly(match weekly.day_of_week {
                DayOfWeek::Monday => Weekday::Monday,
                DayOfWeek::Tuesday => Weekday::Tuesday,
                DayOfWeek::Wednesday => Weekday::Wednesday,
                DayOfWeek::Thursday => Weekday::Thursday,
                DayOfWeek::Friday => Weekday::Friday,
                DayOfWeek::Saturday => Weekday::Saturday,
                DayOfWeek::Sunday | DayOfWeek::Unlisted(_) => Weekday::Sunday,
            }),
            SyncSchedule::Monthly(monthly) => Self::Monthly(match &monthly.day_of_month {
                DayOfMonth::DayNumber(day) => i8::try_from(*day).ok(),
                DayOfMonth::LastDayOfMonth(_) | DayOfMonth::Unset => None,
            }),
            SyncSchedule::Unset => return None,
        })
    }

    /// When the source `id` is due, that was synchronised at `last` or made then.
    pub fn next(&self, last: Timestamp, id: &str) -> Timestamp {
        if let Self::Every(every) = self {
            return last.saturating_add(*every).unwrap_or(Timestamp::MAX);
        }
        let falls = |day: Date| match self {
            Self::Every(_) | Self::Daily => true,
            Self::Weekly(weekday) => day.weekday() == *weekday,
            Self::Monthly(Some(number)) => day.day() == *number,
            Self::Monthly(None) => day == day.last_of_month(),
        };
        // A quiet time of UTC's night, each source's own, so that they do not all begin at once.
        let minute = Sha256::digest(id).iter().fold(0_i64, |all, byte| (all * 31 + i64::from(*byte)) % 240);
        let mut day = last.to_zoned(TimeZone::UTC).date();
        // Whatever the rule, a month and a day hold one that falls.
        for _ in 0..40 {
            let at = day.at(1, 0, 0, 0).to_zoned(TimeZone::UTC).and_then(|at| at.checked_add(minute.minutes()));
            match at {
                Ok(at) if falls(day) && at.timestamp() > last => return at.timestamp(),
                Ok(_) => {}
                Err(_) => break,
            }
            let Ok(next) = day.tomorrow() else { break };
            day = next;
        }
        Timestamp::MAX
    }
}

/// What the operator sets: knowledge bases by ARN, and how often their sources are synchronised.
pub type Settings = BTreeMap<String, Schedule>;

/// A knowledge base to look at.
#[derive(Debug, Serialize, Deserialize)]
struct Row {
    account: String,
    region: String,
    base: String,
}

fn key(scope: Scope<'_>, base: &str) -> Key {
    NOWHERE.owned().key(KIND, format!("{}/{}/{base}", scope.account, scope.region))
}

/// Whether a knowledge base's tags say how often its sources are synchronised; refused where they say it wrongly.
pub(crate) fn told(tags: &[Tag]) -> Result<bool, KnowledgeError> {
    let Some(tag) = tags.iter().find(|tag| tag.key == EVERY) else { return Ok(false) };
    match Schedule::every(&tag.value) {
        Some(_) => Ok(true),
        None => Err(KnowledgeError::Validation(format!(
            "The tag {EVERY} says how often data sources are synchronised, such as 90s, 15m, 1h or 2d; {:?} does not.",
            tag.value
        ))),
    }
}

/// What has a knowledge base looked at.
pub(crate) fn row(scope: Scope<'_>, base: &str) -> Result<NewDocument, Error> {
    let row = Row { account: scope.account.to_owned(), region: scope.region.to_owned(), base: base.to_owned() };
    let body = serde_json::to_vec(&row).map_err(|error| Error::Internal(error.to_string()))?;
    Ok(NewDocument { key: key(scope, base), name: None, parent: None, body, sealed_by: None })
}

/// Has a knowledge base looked at from now on. What makes it scheduled is written after this.
pub(crate) async fn announce(knowledge: &Knowledge, scope: Scope<'_>, base: &str) -> Result<(), KnowledgeError> {
    let new = row(scope, base)?;
    let (key, body) = (new.key.clone(), new.body.clone());
    let store = knowledge.0.resources.store();
    match store.commit(Op::Insert(new).into()).await {
        // It is written again, so that it is new again.
        Err(StoreError::Exists { .. }) => {
            store.commit(Op::Put { key, expect: None, name: None, body }.into()).await?;
            Ok(())
        }
        done => Ok(done.map(drop)?),
    }
}

/// Starts what is due until `stop`, in the knowledge bases that `now` answers: a reload makes others.
pub async fn run(now: impl Fn() -> Option<Knowledge>, stop: CancellationToken) {
    let mut resting = HashMap::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
        let Some(knowledge) = now() else { continue };
        resting.retain(|_, until| *until > Instant::now());
        if let Err(error) = look(&knowledge, &mut resting).await {
            tracing::warn!(%error, "cannot look at the schedules of data sources");
        }
    }
}

/// Sources that are left alone for a while.
type Resting = HashMap<String, Instant>;

async fn look(knowledge: &Knowledge, resting: &mut Resting) -> Result<(), KnowledgeError> {
    let mut after = None;
    loop {
        let query = Query {
            scope: NOWHERE.owned(),
            kind: KIND.to_owned(),
            parent: None,
            after,
            order: Default::default(),
            limit: STRIDE,
        };
        let rows = knowledge.0.resources.store().list(query).await?;
        for found in &rows {
            // What is wrong with one keeps no other from its turn.
            if let Err(error) = announced(knowledge, found, resting).await {
                tracing::warn!(row = found.key.id, %error, "cannot look at the schedules of a knowledge base");
            }
        }
        match rows.last() {
            Some(last) if rows.len() == STRIDE => after = Some(last.cursor),
            _ => break,
        }
    }
    for arn in knowledge.0.settings.schedules.keys() {
        let Some(parsed) = Arn::parse(arn) else { continue };
        let scope = Scope { account: parsed.account, region: parsed.region };
        if let Some(base) = KNOWLEDGE_BASE.id_in(scope, arn)
            && let Err(error) = at(knowledge, scope, base, resting).await
        {
            tracing::warn!(arn, %error, "cannot look at the schedules of a knowledge base");
        }
    }
    Ok(())
}

/// Starts what is due in the knowledge base of a row, and forgets the row where nothing stands behind it.
async fn announced(knowledge: &Knowledge, found: &Document, resting: &mut Resting) -> Result<(), KnowledgeError> {
    let row: Row = serde_json::from_slice(&found.body).map_err(|error| Error::Internal(error.to_string()))?;
    let scope = Scope { account: &row.account, region: &row.region };
    let scheduled = at(knowledge, scope, &row.base, resting).await?;
    if !scheduled && found.updated.duration_until(Timestamp::now()) > GRACE {
        let gone = Op::Discard { key: found.key.clone() };
        knowledge.0.resources.store().commit(gone.into()).await?;
    }
    Ok(())
}

/// Starts what is due in a knowledge base. False where nothing of it has a schedule.
async fn at(
    knowledge: &Knowledge,
    scope: Scope<'_>,
    base: &str,
    resting: &mut Resting,
) -> Result<bool, KnowledgeError> {
    let base = match knowledge.0.bases.get(scope, base).await {
        Err(Error::NotFound { .. }) => return Ok(false),
        base => base?,
    };
    if base.value.state != State::Ready {
        return Ok(true);
    }
    let of_base = of_base(knowledge, scope, &base).await?;
    let mut scheduled = of_base.is_some();
    // A knowledge base has no more sources than one page.
    let page = Page { operation: "ListDataSources", parent: Some(&base.id), ..Page::default() };
    let sources = knowledge.0.sources.list(scope, &page, |_| true).await?.items;
    for source in sources {
        let Some(schedule) = of_source(&source.value).or(of_base) else { continue };
        scheduled = true;
        if source.value.state != State::Ready || resting.contains_key(&source.id) {
            continue;
        }
        let Some(due) = due(knowledge, scope, &source, schedule).await? else { continue };
        if due > Timestamp::now() {
            continue;
        }
        match jobs::begin(knowledge, scope, &base, &source, Some("scheduled".to_owned()), None).await {
            Ok(job) => tracing::info!(job = job.id, source = source.id, "a scheduled ingestion job begins"),
            // Its knowledge base or its account has one under way: its turn comes.
            Err(KnowledgeError::Conflict(_) | KnowledgeError::Quota(_)) => {}
            Err(error) => {
                tracing::warn!(source = source.id, %error, "a scheduled ingestion job cannot begin");
                resting.insert(source.id.clone(), Instant::now() + REST);
            }
        }
    }
    Ok(scheduled)
}

async fn of_base(
    knowledge: &Knowledge,
    scope: Scope<'_>,
    base: &Resource<KnowledgeBase>,
) -> Result<Option<Schedule>, KnowledgeError> {
    let tags = knowledge.0.tagger.list(scope, &base.arn).await?;
    let tag = tags.iter().find(|tag| tag.key == EVERY).and_then(|tag| Schedule::every(&tag.value));
    Ok(tag.or_else(|| knowledge.0.settings.schedules.get(&base.arn).copied()))
}

/// A source's own schedule. None for those that nothing can be listed in.
fn of_source(source: &DataSource) -> Option<Schedule> {
    source.connector().and_then(Schedule::of_connector)
}

/// When a source is due; never while a job of it is under way, and where nothing can be listed in it.
async fn due(
    knowledge: &Knowledge,
    scope: Scope<'_>,
    source: &Resource<DataSource>,
    schedule: Schedule,
) -> Result<Option<Timestamp>, KnowledgeError> {
    if source.value.kind() == DataSourceType::Custom {
        return Ok(None);
    }
    let page = Page {
        operation: "ListIngestionJobs",
        max_results: Some(1),
        parent: Some(&source.id),
        order: Order::NewestFirst,
        ..Page::default()
    };
    let last = knowledge.0.jobs.list(scope, &page, |_| true).await?.items.into_iter().next();
    Ok(match last {
        Some(job) if !job.value.state.ended() => None,
        Some(job) => Some(schedule.next(job.created, &source.id)),
        None => Some(schedule.next(source.created, &source.id)),
    })
}

//! What a successful task cost: the price of tokens says little where half of the answers are of no use.
//!
//! A task is what an outcome was marked for: one call, or all calls with one value in their metadata. In each group, the
//! spend of all its tasks, those that failed too, is divided by those that succeeded. A task with calls in several
//! groups is one in each. Calls of which nobody said what became of them stand apart.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hash, RandomState};
use std::path::Path;

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{By, MOST_GROUPS, OTHER, Query, Sums};
use crate::ledger::{self, LedgerError};
use crate::outcomes::{self, Subject};

/// One group.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Row {
    /// The values of what was grouped by.
    pub group: Vec<String>,
    /// Tasks that did what they were for.
    pub succeeded: u64,
    /// Tasks that did not.
    pub failed: u64,
    /// What both took.
    pub sums: Sums,
    /// Calls of no task.
    pub unmarked: Sums,
}

impl Row {
    /// Dollars for a task that succeeded, the failed ones paid with it; none where none succeeded, or a call of a task
    /// has no price.
    pub fn per_success(&self) -> Option<Decimal> {
        if self.sums.unpriced_calls > 0 {
            return None;
        }
        self.sums.cost.checked_div(self.succeeded.into())
    }

    fn json(&self, by: &[By], task: bool) -> Value {
        let mut names: Vec<_> = by.iter().map(By::to_string).collect();
        if task {
            names.push("task".into());
        }
        let group: serde_json::Map<_, _> = names.into_iter().zip(self.group.iter().cloned().map(Value::from)).collect();
        json!({
            "group": group,
            "succeeded": self.succeeded,
            "failed": self.failed,
            "costPerSuccess": self.per_success().map(|cost| cost.normalize().to_string()),
            "spent": self.sums.json(),
            "unmarked": self.unmarked.json(),
        })
    }
}

/// What tasks cost.
#[derive(Debug, Clone, PartialEq)]
pub struct Tasks {
    /// What was asked.
    pub query: Query,
    /// Rows are told apart by the kind of task, too.
    pub by_task: bool,
    /// The group that spent most first.
    pub rows: Vec<Row>,
    /// Of all.
    pub total: Row,
}

impl Tasks {
    /// As programs read it.
    pub fn json(&self) -> Value {
        json!({
            "from": self.query.time.start.to_string(),
            "to": self.query.time.end.to_string(),
            "currency": "USD",
            "rows": self.rows.iter().map(|row| row.json(&self.query.by, self.by_task)).collect::<Vec<_>>(),
            "total": self.total.json(&[], false),
        })
    }
}

/// What is remembered of an outcome: a million of them are some 30 megabytes.
struct Mark {
    success: bool,
    task: u32,
}

#[derive(Default)]
struct Group {
    row: Row,
    seen: HashSet<u64>,
}

impl Group {
    fn add(&mut self, entry: &crate::Entry, mark: Option<(u64, &Mark)>) {
        let Some((subject, mark)) = mark else { return self.row.unmarked.add(entry, 0) };
        self.row.sums.add(entry, 0);
        if self.seen.insert(subject) {
            self.row.succeeded += u64::from(mark.success);
            self.row.failed += u64::from(!mark.success);
        }
    }
}

/// Divides what was spent in the query's time by what was achieved with it, whenever that was said; by the kind of
/// task, too, where `by_task`.
pub fn tasks(data: &Path, query: &Query, by_task: bool) -> Result<Tasks, LedgerError> {
    let hasher = RandomState::new();
    let hash = |account: &str, subject: &Subject| hasher.hash_one(Key(account, subject));
    let mut names: Vec<String> = vec![super::NONE.to_owned()];
    let mut by_name: HashMap<String, u32> = HashMap::new();
    let mut marks: HashMap<u64, Mark> = HashMap::new();
    let mut keys: HashSet<String> = HashSet::new();
    for marked in outcomes::since(data, query.time.start)? {
        let marked = marked?;
        let task = marked.task.map_or(0, |name| {
            *by_name.entry(name).or_insert_with_key(|name| {
                names.push(name.clone());
                u32::try_from(names.len() - 1).unwrap_or(0)
            })
        });
        if let Subject::Metadata { key, .. } = &marked.subject
            && !keys.contains(key)
        {
            keys.insert(key.clone());
        }
        marks.insert(hash(&marked.account, &marked.subject), Mark { success: marked.success, task });
    }
    let mut groups: HashMap<String, Group> = HashMap::new();
    let mut total = Group::default();
    for entry in ledger::read(data, query.time.clone())? {
        let entry = entry?;
        if !query.wants(&entry) {
            continue;
        }
        let find = |subject: Subject| {
            let hash = hash(&entry.account, &subject);
            marks.get(&hash).map(|mark| (hash, mark))
        };
        // A call's own outcome goes before that of its task.
        let mark = find(Subject::RequestId(entry.request_id.clone())).or_else(|| {
            let metadata = entry.metadata.iter().filter(|(key, _)| keys.contains(*key));
            metadata.map(|(key, value)| Subject::Metadata { key: key.clone(), value: value.clone() }).find_map(find)
        });
        let mut group = String::new();
        for (n, by) in query.by.iter().enumerate() {
            if n > 0 {
                group.push(super::BETWEEN);
            }
            by.write(&entry, &mut group);
        }
        if by_task {
            if !query.by.is_empty() {
                group.push(super::BETWEEN);
            }
            group.push_str(&names[mark.as_ref().map_or(0, |(_, mark)| mark.task as usize)]);
        }
        if groups.len() >= MOST_GROUPS && !groups.contains_key(&group) {
            group = vec![OTHER; query.by.len() + usize::from(by_task)].join(&super::BETWEEN.to_string());
        }
        groups.entry(group).or_default().add(&entry, mark);
        total.add(&entry, mark);
    }
    let split = |key: &str| match query.by.is_empty() && !by_task {
        true => Vec::new(),
        false => key.split(super::BETWEEN).map(str::to_owned).collect(),
    };
    let mut rows: Vec<_> = groups.into_iter().map(|(key, group)| Row { group: split(&key), ..group.row }).collect();
    rows.sort_by(|a, b| b.sums.cost.cmp(&a.sums.cost).then(a.group.cmp(&b.group)));
    Ok(Tasks { query: query.clone(), by_task, rows, total: total.row })
}

#[derive(Hash)]
struct Key<'a>(&'a str, &'a Subject);

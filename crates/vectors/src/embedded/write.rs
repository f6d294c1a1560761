//! Changing an index. One at a time: the vectors first, then the truth, then what is derived, then what queries see.

use std::collections::HashMap;
use std::sync::PoisonError;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::base::Inner;
use super::codes::Code;
use super::file::{self, VectorFile};
use super::state::{Added, Change, Place, State};
use super::truth;
use super::words::Words;
use crate::record::described;
use crate::{Metadata, Record, Replace, Result, Value, Vector, VectorError};

/// What the one who writes holds.
pub(super) struct Writer {
    truth: Connection,
    words: Words,
    file: VectorFile,
    places: Places,
    /// Whether the words lack something that the truth has, because writing them failed.
    behind: bool,
}

/// Which places are free.
#[derive(Clone)]
struct Places {
    free: Vec<u32>,
    next: u32,
}

impl Places {
    fn take(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.next += 1;
            self.next - 1
        })
    }
}

impl Writer {
    pub(super) fn new(truth: Connection, words: Words, file: VectorFile, state: &State) -> Self {
        let next = state.places();
        let free = (0..next).rev().filter(|slot| state.key(*slot) == 0).collect();
        Self { truth, words, file, places: Places { free, next }, behind: false }
    }
}

/// Brings the words up to the truth.
pub(super) fn catch_up(truth: &Connection, words: &mut Words) -> Result<()> {
    let wanted = truth::mark(truth)?;
    let has = words.mark();
    if has == wanted {
        return Ok(());
    }
    // Words that know more than the truth are another index's: an older copy of the truth was put in its place.
    if has.chunk > wanted.chunk || has.removal > wanted.removal {
        words.clear()?;
    }
    let has = words.mark();
    let words = std::cell::RefCell::new(words);
    truth::since(
        truth,
        has,
        |key| words.borrow_mut().remove(key),
        |key, slot, text| words.borrow_mut().add(key, slot, text),
    )?;
    words.into_inner().commit(wanted)
}

/// What a transaction does to the words.
#[derive(Default)]
struct Spoken {
    removed: Vec<i64>,
    added: Vec<(i64, u32, String)>,
}

/// What a transaction may use.
struct Work<'a> {
    truth: &'a Transaction<'a>,
    file: &'a mut VectorFile,
    places: &'a mut Places,
    change: Change,
    spoken: Spoken,
}

pub(super) fn replace(inner: &Inner, documents: Vec<Replace>) -> Result<()> {
    for record in documents.iter().flat_map(|document| &document.records) {
        record.vector.check(inner.shape)?;
        numbers(&record.metadata)?;
    }
    // Of two that replace one document, the later counts.
    let mut last = HashMap::new();
    for (at, document) in documents.iter().enumerate() {
        last.insert((document.source.as_str(), document.document.as_str()), at);
    }
    let counts = |at: usize, document: &Replace| last.get(&(&*document.source, &*document.document)) == Some(&at);
    transact(inner, |work| {
        for (at, document) in documents.iter().enumerate() {
            if counts(at, document) {
                work.replace(document)?;
            }
        }
        Ok(())
    })
}

pub(super) fn forget(inner: &Inner, source: &str) -> Result<()> {
    transact(inner, |work| {
        for doc in truth::documents_of(work.truth, source)? {
            work.remove(doc)?;
        }
        Ok(())
    })
}

pub(super) fn describe(inner: &Inner, source: &str, document: &str, own: &[String], metadata: &Metadata) -> Result<()> {
    numbers(metadata)?;
    let own: Vec<&str> = own.iter().map(String::as_str).collect();
    transact(inner, |work| {
        let Some(doc) = truth::find_document(work.truth, source, document)? else { return Ok(()) };
        for chunk in truth::chunks_of(work.truth, doc)? {
            let new = described(&chunk.metadata, &own, metadata);
            truth::describe(work.truth, chunk.key, &truth::metadata_text(&new)?)?;
            work.change.described.push((chunk.slot, chunk.metadata, new));
        }
        Ok(())
    })
}

/// JSON has no other numbers.
fn numbers(metadata: &Metadata) -> Result<()> {
    for (key, value) in metadata {
        if matches!(value, Value::Number(number) if !number.is_finite()) {
            return Err(VectorError::Invalid(format!("the attribute {key} is a number that is infinite or none")));
        }
    }
    Ok(())
}

/// Does all of it or nothing. When it returns, it is durable and the next query sees it.
fn transact(inner: &Inner, work: impl FnOnce(&mut Work<'_>) -> Result<()>) -> Result<()> {
    let mut writer = inner.writer()?;
    let writer = &mut *writer;
    let mut places = writer.places.clone();
    let transaction = writer.truth.transaction_with_behavior(TransactionBehavior::Immediate).map_err(truth::failed)?;
    let mut doing = Work {
        truth: &transaction,
        file: &mut writer.file,
        places: &mut places,
        change: Change::default(),
        spoken: Spoken::default(),
    };
    work(&mut doing)?;
    let Work { change, spoken, .. } = doing;
    truth::prune(&transaction, writer.words.mark())?;
    let mark = truth::mark(&transaction)?;
    let grown = writer.file.grown()?;
    if !change.added.is_empty() {
        writer.file.sync()?;
    }
    transaction.commit().map_err(truth::failed)?;

    // From here on it has happened.
    places.free.extend(change.removed.iter().map(|(slot, _)| *slot));
    writer.places = places;
    let spoke = if writer.behind {
        writer.words.abandon();
        catch_up(&writer.truth, &mut writer.words)
    } else if spoken.removed.is_empty() && spoken.added.is_empty() {
        Ok(())
    } else {
        speak(&mut writer.words, spoken, mark)
    };
    let searcher = spoke.and_then(|()| writer.words.searcher());
    writer.behind = searcher.is_err();
    let mut state = inner.state.write().unwrap_or_else(PoisonError::into_inner);
    if let Some(vectors) = grown {
        state.vectors = vectors;
    }
    state.apply(change);
    match searcher {
        Ok(searcher) => {
            state.words = searcher;
            Ok(())
        }
        Err(why) => {
            writer.words.abandon();
            Err(why)
        }
    }
}

fn speak(words: &mut Words, spoken: Spoken, mark: super::words::Mark) -> Result<()> {
    for key in spoken.removed {
        words.remove(key)?;
    }
    for (key, slot, text) in &spoken.added {
        words.add(*key, *slot, text)?;
    }
    words.commit(mark)
}

impl Work<'_> {
    fn remove(&mut self, doc: i64) -> Result<()> {
        for chunk in truth::remove_document(self.truth, doc)? {
            self.spoken.removed.push(chunk.key);
            self.change.removed.push((chunk.slot, chunk.metadata));
        }
        Ok(())
    }

    fn replace(&mut self, document: &Replace) -> Result<()> {
        if let Some(doc) = truth::find_document(self.truth, &document.source, &document.document)? {
            self.remove(doc)?;
        }
        if document.records.is_empty() {
            return Ok(());
        }
        let doc = truth::add_document(self.truth, &document.source, &document.document)?;
        let mut parents = HashMap::new();
        for record in &document.records {
            let parent = match &record.parent {
                None => None,
                Some(parent) => match parents.get(&parent.id) {
                    Some(key) => Some(*key),
                    None => {
                        let key = truth::add_parent(self.truth, doc, parent)?;
                        parents.insert(&parent.id, key);
                        Some(key)
                    }
                },
            };
            self.add(doc, parent, record)?;
        }
        Ok(())
    }

    fn add(&mut self, doc: i64, parent: Option<i64>, record: &Record) -> Result<()> {
        let slot = self.places.take();
        self.file.reserve(u64::from(slot) + 1)?;
        let kept = file::encode(&record.vector);
        self.file.write(slot, &kept)?;
        let code = matches!(record.vector, Vector::Float(_)).then(|| Code::new(&file::decode(&kept)));
        let metadata = truth::metadata_text(&record.metadata)?;
        let key = truth::add_chunk(self.truth, doc, slot, parent, (&record.id, &metadata, &record.text))?;
        let place = Place { key, parent: parent.unwrap_or(0) };
        self.change.added.push(Added { slot, place, metadata: record.metadata.clone(), code });
        self.spoken.added.push((key, slot, record.text.clone()));
        Ok(())
    }
}

//! The thread that writes the trail.

use std::io;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde_json::json;

use super::folder::Log;
use super::{Event, Message, Shared, Who};

/// How long records gather after the first: the most that a process which is killed takes with it.
const GATHER: Duration = Duration::from_millis(20);
/// How often the disk is made to keep what was written: the most that a machine without power takes with it.
const SYNC: Duration = Duration::from_secs(1);
/// How long a disk that failed is left alone.
const AGAIN: Duration = Duration::from_millis(500);
/// Bytes that are written together at most.
const TOGETHER: usize = 1 << 20;
/// Records of callers that were not proven, a second. More are counted in one: nobody without a key shall fill the
/// disk.
const UNPROVEN: u64 = 100;

struct Writer<'a> {
    log: Log,
    shared: &'a Shared,
    /// Sealed lines that are not yet written, of one day.
    lines: Vec<u8>,
    held: u64,
    day: Date,
    dirty: bool,
    synced: Instant,
    told_lost: u64,
    unproven: Unproven,
    pruned: Date,
}

/// Callers that were not proven, in one second.
#[derive(Default)]
struct Unproven {
    second: i64,
    seen: u64,
}

pub(super) fn run(receiver: &Receiver<Message>, log: Log, shared: &Shared) {
    let mut writer = Writer {
        shared,
        lines: Vec::with_capacity(64 * 1024),
        held: 0,
        day: log.day,
        dirty: false,
        synced: Instant::now(),
        told_lost: 0,
        unproven: Unproven::default(),
        pruned: Date::MIN,
        log,
    };
    if writer.log.torn > 0 {
        let facts = json!({ "bytes": writer.log.torn });
        writer.push(&Event::of_server("RemoveTornRecord", Who::Server, facts));
    }
    loop {
        let mut flushed = Vec::new();
        let first = match receiver.recv_timeout(SYNC) {
            Ok(first) => {
                // Whoever writes while this thread sleeps does not have to wake it.
                std::thread::sleep(GATHER);
                Some(first)
            }
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                writer.settle(true);
                writer.sync(true);
                return;
            }
        };
        for message in first.into_iter().chain(receiver.try_iter()) {
            match message {
                Message::Event(event) => writer.take(&event),
                Message::Flush(done) => flushed.push(done),
            }
            if writer.lines.len() >= TOGETHER {
                break;
            }
        }
        writer.settle(false);
        writer.sync(!flushed.is_empty());
        for done in flushed {
            // Who asked may have gone.
            let _ = done.send(());
        }
    }
}

impl Writer<'_> {
    /// A record, unless it is one too many of those that anybody can cause.
    fn take(&mut self, event: &Event) {
        if matches!(event.who, Who::Unproven(_)) {
            let second = event.at.as_second();
            if second != self.unproven.second {
                self.tell_folded();
                self.unproven = Unproven { second, seen: 0 };
            }
            self.unproven.seen += 1;
            if self.unproven.seen > UNPROVEN {
                return;
            }
        }
        self.push(event);
    }

    fn tell_folded(&mut self) {
        let folded = self.unproven.seen.saturating_sub(UNPROVEN);
        if folded > 0 {
            self.unproven.seen = UNPROVEN;
            self.push(&Event::of_server("FoldUnprovenCalls", Who::Server, json!({ "calls": folded })));
        }
    }

    fn push(&mut self, event: &Event) {
        let day = event.at.to_zoned(TimeZone::UTC).date().max(self.log.day);
        if day != self.day && !self.lines.is_empty() {
            self.write();
        }
        self.day = day;
        let start = self.lines.len();
        event.write(&self.log.head.hash, &mut self.lines);
        self.log.head.seal(&self.log.node, &mut self.lines, start);
        self.held += 1;
    }

    /// Writes what is held, and what is to be told of it.
    fn settle(&mut self, ended: bool) {
        if ended || self.unproven.second != Timestamp::now().as_second() {
            self.tell_folded();
        }
        if !self.lines.is_empty() {
            self.write();
        }
        let lost = self.shared.lost.load(Relaxed);
        if lost > self.told_lost {
            let facts = json!({ "records": lost - self.told_lost });
            self.told_lost = lost;
            self.push(&Event::of_server("LoseAuditRecords", Who::Server, facts));
            self.write();
        }
        if self.pruned != self.log.day {
            self.pruned = self.log.day;
            self.prune();
        }
    }

    /// Writes until it is written: what waits behind it fills the channel, and [`super::Audit`] knows what then.
    fn write(&mut self) {
        while let Err(error) = self.log.append(self.day, &self.lines) {
            if !self.shared.failing.swap(true, Relaxed) {
                let refused = self.shared.refuse.load(Relaxed);
                tracing::error!(%error, calls_are_refused = refused, "the audit trail cannot be written");
            }
            std::thread::sleep(AGAIN);
        }
        if self.shared.failing.swap(false, Relaxed) {
            tracing::warn!("the audit trail can be written again");
        }
        self.shared.written.fetch_add(std::mem::take(&mut self.held), Relaxed);
        self.lines.clear();
        self.dirty = true;
    }

    fn sync(&mut self, now: bool) {
        if self.dirty && (now || self.synced.elapsed() >= SYNC) {
            if let Err(error) = self.log.sync() {
                tracing::error!(%error, "the audit trail may not survive a loss of power");
            }
            (self.dirty, self.synced) = (false, Instant::now());
        }
    }

    fn prune(&mut self) {
        let days = self.shared.retention_days.load(Relaxed);
        let oldest = (days > 0).then(|| self.log.day.checked_sub(i64::from(days).days()).ok()).flatten();
        let Some(oldest) = oldest else { return };
        let pruned: io::Result<_> = self.log.prune(oldest);
        match pruned {
            Ok(None) => {}
            Ok(Some(anchor)) => {
                let facts =
                    json!({ "before": oldest.to_string(), "lastSequence": anchor.sequence, "lastHash": anchor.hash });
                self.push(&Event::of_server("PruneAuditTrail", Who::Server, facts));
                self.write();
            }
            Err(error) => tracing::error!(%error, "old audit records cannot be removed"),
        }
    }
}

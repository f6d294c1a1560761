//! A call that was let in: what it has reserved, for as long as it runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use futures_util::future::select_all;
use outcrop_api::{Fault, Kind};
use tokio_util::sync::CancellationToken;

use super::account::Book;
use super::purse::Purse;
use super::rule::Rule;
use super::settings::{MOST, Unit, nanos, whole};
use super::{Mark, Shared, lease};
use crate::Spent;

/// Holds what a call may take out of every budget that counts it. To be [settled](Hold::settle) when the call is over.
/// Dropped before, it counts its prompt and what was [noted](Hold::note): what a provider was asked for is never free.
#[derive(Debug)]
#[must_use = "what it reserves is counted as spent when this is dropped"]
pub struct Hold {
    shares: Vec<Share>,
    input: u64,
    output: u64,
    noted: AtomicU64,
    /// Every budget has let the call in.
    begun: bool,
}

/// What one budget has reserved.
pub(super) struct Share {
    pub(super) shared: Arc<Shared>,
    pub(super) rule: Arc<Rule>,
    pub(super) book: Arc<Book>,
    pub(super) purse: Arc<Purse>,
    pub(super) most: i64,
    pub(super) noted: AtomicI64,
    pub(super) cut: CancellationToken,
}

/// Fires when a call has to end because a budget is at its hard limit.
#[derive(Clone)]
pub struct Cut(Vec<(CancellationToken, Fault)>);

impl Hold {
    pub(super) fn new(input: u64, output: u64) -> Self {
        Self { shares: Vec::new(), input, output, noted: AtomicU64::new(0), begun: false }
    }

    pub(super) fn add(&mut self, share: Share) {
        self.shares.push(share);
    }

    pub(super) fn begun(mut self) -> Self {
        self.begun = true;
        self
    }

    /// Whether no budget counts the call.
    pub fn is_free(&self) -> bool {
        self.shares.is_empty()
    }

    /// What ends the call before its time.
    pub fn cut(&self) -> Cut {
        Cut(self.shares.iter().map(|share| (share.cut.clone(), share.cut_fault())).collect())
    }

    /// The call has written `output` tokens so far. An error where it has to end. Cheap: to be called for every piece of
    /// an answer.
    pub fn note(&self, output: u64) -> Result<(), Fault> {
        if self.shares.is_empty() || self.noted.fetch_max(output, Ordering::Relaxed) >= output {
            return Ok(());
        }
        for share in &self.shares {
            let now = share.charge(self.input, self.output, output);
            let more = now.saturating_sub(share.noted.fetch_max(now, Ordering::Relaxed)).max(0);
            let hard = share.purse.note(more, share.rule.hard);
            if hard && !share.cut.is_cancelled() {
                share.purse.cut();
                share.tell(Mark::Cut);
            }
        }
        match self.shares.iter().find(|share| share.cut.is_cancelled()) {
            Some(share) => Err(share.cut_fault()),
            None => Ok(()),
        }
    }

    /// The call is over and took this. Only the first word counts.
    pub fn settle(&mut self, spent: &Spent) {
        let (input, output) = (self.input, self.output);
        for share in std::mem::take(&mut self.shares) {
            let read = spent.input.saturating_add(spent.cache_read).saturating_add(spent.cache_write);
            let took = match (share.rule.unit(), spent.cost) {
                (Unit::Tokens, _) => whole(read.saturating_add(spent.output)),
                (Unit::Usd, Some(cost)) => nanos(cost),
                // It had a price when it began, and is not free because it has none now.
                (Unit::Usd, None) => share.charge(input.max(read), output, spent.output),
            };
            share.settle(took);
        }
    }

    /// The call never reached a provider: everything is given back.
    pub fn unused(&mut self) {
        for share in std::mem::take(&mut self.shares) {
            share.settle(0);
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if !self.begun {
            return self.unused();
        }
        let noted = *self.noted.get_mut();
        let (input, output) = (self.input, self.output);
        for share in std::mem::take(&mut self.shares) {
            let took = share.charge(input, output, noted);
            share.settle(took);
        }
    }
}

impl std::fmt::Debug for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Share")
            .field("budget", &self.rule.budget.name)
            .field("most", &self.most)
            .finish_non_exhaustive()
    }
}

impl Share {
    /// What so many tokens count, never too little. The prices of tokens that are read and written are not known
    /// apart here. Writing costs no less than reading, so a prompt costs at most its part of all tokens, and a token
    /// that is written at most what it would if the prompt were free.
    fn charge(&self, input: u64, output: u64, written: u64) -> i64 {
        if self.rule.unit() == Unit::Tokens {
            return whole(input.saturating_add(written));
        }
        let most = u128::from(self.most.unsigned_abs());
        let part = |of: u64, all: u64| if all == 0 { most } else { (most * u128::from(of)).div_ceil(u128::from(all)) };
        let prompt = part(input, input.saturating_add(output));
        let answer = if written == 0 { 0 } else { part(written, output) };
        // Who writes no more than it may costs no more than it may.
        let sum = if written <= output { (prompt + answer).min(most) } else { prompt + answer };
        i64::try_from(sum).unwrap_or(MOST).min(MOST)
    }

    fn settle(mut self, took: i64) {
        let noted = *self.noted.get_mut();
        let (passed, correct) = self.purse.settle(self.most, noted, took, self.rule.limit, &self.rule.marks);
        for index in passed {
            self.tell(Mark::Share(self.rule.share(index)));
        }
        if correct {
            let counter = self.rule.counter(&self.shared, &self.book, &self.purse);
            lease::begin(&counter, &self.purse, lease::Why::Correct, &self.shared.handle);
        }
    }

    fn tell(&self, mark: Mark) {
        self.rule.tell(&self.shared, &self.book, &self.purse, mark);
    }

    fn cut_fault(&self) -> Fault {
        let whose = self.rule.whose(&self.purse);
        let hard = self.rule.unit().shown(self.rule.hard);
        let text = format!("The answer was cut: {whose} has reached {hard}, the hard limit for running calls.");
        Fault::new(Kind::Throttling, text)
    }
}

impl Cut {
    /// Waits until the call has to end; the error says why. Waits for ever where no budget counts the call.
    pub async fn cancelled(&self) -> Fault {
        match &self.0[..] {
            [] => std::future::pending().await,
            [(token, fault)] => {
                token.cancelled().await;
                fault.clone()
            }
            many => {
                let all = many.iter().map(|(token, _)| Box::pin(token.cancelled()));
                let ((), index, _) = select_all(all).await;
                many.get(index).map_or_else(|| Fault::new(Kind::Throttling, ""), |(_, fault)| fault.clone())
            }
        }
    }
}

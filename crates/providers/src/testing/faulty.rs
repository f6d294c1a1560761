//! A loopback upstream that speaks chat completions, whole and streamed, and breaks as networks and servers do.
//!
//! Which call breaks and how follows from the seed and the call's number alone, so that a run can be had again. An answer
//! that does not break repeats what was asked, so that a reader can tell whose answer it holds and whether it is whole.

mod answer;
mod exchange;
mod fault;
#[cfg(test)]
mod tests;

pub use answer::text;
pub use fault::Fault;

use exchange::Exchange;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

/// How an upstream behaves.
#[derive(Debug, Clone)]
pub struct Options {
    /// Decides which calls break.
    pub seed: u64,
    /// The part of the calls that break, from 0 to 1.
    pub probability: f64,
    /// The faults, each as likely as the others.
    pub faults: Vec<Fault>,
    /// What a streamed answer has sent of its pieces before it breaks.
    pub pieces_before: usize,
    /// What `Retry-After` says, in seconds.
    pub retry_after: u32,
    /// The length of the line of [`Fault::LongLine`].
    pub line_bytes: usize,
    /// The one key that is taken; any, where there is none. The refusal of another repeats it, as some servers do.
    pub key: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 0,
            probability: 0.0,
            faults: Fault::ALL.to_vec(),
            pieces_before: 0,
            retry_after: 1,
            line_bytes: 10_000_000,
            key: None,
        }
    }
}

impl Options {
    /// An upstream whose calls all go well.
    pub fn healthy() -> Self {
        Self::default()
    }

    /// An upstream whose calls all break like this.
    pub fn always(fault: Fault) -> Self {
        Self { probability: 1.0, faults: vec![fault], ..Self::default() }
    }

    /// What happens to the call with this number.
    fn fault(&self, call: u64) -> Option<Fault> {
        let drawn = mix(self.seed.wrapping_add(call.wrapping_mul(GOLDEN)));
        // 53 bits are what a double holds exactly.
        let part = (drawn >> 11) as f64 / (1_u64 << 53) as f64;
        if part >= self.probability || self.faults.is_empty() {
            return None;
        }
        let which = mix(drawn) % self.faults.len() as u64;
        self.faults.get(which as usize).copied()
    }
}

/// The step of SplitMix64.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The finish of SplitMix64: a number whose every bit depends on every bit of `x`.
fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(GOLDEN);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// A running upstream. Dropping it closes its port.
#[derive(Debug)]
pub struct Upstream {
    url: String,
    counts: Arc<Counts>,
    task: AbortHandle,
}

/// What an upstream has done so far.
#[derive(Debug, Default)]
struct Counts {
    calls: AtomicU64,
    whole: AtomicU64,
    refused: AtomicU64,
    faults: [AtomicU64; Fault::ALL.len()],
}

impl Upstream {
    /// Listens on a free port of the loopback.
    pub async fn start(options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/v1", listener.local_addr()?);
        let counts = Arc::new(Counts::default());
        let (options, shared) = (Arc::new(options), counts.clone());
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (options, counts) = (options.clone(), shared.clone());
                // A client that goes away in mid-answer is what is tested here.
                tokio::spawn(async move { Exchange::new(stream).serve(&options, &counts).await });
            }
        });
        Ok(Self { url, counts, task: task.abort_handle() })
    }

    /// `http://127.0.0.1:PORT/v1`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Calls that reached it.
    pub fn calls(&self) -> u64 {
        self.counts.calls.load(Ordering::Relaxed)
    }

    /// Calls that it answered to the last byte. That a client has read them does not follow.
    pub fn whole(&self) -> u64 {
        self.counts.whole.load(Ordering::Relaxed)
    }

    /// Calls that came with another key than the one it takes.
    pub fn refused(&self) -> u64 {
        self.counts.refused.load(Ordering::Relaxed)
    }

    /// Calls that broke like this.
    pub fn broken(&self, fault: Fault) -> u64 {
        self.counts.faults[fault as usize].load(Ordering::Relaxed)
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

//! What a call leaves to be logged: its bytes as they came and went, by reference.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::Sender;

use bytes::Bytes;
use jiff::Timestamp;
use outcrop_access::Context;

use super::operations::Kept;
use super::{InvocationLogs, Message, Shared};

/// A call that begins.
#[derive(Debug)]
pub struct Call<'a> {
    /// The operation's name, or the door's.
    pub operation: &'static str,
    /// The model as the path names it; none where the body does.
    pub model_id: Option<String>,
    /// The body's type.
    pub content_type: Option<&'a str>,
    /// `X-Amzn-Bedrock-Request-Metadata`.
    pub metadata: Option<&'a str>,
    /// The body.
    pub body: &'a Bytes,
}

/// All of one call. Delivered when it is dropped.
#[derive(Debug)]
pub struct Tap {
    job: Option<Box<Job>>,
    sender: Sender<Message>,
    shared: Arc<Shared>,
    /// There was no room for all of it.
    cut: bool,
}

#[derive(Debug)]
pub(super) struct Job {
    pub kept: Arc<Kept>,
    pub at: Timestamp,
    pub account: String,
    pub region: String,
    pub request_id: String,
    pub arn: String,
    pub operation: &'static str,
    pub model_id: Option<String>,
    pub metadata: Option<String>,
    pub input_type: Option<String>,
    pub input: Bytes,
    pub output_type: Option<String>,
    pub output: Vec<Bytes>,
    /// Input, output, cache read, cache written: as the answer's headers say.
    pub counts: [Option<u64>; 4],
    pub error: Option<String>,
    /// Bytes that were taken of the room there is.
    pub held: usize,
}

impl InvocationLogs {
    /// What keeps a call of the caller's account; none where it is not logged, and nothing is kept.
    pub fn begin<'a>(&self, cx: &Context, call: impl FnOnce() -> Call<'a>) -> Option<Tap> {
        let kept = self.of(&cx.caller.account, &cx.region)?;
        let call = call();
        let job = Job {
            kept,
            at: Timestamp::now(),
            account: cx.caller.account.clone(),
            region: cx.region.clone(),
            request_id: cx.request_id.clone(),
            arn: cx.caller.arn.clone(),
            operation: call.operation,
            model_id: call.model_id,
            metadata: call.metadata.map(str::to_owned),
            input_type: call.content_type.map(str::to_owned),
            input: call.body.clone(),
            output_type: None,
            output: Vec::new(),
            counts: [None; 4],
            error: None,
            held: 0,
        };
        let (sender, shared) = (self.jobs.clone(), Arc::clone(&self.shared));
        let mut tap = Tap { job: Some(Box::new(job)), sender, shared, cut: false };
        tap.hold(call.body.len());
        Some(tap)
    }
}

impl Tap {
    /// The head of the answer: its type, and a look at its headers.
    pub fn head<'h>(&mut self, header: impl Fn(&'static str) -> Option<&'h str>) {
        let Some(job) = &mut self.job else { return };
        job.output_type = header("content-type").map(str::to_owned);
        job.error = header("x-amzn-errortype").map(str::to_owned);
        let names = [
            "x-amzn-bedrock-input-token-count",
            "x-amzn-bedrock-output-token-count",
            "x-amzn-bedrock-cache-read-input-token-count",
            "x-amzn-bedrock-cache-write-input-token-count",
        ];
        job.counts = names.map(|name| header(name).and_then(|count| count.parse().ok()));
    }

    /// A piece of the answer.
    pub fn piece(&mut self, piece: &Bytes) {
        self.hold(piece.len());
        if let Some(job) = self.job.as_mut().filter(|_| !self.cut) {
            job.output.push(piece.clone());
        }
    }

    /// The call failed with this exception before there was an answer.
    pub fn failed(&mut self, error: &str) {
        if let Some(job) = &mut self.job {
            job.error = Some(error.to_owned());
        }
    }

    fn hold(&mut self, bytes: usize) {
        let Some(job) = self.job.as_mut().filter(|_| !self.cut) else { return };
        job.held += bytes;
        let waiting = self.shared.waiting.fetch_add(bytes, Relaxed) + bytes;
        if waiting > self.shared.most.load(Relaxed) {
            self.cut = true;
            // Half a body is none.
            job.output = Vec::new();
            job.input = Bytes::new();
        }
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        let Some(job) = self.job.take() else { return };
        let held = job.held;
        let config = job.kept.config.clone();
        if !self.cut && self.sender.send(Message::Job(job)).is_ok() {
            return;
        }
        self.shared.waiting.fetch_sub(held, Relaxed);
        let Some(config) = config else { return };
        for (count, asked) in
            [(&self.shared.s3, config.bucket.is_some()), (&self.shared.cloud_watch, config.log_group.is_some())]
        {
            if asked {
                count.add(false, 1);
            }
        }
        let lost = self.shared.s3.failure.load(Relaxed) + self.shared.cloud_watch.failure.load(Relaxed);
        if lost.is_power_of_two() {
            tracing::error!(lost, "invocation logs were lost: they come faster than they can be written");
        }
    }
}

//! An answer that comes in pieces.
//!
//! `sync`: text waits until nothing that is to be masked or blocked can begin in it, and for a judgement of its meaning
//! a window long. `async`: text goes on as it comes, and a judgement that is a block cuts what comes behind it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use outcrop_api::bedrock_runtime::{
    ContentBlockDelta, ContentBlockDeltaEvent, ContentBlockStopEvent, ConverseStreamOutput, ConverseStreamTrace,
    MessageStopEvent, StopReason,
};
use outcrop_api::{Events, Fault, Kind};
use outcrop_dialects::converse::text_delta;
use outcrop_guard::stream::{Pace, Step, Stream};
use outcrop_guard::{Acted, Side};
use outcrop_guardrails::{GuardrailsError, Judgement, Work};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::Passed;
use super::told::Output;

/// A model that is done soon tells what it took; from another that is not awaited.
const PATIENCE: Duration = Duration::from_secs(2);

/// `events` as the caller may see them. `enough` is cancelled where no more of them are wanted.
pub(crate) fn stream(
    passed: Arc<Passed>,
    events: Events<ConverseStreamOutput>,
    enough: CancellationToken,
) -> Events<ConverseStreamOutput> {
    let output = Output { said: passed.applied.iter().map(|_| Vec::new()).collect(), ..Output::default() };
    if passed.blocked {
        return events;
    }
    let (out, whole) = (VecDeque::new(), String::new());
    let state = Guarding { passed, events, enough, output, open: None, out, phase: Phase::On, whole };
    futures_util::stream::unfold(state, |mut state| async move { state.next().await.map(|event| (event, state)) })
        .boxed()
}

struct Guarding {
    passed: Arc<Passed>,
    events: Events<ConverseStreamOutput>,
    enough: CancellationToken,
    output: Output,
    /// The text that is arriving.
    open: Option<Open>,
    out: VecDeque<Result<ConverseStreamOutput, Fault>>,
    phase: Phase,
    /// What the model said.
    whole: String,
}

#[derive(PartialEq)]
enum Phase {
    On,
    /// Blocked: only what it took is still of interest.
    Cut,
    Over,
}

/// One text block.
struct Open {
    index: i32,
    judge: Judge,
    /// Some of it went on.
    told: bool,
    /// What came behind held text.
    behind: Vec<ConverseStreamOutput>,
}

/// Who judges it.
enum Judge {
    Here(Box<Stream>),
    /// Beside the answer, with what arrived meanwhile.
    Beside(JoinHandle<Result<Came, Fault>>, String),
    /// A judgement failed.
    Lost,
}

/// What came of a piece of text, and what each guardrail said of it, by its place.
type Came = (Box<Stream>, Step, Vec<(usize, Judgement)>);

enum Arrived {
    Event(Option<Result<ConverseStreamOutput, Fault>>),
    Judged(Result<Came, Fault>),
}

impl Guarding {
    async fn next(&mut self) -> Option<Result<ConverseStreamOutput, Fault>> {
        loop {
            if let Some(event) = self.out.pop_front() {
                return Some(event);
            }
            if self.phase == Phase::Over {
                return None;
            }
            let handled = match self.arrives().await {
                Arrived::Judged(came) => self.judged(came),
                Arrived::Event(None) => {
                    self.phase = Phase::Over;
                    Ok(())
                }
                Arrived::Event(Some(Err(fault))) => {
                    self.phase = Phase::Over;
                    return Some(Err(fault));
                }
                Arrived::Event(Some(Ok(event))) => self.takes(event).await,
            };
            if let Err(fault) = handled {
                self.phase = Phase::Over;
                return Some(Err(self.passed.judged.failed(fault)));
            }
        }
    }

    /// What comes first: an event, or a judgement.
    async fn arrives(&mut self) -> Arrived {
        let Self { events, open, enough, phase, .. } = self;
        if *phase == Phase::Cut {
            return match tokio::time::timeout(PATIENCE, events.next()).await {
                Ok(event) => Arrived::Event(event),
                Err(_) => {
                    enough.cancel();
                    Arrived::Event(events.next().await)
                }
            };
        }
        match open {
            Some(Open { judge: Judge::Beside(job, _), .. }) => tokio::select! {
                biased;
                came = job => Arrived::Judged(came.unwrap_or_else(|error| Err(lost(&error)))),
                event = events.next() => Arrived::Event(event),
            },
            _ => Arrived::Event(events.next().await),
        }
    }

    async fn takes(&mut self, event: ConverseStreamOutput) -> Result<(), Fault> {
        if let Some(text) = text_delta(&event) {
            self.whole.push_str(text);
        }
        match event {
            ConverseStreamOutput::Metadata(_) => {
                self.ends(event);
                Ok(())
            }
            _ if self.phase == Phase::Cut => Ok(()),
            ConverseStreamOutput::ContentBlockDelta(ContentBlockDeltaEvent {
                delta: ContentBlockDelta::Text(text),
                content_block_index,
            }) => {
                if self.open.as_ref().is_some_and(|open| open.index != content_block_index) {
                    self.finish().await?;
                    if self.phase == Phase::Cut {
                        return Ok(());
                    }
                }
                self.text(content_block_index, text).await
            }
            ConverseStreamOutput::ContentBlockDelta(delta)
                if self.open.as_ref().is_some_and(|open| open.index == delta.content_block_index) =>
            {
                let event = ConverseStreamOutput::ContentBlockDelta(delta);
                match &mut self.open {
                    Some(open) if !self.passed.asynchronous => open.behind.push(event),
                    _ => self.out.push_back(Ok(event)),
                }
                Ok(())
            }
            event => {
                self.finish().await?;
                if self.phase == Phase::On {
                    self.out.push_back(Ok(self.stops(event)));
                }
                Ok(())
            }
        }
    }

    /// The reason of an answer that was changed.
    fn stops(&self, mut event: ConverseStreamOutput) -> ConverseStreamOutput {
        if let ConverseStreamOutput::MessageStop(stop) = &mut event
            && self.output.acted != Acted::None
        {
            stop.stop_reason = StopReason::GuardrailIntervened;
        }
        event
    }

    /// The last event, with the trace.
    fn ends(&mut self, mut event: ConverseStreamOutput) {
        if let ConverseStreamOutput::Metadata(metadata) = &mut event {
            let mut output = std::mem::take(&mut self.output);
            if output.acted != Acted::None {
                output.original.push(std::mem::take(&mut self.whole));
            }
            if let Some(told) = self.passed.told(Some(output)) {
                let trace = metadata.trace.take().unwrap_or_default();
                metadata.trace = Some(ConverseStreamTrace { guardrail: Some(told), ..trace });
            }
        }
        self.out.push_back(Ok(event));
        self.phase = Phase::Over;
    }

    async fn text(&mut self, index: i32, text: String) -> Result<(), Fault> {
        let passed = &self.passed;
        let open = self.open.get_or_insert_with(|| Open {
            index,
            judge: Judge::Here(Box::new(passed.watch())),
            told: false,
            behind: Vec::new(),
        });
        if passed.asynchronous {
            open.told = true;
            self.out.push_back(Ok(delta(index, text.clone())));
            match std::mem::replace(&mut open.judge, Judge::Lost) {
                Judge::Here(stream) => {
                    open.judge =
                        Judge::Beside(tokio::spawn(beside(Arc::clone(passed), stream, Some(text))), String::new());
                }
                Judge::Beside(job, waiting) => open.judge = Judge::Beside(job, waiting + &text),
                Judge::Lost => {}
            }
            return Ok(());
        }
        let Judge::Here(mut stream) = std::mem::replace(&mut open.judge, Judge::Lost) else { return Ok(()) };
        // Judging what a text means takes a processor's time; looking at words does not.
        let (stream, step, said) = match stream.judges(&text) {
            true => beside(Arc::clone(passed), stream, Some(text)).await?,
            false => {
                let began = Instant::now();
                let step = stream.push(&text);
                said(passed, stream, step, began.elapsed()).await
            }
        };
        open.judge = Judge::Here(stream);
        self.step(step, said)
    }

    /// A judgement beside the answer is here.
    fn judged(&mut self, came: Result<Came, Fault>) -> Result<(), Fault> {
        let (stream, step, said) = came?;
        let Some(open) = &mut self.open else { return Ok(()) };
        open.judge = match std::mem::replace(&mut open.judge, Judge::Lost) {
            Judge::Beside(_, waiting) if !waiting.is_empty() => {
                let job = beside(Arc::clone(&self.passed), stream, Some(waiting));
                Judge::Beside(tokio::spawn(job), String::new())
            }
            _ => Judge::Here(stream),
        };
        self.step(step, said)
    }

    /// The text is whole.
    async fn finish(&mut self) -> Result<(), Fault> {
        while let Some(Open { judge: Judge::Beside(job, _), .. }) = &mut self.open {
            let came = job.await;
            self.judged(came.unwrap_or_else(|error| Err(lost(&error))))?;
        }
        let Some(open) = &mut self.open else { return Ok(()) };
        let Judge::Here(stream) = std::mem::replace(&mut open.judge, Judge::Lost) else { return Ok(()) };
        let (stream, step, said) = beside(Arc::clone(&self.passed), stream, None).await?;
        open.judge = Judge::Here(stream);
        self.step(step, said)?;
        if let Some(open) = self.open.take() {
            self.out.extend(open.behind.into_iter().map(Ok));
        }
        Ok(())
    }

    /// What came of a piece of text.
    fn step(&mut self, step: Step, said: Vec<(usize, Judgement)>) -> Result<(), Fault> {
        if let Some((at, failed)) = step.failed {
            let applied = self.passed.applied.get(at);
            let arn = applied.map(|applied| applied.arn.clone()).unwrap_or_default();
            tracing::error!(guardrail = arn, %failed, "an answer could not be judged");
            if !applied.is_some_and(|applied| applied.judges.lets_through()) {
                let error = GuardrailsError::Failed { arn, reason: failed.to_string() };
                return Err(super::refused(error));
            }
        }
        let Some(open) = &mut self.open else { return Ok(()) };
        let (index, asynchronous) = (open.index, self.passed.asynchronous);
        let mut blocks = None;
        for (at, judgement) in said {
            // Nothing is masked of what has gone on already.
            if !asynchronous || judgement.acted() == Acted::Blocked {
                self.output.acted = self.output.acted.max(judgement.acted());
                self.passed.changed.fetch_or(judgement.acted() == Acted::Blocked, Relaxed);
            }
            if judgement.acted() == Acted::Blocked {
                blocks = blocks.min(Some(at)).or(Some(at));
            }
            if let Some(said) = self.output.said.get_mut(at) {
                said.push(judgement);
            }
        }
        if !asynchronous && !step.text.is_empty() {
            open.told = true;
            self.passed.changed.fetch_or(step.masked, Relaxed);
            self.out.push_back(Ok(delta(index, step.text)));
        }
        if step.blocked {
            self.block(blocks);
        }
        Ok(())
    }

    /// Ends the answer with what is said instead of it.
    fn block(&mut self, by: Option<usize>) {
        let Some(open) = self.open.take() else { return };
        let applied = by.and_then(|at| self.passed.applied.get(at));
        let text = applied.map_or("", |applied| applied.blocked(Side::Output)).to_owned();
        let stop = |index| ConverseStreamOutput::ContentBlockStop(ContentBlockStopEvent { content_block_index: index });
        let mut index = open.index;
        if open.told {
            // What went on stays what it is; the message is a block of its own.
            self.out.push_back(Ok(stop(index)));
            index = index.saturating_add(1);
        }
        self.out.push_back(Ok(delta(index, text)));
        self.out.push_back(Ok(stop(index)));
        self.out.push_back(Ok(ConverseStreamOutput::MessageStop(MessageStopEvent {
            stop_reason: StopReason::GuardrailIntervened,
            ..MessageStopEvent::default()
        })));
        self.output.acted = Acted::Blocked;
        self.phase = Phase::Cut;
    }
}

impl Passed {
    /// The watch over one text of the answer.
    fn watch(&self) -> Stream {
        let guards = self.applied.iter().map(|applied| Arc::clone(&applied.guard));
        // A model is asked about whole windows only, so nothing of one goes on before.
        let first = if self.applied.iter().any(|applied| applied.asks(Side::Output)) {
            self.pace.window
        } else {
            self.pace.first
        };
        let how = self.applied.first().map(|applied| applied.how).unwrap_or_default();
        Stream::new(guards, self.beside.clone(), Pace { first, ..self.pace }).judged(how)
    }
}

/// Judges with `text`, or all that there is where no more comes, when a processor is free for it.
async fn beside(passed: Arc<Passed>, mut stream: Box<Stream>, text: Option<String>) -> Result<Came, Fault> {
    let Some(judges) = passed.applied.first().map(|applied| applied.judges.clone()) else {
        return Ok((stream, Step::default(), Vec::new()));
    };
    let meant = passed.applied.iter().any(|applied| applied.guard.judges(Side::Output));
    let judged = judges.run(if meant { Work::Short } else { Work::Quick }, move |_| {
        let began = Instant::now();
        let step = match text {
            Some(text) => stream.push(&text),
            None => stream.finish(),
        };
        (stream, step, began.elapsed())
    });
    let (stream, step, took) = judged.await.map_err(|error| lost(&error))?;
    Ok(said(&passed, stream, step, took).await)
}

/// What the guardrails say of the windows that were judged, with the models that they ask.
async fn said(passed: &Passed, stream: Box<Stream>, mut step: Step, took: Duration) -> Came {
    let mut all = Vec::new();
    for said in std::mem::take(&mut step.assessed) {
        let Some(applied) = passed.applied.get(said.guard) else { continue };
        let text = stream.text().get(said.window).unwrap_or_default();
        let judgement = applied.window(text, said.found, took).await;
        passed.judged.add(&judgement);
        if judgement.acted() == Acted::Blocked && !step.blocked {
            (step.blocked, step.text) = (true, String::new());
        }
        all.push((said.guard, judgement));
    }
    (stream, step, all)
}

fn delta(content_block_index: i32, text: String) -> ConverseStreamOutput {
    ConverseStreamOutput::ContentBlockDelta(ContentBlockDeltaEvent {
        delta: ContentBlockDelta::Text(text),
        content_block_index,
    })
}

/// A judgement that panicked or was not let begin: nothing may go on.
fn lost(error: &dyn std::fmt::Display) -> Fault {
    tracing::error!(%error, "a guardrail's judgement was lost");
    Fault::new(Kind::ServiceUnavailable, "A guardrail could not judge the answer, so nothing more was let through.")
}

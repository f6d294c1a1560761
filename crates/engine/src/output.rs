//! From the bytes of tokens to events: characters are put together, tool calls recognised, stop sequences held
//! back. Knows no model, so every rule is tested with plain strings.

mod calls;
mod format;
mod stop;
mod tail;
mod utf8;

use crate::generate::Event;
pub(crate) use calls::{CALL_CLOSE, call_header};
use calls::{ForcedCalls, FreeCalls, Piece};
pub(crate) use format::{CallFormat, MARKERS};
use stop::StopMatcher;
use tail::TailCalls;
use utf8::Utf8;

/// What the answer may contain.
pub(crate) enum Expect {
    /// Text alone.
    Text,
    /// Text and, as the model likes, calls of these tools, written so.
    TextAndCalls(Vec<String>, CallFormat),
    /// By grammar, a call.
    Call,
    /// By grammar, a JSON text or a call.
    JsonOrCall,
}

/// One answer on its way to the caller.
pub(crate) struct Output {
    utf8: Utf8,
    stop: StopMatcher,
    form: Form,
    calls: u32,
}

enum Form {
    Text,
    Free(FreeCalls),
    Tail(TailCalls),
    Forced(ForcedCalls),
    /// Decided by the first character.
    JsonOrCall,
}

impl Output {
    pub(crate) fn new(expect: Expect, stop: &[String]) -> Self {
        let form = match expect {
            Expect::Text => Form::Text,
            Expect::TextAndCalls(tools, CallFormat::Hermes) => Form::Free(FreeCalls::new(tools)),
            Expect::TextAndCalls(tools, format) => Form::Tail(TailCalls::new(tools, format)),
            Expect::Call => Form::Forced(ForcedCalls::default()),
            Expect::JsonOrCall => Form::JsonOrCall,
        };
        Self { utf8: Utf8::default(), stop: StopMatcher::new(stop), form, calls: 0 }
    }

    /// Whether control tokens that open a call are to be seen here.
    pub(crate) fn reads_markers(&self) -> bool {
        matches!(self.form, Form::Free(_) | Form::Tail(_))
    }

    /// Whether a tool was called.
    pub(crate) fn called(&self) -> bool {
        self.calls > 0
    }

    /// Whether a call that the grammar enforces has all its arguments: what is left of it says nothing.
    pub(crate) fn complete(&self) -> bool {
        matches!(&self.form, Form::Forced(calls) if calls.over())
    }

    /// Takes the bytes of one token. Answers the stop sequence that ends the answer, if one does.
    pub(crate) fn push(&mut self, bytes: &[u8], events: &mut Vec<Event>) -> Option<String> {
        let text = self.utf8.push(bytes);
        if text.is_empty() {
            return None;
        }
        if matches!(self.form, Form::JsonOrCall) {
            self.form = if text.starts_with('<') { Form::Forced(ForcedCalls::default()) } else { Form::Text };
        }
        let mut pieces = Vec::new();
        match &mut self.form {
            Form::Text | Form::JsonOrCall => pieces.push(Piece::Text(text)),
            Form::Free(calls) => calls.push(&text, &mut pieces),
            Form::Tail(calls) => calls.push(&text, &mut pieces),
            Form::Forced(calls) => calls.push(&text, &mut pieces),
        }
        self.emit(pieces, events)
    }

    /// The model has ended, or was cut: what was held back is part of the answer after all.
    pub(crate) fn finish(&mut self, events: &mut Vec<Event>) -> Option<String> {
        let mut pieces = Vec::new();
        match &mut self.form {
            Form::Text | Form::JsonOrCall => {}
            Form::Free(calls) => calls.finish(&mut pieces),
            Form::Tail(calls) => calls.finish(&mut pieces),
            Form::Forced(calls) => calls.finish(&mut pieces),
        }
        let stopped = self.emit(pieces, events);
        if stopped.is_none() {
            text_event(self.stop.finish(), events);
        }
        stopped
    }

    fn emit(&mut self, pieces: Vec<Piece>, events: &mut Vec<Event>) -> Option<String> {
        for piece in pieces {
            match piece {
                Piece::Text(text) => {
                    let (text, stopped) = self.stop.push(&text);
                    text_event(text, events);
                    if stopped.is_some() {
                        return stopped;
                    }
                }
                // A stop sequence ends text; inside a call it would only break the call's JSON.
                Piece::CallStart(name) => {
                    text_event(self.stop.finish(), events);
                    self.calls += 1;
                    events.push(Event::ToolCallStart { name });
                }
                Piece::CallArguments(fragment) => events.push(Event::ToolCallArguments(fragment)),
                Piece::CallEnd => events.push(Event::ToolCallEnd),
            }
        }
        None
    }
}

fn text_event(text: String, events: &mut Vec<Event>) {
    if text.is_empty() {
        return;
    }
    match events.last_mut() {
        Some(Event::Text(before)) => before.push_str(&text),
        _ => events.push(Event::Text(text)),
    }
}

#[cfg(test)]
mod tests;

//! A streamed answer, chunk by chunk.

use std::borrow::Cow;

use outcrop_api::bedrock_runtime::*;

use super::calls::Calls;
use super::shapes::{CallDelta, Choice, Count, Ending, Usage, frame, tokens};
use super::think::{Kind, Splitter};
use super::{Quirks, refusal};
use crate::client::{MakeId, ReadError, StreamReader};

/// Reads one answer.
pub(super) struct Reader {
    split: Splitter,
    calls: Calls,
    blocks: Blocks,
    /// Text that came while a call was not whole.
    late: Vec<(Kind, String)>,
    ending: Option<Ending>,
    usage: Option<Usage>,
    refused: bool,
    /// Bytes of the answer, to guess its tokens where nobody counts them.
    written: usize,
    over: bool,
}

/// Blocks as Converse tells them.
#[derive(Default)]
struct Blocks {
    begun: bool,
    /// That of the open block, or of the next.
    index: i32,
    open: Option<Kind>,
}

pub(super) fn stop(index: i32) -> ConverseStreamOutput {
    ConverseStreamOutput::ContentBlockStop(ContentBlockStopEvent { content_block_index: index })
}

impl Blocks {
    /// The message begins with its first block, not with the first chunk, which says no more than that somebody
    /// listens: until then another provider may be asked.
    fn begin(&mut self, out: &mut Vec<ConverseStreamOutput>) {
        if !self.begun {
            self.begun = true;
            out.push(ConverseStreamOutput::MessageStart(MessageStartEvent { role: ConversationRole::Assistant }));
        }
    }

    fn say(&mut self, kind: Kind, text: String, out: &mut Vec<ConverseStreamOutput>) {
        self.begin(out);
        if self.open != Some(kind) {
            self.close(out);
            self.open = Some(kind);
        }
        let delta = match kind {
            Kind::Text => ContentBlockDelta::Text(text),
            Kind::Reasoning => ContentBlockDelta::ReasoningContent(ReasoningContentBlockDelta::Text(text)),
        };
        out.push(ConverseStreamOutput::ContentBlockDelta(ContentBlockDeltaEvent {
            delta,
            content_block_index: self.index,
        }));
    }

    fn close(&mut self, out: &mut Vec<ConverseStreamOutput>) {
        if self.open.take().is_some() {
            out.push(stop(self.index));
            self.index += 1;
        }
    }
}

impl Reader {
    pub(super) fn new(quirks: &Quirks, make_id: MakeId) -> Self {
        Self {
            split: Splitter::new(quirks.think_tags),
            calls: Calls::new(make_id),
            blocks: Blocks::default(),
            late: Vec::new(),
            ending: None,
            usage: None,
            refused: false,
            written: 0,
            over: false,
        }
    }

    fn choice(&mut self, mut choice: Choice<'_>, out: &mut Vec<ConverseStreamOutput>) -> Result<(), ReadError> {
        if !choice.finish_reason.0.is_empty() {
            self.ending = Some(Ending::of(&choice));
        }
        let Some(mut delta) = choice.delta.take() else { return Ok(()) };
        let thought = delta.thought();
        if !thought.is_empty() {
            self.say(Kind::Reasoning, thought, out)?;
        }
        if !delta.refusal.0.is_empty() {
            self.refused = true;
            self.say(Kind::Text, delta.refusal.0, out)?;
        }
        if !delta.content.text.is_empty() {
            if self.split.is_through() {
                self.say(Kind::Text, delta.content.text, out)?;
            } else {
                let mut pieces = Vec::new();
                self.split.push(&delta.content.text, &mut |kind, text| pieces.push((kind, text)));
                self.pieces(pieces, out)?;
            }
        }
        let single = delta.function_call.map(|function| CallDelta {
            index: Count(Some(0)),
            id: Default::default(),
            function: Some(function),
        });
        for call in delta.tool_calls.unwrap_or_default().into_iter().chain(single) {
            self.hold_no_text(out)?;
            self.blocks.begin(out);
            self.blocks.close(out);
            self.written += self.calls.push(call);
            self.calls.tell(false, &mut self.blocks.index, out)?;
        }
        Ok(())
    }

    fn pieces(&mut self, pieces: Vec<(Kind, String)>, out: &mut Vec<ConverseStreamOutput>) -> Result<(), ReadError> {
        pieces.into_iter().try_for_each(|(kind, text)| self.say(kind, text.into(), out))
    }

    /// What looked like the beginning of a tag is text after all.
    fn hold_no_text(&mut self, out: &mut Vec<ConverseStreamOutput>) -> Result<(), ReadError> {
        if self.split.is_through() {
            return Ok(());
        }
        let mut pieces = Vec::new();
        self.split.finish(&mut |kind, text| pieces.push((kind, text)));
        self.pieces(pieces, out)
    }

    fn say(&mut self, kind: Kind, text: Cow<'_, str>, out: &mut Vec<ConverseStreamOutput>) -> Result<(), ReadError> {
        if kind == Kind::Text && self.calls.any() && self.blocks.open.is_none() && text.trim().is_empty() {
            return Ok(());
        }
        self.written += text.len();
        if self.calls.pending() {
            if !self.calls.whole() {
                self.late.push((kind, text.into_owned()));
                return Ok(());
            }
            self.calls.tell(true, &mut self.blocks.index, out)?;
        }
        self.blocks.say(kind, text.into_owned(), out);
        Ok(())
    }

    /// The answer is complete.
    fn finish(&mut self, out: &mut Vec<ConverseStreamOutput>) -> Result<(), ReadError> {
        self.over = true;
        let mut ending = self.ending.take().unwrap_or_default();
        ending.called = self.calls.any();
        ending.refused = self.refused;
        let stop_reason = ending.stop_reason()?;
        self.blocks.begin(out);
        self.hold_no_text(out)?;
        self.blocks.close(out);
        self.calls.tell(true, &mut self.blocks.index, out)?;
        for (kind, text) in std::mem::take(&mut self.late) {
            self.blocks.say(kind, text, out);
        }
        self.blocks.close(out);
        let additional_model_response_fields = ending.fields(self.usage.as_ref());
        out.push(ConverseStreamOutput::MessageStop(MessageStopEvent { stop_reason, additional_model_response_fields }));
        out.push(ConverseStreamOutput::Metadata(ConverseStreamMetadataEvent {
            usage: tokens(self.usage.as_ref(), self.written),
            ..ConverseStreamMetadataEvent::default()
        }));
        Ok(())
    }
}

impl StreamReader for Reader {
    fn event(&mut self, name: &str, data: &[u8], out: &mut Vec<ConverseStreamOutput>) -> Result<(), ReadError> {
        let data = data.trim_ascii();
        if self.over || data.is_empty() {
            return Ok(());
        }
        if data == b"[DONE]" {
            if self.ending.is_none() && self.written == 0 && !self.blocks.begun {
                return Err(ReadError::Cut);
            }
            return self.finish(out);
        }
        if name == "error" {
            return Err(ReadError::Refused(refusal::read(data)));
        }
        let frame = frame(data)?;
        if frame.usage.as_ref().is_some_and(|usage| usage.tokens().is_some()) {
            self.usage = frame.usage;
        }
        // One answer is asked for.
        let first = |choice: &Choice<'_>| choice.index.0.unwrap_or_default() == 0;
        for choice in frame.choices.unwrap_or_default().into_iter().filter(first) {
            self.choice(choice, out)?;
        }
        Ok(())
    }

    /// A server that closes without `[DONE]` has said all if it said why it stopped.
    fn end(&mut self, out: &mut Vec<ConverseStreamOutput>) -> Result<(), ReadError> {
        match self.ending {
            _ if self.over => Ok(()),
            Some(_) => self.finish(out),
            None => Err(ReadError::Cut),
        }
    }
}

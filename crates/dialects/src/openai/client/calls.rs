//! Tool calls out of fragments, in the order in which they began.
//!
//! Converse tells block by block. Fragments of several calls may come interleaved: the first call is told as it
//! comes, the others wait until the arguments before them are whole.

use outcrop_api::bedrock_runtime::*;

use super::shapes::{CallDelta, FunctionDelta};
use crate::client::{MakeId, ReadError};

struct Call {
    key: Option<i32>,
    id: String,
    name: String,
    /// What is not told yet.
    waiting: String,
    begun: bool,
    told: bool,
    json: Json,
}

/// The calls of one answer.
pub(super) struct Calls {
    list: Vec<Call>,
    /// The first that is not ended.
    open: usize,
    make_id: MakeId,
}

impl Calls {
    pub(super) fn new(make_id: MakeId) -> Self {
        Self { list: Vec::new(), open: 0, make_id }
    }

    /// Whether there was any.
    pub(super) fn any(&self) -> bool {
        !self.list.is_empty()
    }

    /// Whether a block of a call is open, or one waits.
    pub(super) fn pending(&self) -> bool {
        self.open < self.list.len()
    }

    /// Whether nothing more can belong to the calls.
    pub(super) fn whole(&self) -> bool {
        self.list[self.open..].iter().all(|call| call.json.whole())
    }

    /// Takes a fragment; the length of its text comes back.
    pub(super) fn push(&mut self, delta: CallDelta<'_>) -> usize {
        let FunctionDelta { name, arguments } =
            delta.function.unwrap_or(FunctionDelta { name: Default::default(), arguments: Default::default() });
        let at = self.place(delta.index.0, &delta.id.0, &name.0);
        let call = &mut self.list[at];
        if call.id.is_empty() {
            call.id = delta.id.0.into_owned();
        }
        if call.name.is_empty() {
            call.name = name.0.into_owned();
        }
        call.json.push(&arguments.0);
        call.waiting.push_str(&arguments.0);
        arguments.0.len()
    }

    /// Which call a fragment belongs to. Most say it by index, some by id, some begin each call with index 0, and some
    /// send calls whole and say nothing.
    fn place(&mut self, key: Option<i32>, id: &str, name: &str) -> usize {
        let found = match key {
            Some(key) => self.list.iter().rposition(|call| call.key == Some(key)),
            None if !id.is_empty() => self.list.iter().rposition(|call| call.id == id),
            None if !name.is_empty() => None,
            None => self.list.len().checked_sub(1),
        };
        if let Some(at) = found {
            let call = &self.list[at];
            let other_id = !id.is_empty() && !call.id.is_empty() && call.id != id;
            let again = id.is_empty() && !name.is_empty() && !call.name.is_empty() && call.json.whole();
            if (!other_id || name.is_empty()) && !again {
                return at;
            }
        }
        self.list.push(Call {
            key,
            id: String::new(),
            name: String::new(),
            waiting: String::new(),
            begun: false,
            told: false,
            json: Json::default(),
        });
        self.list.len() - 1
    }

    /// Tells what can be told; all of it where the answer is over. `index` is that of the next block.
    pub(super) fn tell(
        &mut self,
        over: bool,
        index: &mut i32,
        out: &mut Vec<ConverseStreamOutput>,
    ) -> Result<(), ReadError> {
        while self.open < self.list.len() {
            let followed = self.open + 1 < self.list.len();
            let call = &mut self.list[self.open];
            if call.name.is_empty() {
                if over {
                    return Err(ReadError::Malformed("a tool call has no name".to_owned()));
                }
                return Ok(());
            }
            if !call.begun {
                call.begun = true;
                if call.id.is_empty() {
                    call.id = (self.make_id)();
                }
                let start = ToolUseBlockStart { tool_use_id: call.id.clone(), name: call.name.clone(), r#type: None };
                out.push(ConverseStreamOutput::ContentBlockStart(ContentBlockStartEvent {
                    start: ContentBlockStart::ToolUse(start),
                    content_block_index: *index,
                }));
            }
            let ends = over || (followed && call.json.whole());
            if ends && !call.told && call.waiting.trim().is_empty() {
                // A call without arguments has the arguments {}.
                call.waiting = "{}".to_owned();
            }
            if !call.waiting.is_empty() {
                call.told = true;
                let input = std::mem::take(&mut call.waiting);
                out.push(ConverseStreamOutput::ContentBlockDelta(ContentBlockDeltaEvent {
                    delta: ContentBlockDelta::ToolUse(ToolUseBlockDelta { input }),
                    content_block_index: *index,
                }));
            }
            if !ends {
                return Ok(());
            }
            out.push(super::stream::stop(*index));
            *index += 1;
            self.open += 1;
        }
        Ok(())
    }
}

/// Tells when a JSON object is whole, without reading it.
#[derive(Default)]
struct Json {
    depth: u32,
    begun: bool,
    quoted: bool,
    escaped: bool,
}

impl Json {
    fn push(&mut self, text: &str) {
        for byte in text.bytes() {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' if self.quoted => self.escaped = true,
                b'"' => self.quoted = !self.quoted,
                b'{' | b'[' if !self.quoted => {
                    self.begun = true;
                    self.depth += 1;
                }
                b'}' | b']' if !self.quoted => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
    }

    fn whole(&self) -> bool {
        self.begun && self.depth == 0
    }
}

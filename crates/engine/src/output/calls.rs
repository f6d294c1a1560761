//! Tool calls in what a model writes: `<tool_call>{"name": …, "arguments": {…}}</tool_call>`, the format of
//! Hermes, Qwen, SmolLM and others.

use serde_json::Value;

/// Opens a call.
pub(crate) const CALL_OPEN: &str = "<tool_call>";
/// Closes it.
pub(crate) const CALL_CLOSE: &str = "</tool_call>";

/// What a forced call of a tool begins with, up to the arguments. The grammar writes exactly this.
pub(crate) fn call_header(tool: &str) -> String {
    format!("{CALL_OPEN}\n{{\"name\": {}{ARGUMENTS}", Value::from(tool))
}

const ARGUMENTS: &str = ", \"arguments\": ";

/// A recognised stretch of the answer.
#[derive(Debug, PartialEq)]
pub(super) enum Piece {
    Text(String),
    CallStart(String),
    CallArguments(String),
    CallEnd,
}

/// Calls in an answer that may hold anything. A call is passed on when it is complete and right; otherwise its
/// letters are text.
pub(super) struct FreeCalls {
    tools: Vec<String>,
    held: String,
    inside: bool,
    called: bool,
}

impl FreeCalls {
    pub(super) fn new(tools: Vec<String>) -> Self {
        Self { tools, held: String::new(), inside: false, called: false }
    }

    pub(super) fn push(&mut self, text: &str, pieces: &mut Vec<Piece>) {
        self.held.push_str(text);
        loop {
            let tag = if self.inside { CALL_CLOSE } else { CALL_OPEN };
            let Some(at) = self.held.find(tag) else { break };
            let rest = self.held.split_off(at + tag.len());
            let mut before = std::mem::replace(&mut self.held, rest);
            before.truncate(at);
            if self.inside {
                self.call(&before, true, pieces);
            } else {
                // White space between text and a call belongs to neither.
                self.text(before.trim_end(), pieces);
            }
            self.inside = !self.inside;
        }
        if !self.inside {
            let keep = undecided(&self.held);
            let rest = self.held.split_off(keep);
            let text = std::mem::replace(&mut self.held, rest);
            self.text(&text, pieces);
        }
    }

    pub(super) fn finish(&mut self, pieces: &mut Vec<Piece>) {
        let held = std::mem::take(&mut self.held);
        if self.inside {
            // Models often end their turn where the closing tag belongs.
            self.call(&held, false, pieces);
        } else {
            self.text(&held, pieces);
        }
    }

    fn text(&mut self, text: &str, pieces: &mut Vec<Piece>) {
        let text = if self.called { text.trim_start() } else { text };
        if !text.is_empty() {
            self.called = false;
            pieces.push(Piece::Text(text.to_owned()));
        }
    }

    fn call(&mut self, inner: &str, closed: bool, pieces: &mut Vec<Piece>) {
        match self.read(inner) {
            Some((name, arguments)) => {
                pieces.extend([Piece::CallStart(name), Piece::CallArguments(arguments), Piece::CallEnd]);
                self.called = true;
            }
            None => {
                let close = if closed { CALL_CLOSE } else { "" };
                self.text(&format!("{CALL_OPEN}{inner}{close}"), pieces);
            }
        }
    }

    fn read(&self, inner: &str) -> Option<(String, String)> {
        call_of(&self.tools, &serde_json::from_str(inner.trim()).ok()?)
    }
}

/// The name and the arguments of a call of one of `tools`.
pub(super) fn call_of(tools: &[String], call: &Value) -> Option<(String, String)> {
    let name = call.get("name")?.as_str()?;
    if !tools.iter().any(|tool| tool == name) {
        return None;
    }
    // Llama's family says `parameters`.
    let arguments = call.get("arguments").or_else(|| call.get("parameters"));
    let arguments = arguments.filter(|arguments| arguments.is_object())?;
    Some((name.to_owned(), arguments.to_string()))
}

/// How much of a text outside a call is surely text: all but the white space and the beginning of a tag that it
/// ends with.
fn undecided(text: &str) -> usize {
    let longest = CALL_OPEN.len().min(text.len());
    let tag = (1..=longest).rev().find(|&length| text.ends_with(&CALL_OPEN[..length])).unwrap_or(0);
    text[..text.len() - tag].trim_end().len()
}

/// A call that a grammar enforces: its arguments are passed on as they come.
#[derive(Default)]
pub(super) struct ForcedCalls {
    header: String,
    arguments: Option<Arguments>,
    over: bool,
}

#[derive(Default)]
struct Arguments {
    depth: u32,
    in_string: bool,
    escaped: bool,
}

impl ForcedCalls {
    pub(super) fn push(&mut self, text: &str, pieces: &mut Vec<Piece>) {
        if self.over {
            return;
        }
        let mut fragment = String::new();
        for character in text.chars() {
            let Some(arguments) = &mut self.arguments else {
                self.header.push(character);
                if let Some(name) = named(&self.header) {
                    pieces.push(Piece::CallStart(name));
                    self.arguments = Some(Arguments::default());
                }
                continue;
            };
            fragment.push(character);
            if arguments.closed_by(character) {
                self.over = true;
                break;
            }
        }
        if !fragment.is_empty() {
            pieces.push(Piece::CallArguments(fragment));
        }
        if self.over {
            pieces.push(Piece::CallEnd);
        }
    }

    pub(super) fn over(&self) -> bool {
        self.over
    }

    /// Cut in the middle: the block ends where it is.
    pub(super) fn finish(&mut self, pieces: &mut Vec<Piece>) {
        if self.arguments.is_some() && !self.over {
            self.over = true;
            pieces.push(Piece::CallEnd);
        }
    }
}

impl Arguments {
    /// Whether this character is the brace that closes the arguments.
    fn closed_by(&mut self, character: char) -> bool {
        if self.in_string {
            match character {
                _ if self.escaped => self.escaped = false,
                '\\' => self.escaped = true,
                '"' => self.in_string = false,
                _ => {}
            }
            return false;
        }
        match character {
            '"' => self.in_string = true,
            '{' | '[' => self.depth += 1,
            '}' | ']' => {
                self.depth = self.depth.saturating_sub(1);
                return self.depth == 0;
            }
            _ => {}
        }
        false
    }
}

/// The tool that a complete header names.
fn named(header: &str) -> Option<String> {
    let call = header.strip_suffix(ARGUMENTS)?.strip_prefix(CALL_OPEN)?;
    let call: Value = serde_json::from_str(&format!("{}}}", call.trim_start())).ok()?;
    Some(call.get("name")?.as_str()?.to_owned())
}

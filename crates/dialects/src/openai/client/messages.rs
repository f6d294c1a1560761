//! The conversation as messages. Turns of one role in a row are one message, for many templates insist on that.

use std::borrow::Cow;
use std::fmt;

use outcrop_api::bedrock_runtime::*;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::Value;

use super::media::{self, Part};
use super::{Ids, Quirks};
use crate::DialectError;
use crate::converse::plain;
use crate::request::no_block;

type Result<T> = std::result::Result<T, DialectError>;

/// One message.
pub(super) struct Turn<'a> {
    role: Role,
    parts: Vec<Part<'a>>,
    thoughts: Vec<&'a str>,
    /// The member that the thoughts are said in.
    replays: &'static str,
    calls: Vec<Call<'a>>,
    /// The id of the call that it answers.
    answers: Option<Cow<'a, str>>,
    /// The model is to go on with it.
    prefix: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    System,
    User,
    Assistant,
    Tool,
}

#[derive(Serialize)]
struct Call<'a> {
    id: Cow<'a, str>,
    r#type: &'static str,
    function: Called<'a>,
}

#[derive(Serialize)]
struct Called<'a> {
    name: &'a str,
    arguments: Arguments<'a>,
}

/// JSON within a string.
struct Arguments<'a>(&'a Value);

impl Serialize for Arguments<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self.0 {
            arguments @ Value::Object(_) => serializer.collect_str(arguments),
            _ => serializer.serialize_str("{}"),
        }
    }
}

/// Text alone is one string, which every server reads: lines of their own, as local templates join them.
struct Content<'t, 'a>(&'t [Part<'a>]);

impl Serialize for Content<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self.0 {
            [Part::Text { text }] => serializer.serialize_str(text),
            parts if parts.iter().all(|part| matches!(part, Part::Text { .. })) => serializer.collect_str(self),
            parts => serializer.collect_seq(parts),
        }
    }
}

impl fmt::Display for Content<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, part) in self.0.iter().enumerate() {
            if let Part::Text { text } = part {
                f.write_str(if i > 0 { "\n" } else { "" })?;
                f.write_str(text)?;
            }
        }
        Ok(())
    }
}

impl Serialize for Turn<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let role = match self.role {
            Role::System => "system",
            Role::User => "user",
            Role::Assistant => "assistant",
            Role::Tool => "tool",
        };
        map.serialize_entry("role", role)?;
        if let Some(id) = &self.answers {
            map.serialize_entry("tool_call_id", id)?;
        }
        if self.parts.is_empty() && !self.calls.is_empty() {
            // Some servers want the member, none wants it empty.
            map.serialize_entry("content", &())?;
        } else {
            map.serialize_entry("content", &Content(&self.parts))?;
        }
        if !self.thoughts.is_empty() {
            map.serialize_entry(self.replays, &self.thoughts.join("\n"))?;
        }
        if !self.calls.is_empty() {
            map.serialize_entry("tool_calls", &self.calls)?;
        }
        if self.prefix {
            map.serialize_entry("prefix", &true)?;
        }
        map.end()
    }
}

struct Writer<'q, 'a> {
    quirks: &'q Quirks,
    turns: Vec<Turn<'a>>,
}

pub(super) fn write<'a>(
    quirks: &Quirks,
    system: &'a [SystemContentBlock],
    messages: &'a [Message],
) -> Result<Vec<Turn<'a>>> {
    let mut writer = Writer { quirks, turns: Vec::with_capacity(messages.len() + 1) };
    let instructing = if quirks.system_as_user { Role::User } else { Role::System };
    for (i, block) in system.iter().enumerate() {
        match block {
            SystemContentBlock::Text(text) => writer.turn(instructing).parts.push(Part::text(text)),
            SystemContentBlock::GuardContent(GuardrailConverseContentBlock::Text(guarded)) => {
                writer.turn(instructing).parts.push(Part::text(&guarded.text));
            }
            SystemContentBlock::CachePoint(_) => {}
            other => return Err(no_block(&format!("system.{i}"), other)),
        }
    }
    let asked = messages.iter().rposition(asks).unwrap_or(messages.len());
    for (i, message) in messages.iter().enumerate() {
        match message.role {
            // Reasoning is of use while the answer that it belongs to is being made, and forgotten after.
            ConversationRole::Assistant => writer.assistant(i, message, i > asked)?,
            ConversationRole::System => writer.user(i, message, instructing)?,
            _ => writer.user(i, message, Role::User)?,
        }
    }
    writer.turns.retain(|turn| !(turn.parts.is_empty() && turn.calls.is_empty() && turn.answers.is_none()));
    if let Some(last) = writer.turns.last_mut() {
        last.prefix = quirks.prefix && last.role == Role::Assistant && last.calls.is_empty();
    }
    Ok(writer.turns)
}

/// Whether a message says more than what tools found.
fn asks(message: &Message) -> bool {
    let found = |block: &ContentBlock| matches!(block, ContentBlock::ToolResult(_) | ContentBlock::CachePoint(_));
    message.role != ConversationRole::Assistant && !message.content.iter().all(found)
}

impl<'a> Writer<'_, 'a> {
    /// The last message, if it is one of `role`, or a new one.
    fn turn(&mut self, role: Role) -> &mut Turn<'a> {
        if self.turns.last().is_none_or(|last| last.role != role || role == Role::Tool) {
            let replays = self.quirks.replays.unwrap_or_default();
            let turn = Turn {
                role,
                parts: Vec::new(),
                thoughts: Vec::new(),
                replays,
                calls: Vec::new(),
                answers: None,
                prefix: false,
            };
            self.turns.push(turn);
        }
        let last = self.turns.len() - 1;
        &mut self.turns[last]
    }

    /// Tool results are messages of their own and come first: they answer the turn before. Messages of tools hold text
    /// alone, so that images of theirs are shown by the user.
    fn user(&mut self, i: usize, message: &'a Message, role: Role) -> Result<()> {
        let mut shown = Vec::new();
        for (n, block) in message.content.iter().enumerate() {
            if let ContentBlock::ToolResult(result) = block {
                self.result(&|| format!("messages.{i}.content.{n}.toolResult"), result, &mut shown)?;
            }
        }
        if !shown.is_empty() {
            self.turn(role).parts.append(&mut shown);
        }
        for (n, block) in message.content.iter().enumerate() {
            if !matches!(block, ContentBlock::ToolResult(_) | ContentBlock::CachePoint(_)) {
                let part = self.part(&|| format!("messages.{i}.content.{n}"), block)?;
                self.turn(role).parts.push(part);
            }
        }
        Ok(())
    }

    fn part(&self, at: &dyn Fn() -> String, block: &'a ContentBlock) -> Result<Part<'a>> {
        let member = |name: &str| format!("{}.{name}", at());
        Ok(match block {
            ContentBlock::Image(image) => media::image(&|| member("image"), image)?,
            ContentBlock::GuardContent(GuardrailConverseContentBlock::Image(GuardrailConverseImageBlock {
                format,
                source: GuardrailConverseImageSource::Bytes(bytes),
            })) => Part::picture(format.as_str(), bytes),
            ContentBlock::Audio(audio) => media::audio(self.quirks, &|| member("audio"), audio)?,
            ContentBlock::Video(video) => media::video(self.quirks, &|| member("video"), video)?,
            ContentBlock::Document(document) => media::document(self.quirks, &|| member("document"), document)?,
            other => Part::text(plain(other).ok_or_else(|| no_block(&at(), other))?),
        })
    }

    fn result(
        &mut self,
        at: &dyn Fn() -> String,
        result: &'a ToolResultBlock,
        shown: &mut Vec<Part<'a>>,
    ) -> Result<()> {
        let mut parts: Vec<Part<'a>> = Vec::new();
        let mut images = Vec::new();
        for (n, piece) in result.content.iter().enumerate() {
            let at = || format!("{}.content.{n}", at());
            match piece {
                ToolResultContentBlock::Text(text) => parts.push(Part::text(text)),
                ToolResultContentBlock::Json(value) => parts.push(Part::text(value.to_string())),
                ToolResultContentBlock::Document(document) => {
                    match media::document(self.quirks, &|| format!("{}.document", at()), document)? {
                        text @ Part::Text { .. } => parts.push(text),
                        file => images.push(file),
                    }
                }
                ToolResultContentBlock::Image(image) => {
                    images.push(media::image(&|| format!("{}.image", at()), image)?);
                }
                ToolResultContentBlock::Video(video) => {
                    images.push(media::video(self.quirks, &|| format!("{}.video", at()), video)?);
                }
                ToolResultContentBlock::SearchResult(found) => {
                    let mut text = format!("{} ({})", found.title, found.source);
                    found.content.iter().for_each(|part| text.extend(["\n", part.text.as_str()]));
                    parts.push(Part::text(text));
                }
                other @ ToolResultContentBlock::Unset => return Err(no_block(&at(), other)),
            }
        }
        let id = self.id(&result.tool_use_id);
        if !images.is_empty() {
            parts.push(Part::text("What else this tool returned is shown in the next message."));
            shown.push(Part::text(format!("Returned by the tool call {id}:")));
            shown.append(&mut images);
        }
        if result.status == Some(ToolResultStatus::Error) {
            // The format has no member for it, so the model is told in words, as by local templates.
            parts = vec![Part::text(format!("Error: {}", Content(&parts)))];
        }
        let turn = self.turn(Role::Tool);
        turn.parts = parts;
        turn.answers = Some(id);
        Ok(())
    }

    fn assistant(&mut self, i: usize, message: &'a Message, replay: bool) -> Result<()> {
        for (n, block) in message.content.iter().enumerate() {
            match block {
                ContentBlock::ToolUse(call) => {
                    let call = Call {
                        id: self.id(&call.tool_use_id),
                        r#type: "function",
                        function: Called { name: &call.name, arguments: Arguments(&call.input) },
                    };
                    self.turn(Role::Assistant).calls.push(call);
                }
                // Signed or redacted, it is for the model that wrote it; this format's take none back.
                ContentBlock::ReasoningContent(reasoning) => {
                    if let ReasoningContentBlock::ReasoningText(reasoning) = reasoning
                        && replay
                        && self.quirks.replays.is_some()
                    {
                        self.turn(Role::Assistant).thoughts.push(&reasoning.text);
                    }
                }
                ContentBlock::CachePoint(_) => {}
                other => {
                    let at = || format!("messages.{i}.content.{n}");
                    let text: Cow<'a, str> = plain(other).ok_or_else(|| no_block(&at(), other))?;
                    self.turn(Role::Assistant).parts.push(Part::text(text));
                }
            }
        }
        Ok(())
    }

    /// An id as the server takes it. That of a call and that of its result become the same.
    fn id(&self, id: &'a str) -> Cow<'a, str> {
        match self.quirks.ids {
            Ids::Any => id.into(),
            Ids::Short(longest) => {
                let mut from = id.len().saturating_sub(longest);
                while !id.is_char_boundary(from) {
                    from += 1;
                }
                id[from..].into()
            }
            Ids::Nine if id.len() == 9 && id.bytes().all(|b| b.is_ascii_alphanumeric()) => id.into(),
            Ids::Nine => nine(id).into(),
        }
    }
}

/// Nine letters and digits of an id: FNV-1a, of whose 64 bits they hold 53.
fn nine(id: &str) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let mut hash = id.bytes().fold(0xcbf2_9ce4_8422_2325, step);
    let mut out = String::with_capacity(9);
    for _ in 0..9 {
        out.push(char::from(DIGITS[(hash % 62) as usize]));
        hash /= 62;
    }
    out
}

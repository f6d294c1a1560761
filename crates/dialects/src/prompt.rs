//! Conversations inside one string: the prompts of formats that have no messages, marked by their model's template.

use crate::DialectError;
use crate::request::{no_block, no_place};
use outcrop_api::bedrock_runtime::*;

type Result<T> = std::result::Result<T, DialectError>;

/// A conversation as a prompt tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Prompt {
    pub system: Option<String>,
    pub turns: Vec<Turn>,
}

/// What one side said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Turn {
    pub assistant: bool,
    pub text: String,
}

impl Prompt {
    /// A prompt without a template: all of it is the user's.
    pub(crate) fn plain(text: &str) -> Self {
        Self { system: None, turns: vec![Turn { assistant: false, text: text.to_owned() }] }
    }

    /// The text of a prompt without a template.
    fn as_plain(&self) -> Option<&str> {
        match (&self.system, self.turns.as_slice()) {
            (None, [Turn { assistant: false, text }]) => Some(text),
            _ => None,
        }
    }

    /// Adds what a side said; several turns of one side in a row are one.
    pub(crate) fn push(&mut self, assistant: bool, text: &str) {
        match self.turns.last_mut() {
            Some(last) if last.assistant == assistant => {
                last.text.push_str("\n\n");
                last.text.push_str(text);
            }
            _ => self.turns.push(Turn { assistant, text: text.to_owned() }),
        }
    }

    /// The sides alternate, the user is first, and nobody says nothing: what every model's Converse rules ask for.
    pub(crate) fn alternates(&self) -> bool {
        let sides = self.turns.iter().enumerate().all(|(i, turn)| turn.assistant == (i % 2 == 1));
        let blank = |text: &str| text.trim().is_empty();
        let said = !self.turns.iter().any(|t| blank(&t.text)) && !self.system.as_deref().is_some_and(blank);
        sides && said && !self.turns.is_empty()
    }

    /// The conversation of a request. `write` says what a block is in the prompt, or `None`; `between` stands between
    /// blocks.
    pub(crate) fn of(
        request: &ConverseRequest,
        between: &str,
        write: impl Fn(&str, bool, &ContentBlock) -> Result<Option<String>>,
    ) -> Result<Self> {
        let mut out = Self::default();
        for (i, block) in request.system.iter().flatten().enumerate() {
            let SystemContentBlock::Text(text) = block else { return Err(no_block(&format!("system.{i}"), block)) };
            let system = out.system.get_or_insert_default();
            if i > 0 {
                system.push_str(between);
            }
            system.push_str(text);
        }
        for (i, message) in request.messages.iter().flatten().enumerate() {
            let assistant = message.role == ConversationRole::Assistant;
            if assistant != (i % 2 == 1) || message.role == ConversationRole::System {
                return Err(no_place(format!("messages.{i}.role")));
            }
            let mut text = String::new();
            for (n, block) in message.content.iter().enumerate() {
                let at = format!("messages.{i}.content.{n}");
                if n > 0 {
                    text.push_str(between);
                }
                text.push_str(&write(&at, assistant, block)?.ok_or_else(|| no_block(&at, block))?);
            }
            out.turns.push(Turn { assistant, text });
        }
        Ok(out)
    }

    /// The prompt, if `read` finds the same conversation in it: a text that holds marks of the template would say
    /// something else.
    pub(crate) fn proven(&self, written: String, read: impl Fn(&str) -> Option<Self>) -> Result<String> {
        if read(&written).as_ref() == Some(self) {
            return Ok(written);
        }
        Err(DialectError::Rule(
            "A text of the conversation is blank or holds marks of the model's prompt template. Remove them and try \
             again."
                .to_owned(),
        ))
    }

    /// The same for formats that take a prompt without a template: a lone text that means nothing to `read` is sent as
    /// it is.
    pub(crate) fn proven_or_plain(&self, written: String, read: impl Fn(&str) -> Option<Self>) -> Result<String> {
        match self.as_plain() {
            Some(text) if read(&written).as_ref() != Some(self) && read(text).is_none() => Ok(text.to_owned()),
            _ => self.proven(written, read),
        }
    }

    /// As a request; `blocks` takes apart what a turn says.
    pub(crate) fn request(
        self,
        inference: InferenceConfiguration,
        blocks: impl Fn(&Turn) -> Vec<ContentBlock>,
    ) -> ConverseRequest {
        let message = |turn: &Turn| Message {
            role: if turn.assistant { ConversationRole::Assistant } else { ConversationRole::User },
            content: blocks(turn),
        };
        ConverseRequest {
            messages: Some(self.turns.iter().map(message).collect()),
            system: self.system.map(|text| vec![SystemContentBlock::Text(text)]),
            inference_config: Some(inference),
            ..ConverseRequest::default()
        }
    }
}

/// A turn of text alone, for [`Prompt::request`].
pub(crate) fn text_block(turn: &Turn) -> Vec<ContentBlock> {
    vec![ContentBlock::Text(turn.text.clone())]
}

/// Text alone, for [`Prompt::of`].
pub(crate) fn text_only(_: &str, _: bool, block: &ContentBlock) -> Result<Option<String>> {
    Ok(if let ContentBlock::Text(text) = block { Some(text.clone()) } else { None })
}

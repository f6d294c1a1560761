//! The prompt form of Mistral's instruct models: `<s>[INST] question [/INST] answer</s>[INST] question [/INST]`.

use crate::DialectError;
use crate::request::{no_place, text};
use outcrop_api::bedrock_runtime::*;

const BEGIN: &str = "<s>";
const END: &str = "</s>";
const OPEN: &str = "[INST]";
const CLOSE: &str = "[/INST]";

/// The turns of a prompt. A text without the form is what the user says; an answer that has begun stays the last turn.
pub(super) fn read(prompt: &str) -> Vec<Message> {
    turns(prompt).unwrap_or_else(|| vec![turn(ConversationRole::User, prompt)])
}

fn turn(role: ConversationRole, text: &str) -> Message {
    Message { role, content: vec![ContentBlock::Text(text.to_owned())] }
}

/// `None` where the form is broken: then nothing of the text may be lost.
fn turns(prompt: &str) -> Option<Vec<Message>> {
    let mut out = Vec::new();
    let mut rest = prompt.trim_start().strip_prefix(BEGIN).unwrap_or(prompt).trim_start();
    loop {
        let (question, after) = rest.strip_prefix(OPEN)?.split_once(CLOSE)?;
        let question = question.strip_prefix(' ').unwrap_or(question);
        out.push(turn(ConversationRole::User, question.strip_suffix(' ').unwrap_or(question)));
        let after = after.strip_prefix(' ').unwrap_or(after);
        let (answer, next) = match (after.find(END), after.find(OPEN)) {
            (Some(end), open) if open.is_none_or(|open| end < open) => (&after[..end], &after[end + END.len()..]),
            // Some leave the end of a turn out.
            (_, Some(open)) => {
                let answer = &after[..open];
                rest = &after[open..];
                if !answer.trim().is_empty() {
                    out.push(turn(ConversationRole::Assistant, answer.strip_suffix(' ').unwrap_or(answer)));
                }
                continue;
            }
            _ => {
                if !after.trim().is_empty() {
                    out.push(turn(ConversationRole::Assistant, after));
                }
                return Some(out);
            }
        };
        out.push(turn(ConversationRole::Assistant, answer));
        rest = next.trim_start();
        rest = rest.strip_prefix(BEGIN).unwrap_or(rest).trim_start();
        if rest.is_empty() {
            return Some(out);
        }
    }
}

/// The prompt of a conversation.
pub(super) fn write(messages: &[Message]) -> Result<String, DialectError> {
    let mut out = BEGIN.to_owned();
    for (i, message) in messages.iter().enumerate() {
        let text = text(&format!("messages.{i}"), &message.content)?;
        // A marker in a text would end the turn that it stands in.
        if let Some(marker) = [BEGIN, END, OPEN, CLOSE].into_iter().find(|marker| text.contains(marker)) {
            return Err(DialectError::Rule(format!(
                "The text at messages.{i} contains {marker}, which marks turns in the model's request format. Remove \
                 it and try again."
            )));
        }
        match message.role {
            ConversationRole::User => out.extend([OPEN, " ", &text, " ", CLOSE]),
            ConversationRole::Assistant if i + 1 == messages.len() => out.extend([" ", &text]),
            ConversationRole::Assistant => out.extend([" ", &text, END]),
            _ => return Err(no_place(format!("messages.{i}.role"))),
        }
    }
    Ok(out)
}

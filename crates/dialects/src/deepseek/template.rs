//! The chat template of R1: `<｜begin▁of▁sentence｜>SYSTEM<｜User｜>…<｜Assistant｜>…<｜end▁of▁sentence｜>`.

use crate::DialectError;
use crate::prompt::{Prompt, Turn, text_block};
use outcrop_api::bedrock_runtime::*;

const BEGIN: &str = "<｜begin▁of▁sentence｜>";
const USER: &str = "<｜User｜>";
const ASSISTANT: &str = "<｜Assistant｜>";
const END: &str = "<｜end▁of▁sentence｜>";
const THINK: &str = "<think>";
const THOUGHT: &str = "</think>";

/// The conversation of a prompt that follows the template from end to end. The `<think>` that opens the answer is no
/// part of the conversation.
pub(super) fn read(prompt: &str) -> Option<Prompt> {
    let mut out = Prompt::default();
    let text = prompt.trim_start();
    let text = text.strip_prefix(BEGIN).unwrap_or(text);
    let (system, turns) = text.split_once(USER)?;
    if system.contains(['｜', '▁']) {
        return None;
    }
    out.system = (!system.trim().is_empty()).then(|| system.to_owned());
    for turn in turns.split(USER) {
        let (user, answer) = match turn.split_once(ASSISTANT) {
            Some((user, answer)) => (user, Some(answer)),
            None => (turn, None),
        };
        push(&mut out, false, user)?;
        let Some(answer) = answer else { continue };
        let answer = answer.trim_end_matches('\n').strip_suffix(END).unwrap_or(answer);
        // The header, with or without an opened thought, asks for the answer.
        if !matches!(answer.trim(), "" | THINK) {
            push(&mut out, true, answer)?;
        }
    }
    out.alternates().then_some(out)
}

fn push(out: &mut Prompt, assistant: bool, text: &str) -> Option<()> {
    let marked = [BEGIN, USER, ASSISTANT, END].iter().any(|mark| text.contains(mark));
    let again = out.turns.last().is_some_and(|last| last.assistant == assistant);
    // A thought in the middle cannot be told in blocks.
    let thought = assistant && (text.contains(THINK) || text.contains(THOUGHT)) && split(text).is_none();
    (!marked && !again && !thought).then(|| out.push(assistant, text))
}

pub(super) fn write(prompt: &Prompt) -> String {
    let mut out = BEGIN.to_owned();
    out.push_str(prompt.system.as_deref().unwrap_or_default());
    let last = prompt.turns.len().saturating_sub(1);
    for (i, turn) in prompt.turns.iter().enumerate() {
        match turn.assistant {
            true => out.extend([ASSISTANT, &turn.text, if i == last { "" } else { END }]),
            false => out.extend([USER, &turn.text]),
        }
    }
    if prompt.turns.last().is_some_and(|turn| !turn.assistant) {
        out.extend([ASSISTANT, THINK, "\n"]);
    }
    out
}

/// The thought and the text of an answer that has both, once.
fn split(text: &str) -> Option<(&str, &str)> {
    let (thought, answer) = text.strip_prefix("<think>\n")?.split_once("\n</think>\n\n")?;
    let marked = |text: &str| text.contains(THINK) || text.contains(THOUGHT);
    let blank = |text: &str| text.trim().is_empty();
    (!marked(thought) && !marked(answer) && !blank(thought) && !blank(answer)).then_some((thought, answer))
}

/// What a turn says, as blocks.
pub(super) fn blocks(turn: &Turn) -> Vec<ContentBlock> {
    let Some((thought, answer)) = turn.assistant.then(|| split(&turn.text)).flatten() else { return text_block(turn) };
    let reasoning = ReasoningTextBlock { text: thought.to_owned(), signature: None };
    vec![
        ContentBlock::ReasoningContent(ReasoningContentBlock::ReasoningText(reasoning)),
        ContentBlock::Text(answer.to_owned()),
    ]
}

/// A block as the prompt has it. Blocks stand on lines of their own.
pub(super) fn block(at: &str, assistant: bool, block: &ContentBlock) -> Result<Option<String>, DialectError> {
    Ok(match block {
        // Read back, it would be a thought.
        ContentBlock::Text(text) if assistant && (text.contains(THINK) || text.contains(THOUGHT)) => {
            return Err(DialectError::Rule(format!("{at}.text holds {THINK} or {THOUGHT}. Remove it and try again.")));
        }
        ContentBlock::Text(text) => Some(text.clone()),
        ContentBlock::ReasoningContent(ReasoningContentBlock::ReasoningText(reasoning))
            if assistant && reasoning.signature.is_none() =>
        {
            Some(format!("{THINK}\n{}\n{THOUGHT}\n", reasoning.text))
        }
        _ => None,
    })
}

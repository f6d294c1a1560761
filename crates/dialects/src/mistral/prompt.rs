//! The prompt form of Mistral's instruct models: `<s>[INST] question [/INST] answer</s>[INST] question [/INST]`. An
//! answer that has begun stays the last turn.

use crate::prompt::Prompt;

const BEGIN: &str = "<s>";
const END: &str = "</s>";
const OPEN: &str = "[INST]";
const CLOSE: &str = "[/INST]";

/// The conversation of a prompt that follows the form from end to end.
pub(super) fn read(prompt: &str) -> Option<Prompt> {
    let mut out = Prompt::default();
    let mut rest = prompt;
    loop {
        rest = rest.trim_start();
        rest = rest.strip_prefix(BEGIN).unwrap_or(rest).trim_start();
        let (question, after) = rest.strip_prefix(OPEN)?.split_once(CLOSE)?;
        let question = question.strip_prefix(' ').unwrap_or(question);
        let answer = after.strip_prefix(' ').unwrap_or(after);
        let (answer, next) = match (answer.split_once(END), answer.find(OPEN)) {
            (Some((answer, next)), _) => (answer, next),
            // Some leave the end of a turn out.
            (None, Some(at)) => (answer[..at].strip_suffix(' ').unwrap_or(&answer[..at]), &answer[at..]),
            (None, None) => (answer, ""),
        };
        let question = question.strip_suffix(' ').unwrap_or(question);
        let marked = |text: &str| [BEGIN, END, OPEN, CLOSE].iter().any(|mark| text.contains(mark));
        if marked(question) || marked(answer) {
            return None;
        }
        out.push(false, question);
        if !answer.trim().is_empty() {
            out.push(true, answer);
        }
        rest = next;
        if rest.trim_start().is_empty() {
            return Some(out).filter(Prompt::alternates);
        }
    }
}

pub(super) fn write(prompt: &Prompt) -> String {
    let mut out = BEGIN.to_owned();
    for (i, turn) in prompt.turns.iter().enumerate() {
        let last = i + 1 == prompt.turns.len();
        match turn.assistant {
            true => out.extend([" ", &turn.text, if last { "" } else { END }]),
            false => out.extend([OPEN, " ", &turn.text, " ", CLOSE]),
        }
    }
    out
}

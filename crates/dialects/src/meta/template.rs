//! The chat templates of Llama 2, 3 and 4. Meta's own code trims what it puts in; prompts written by hand often break
//! lines elsewhere than it does, so space between turns is free, and only the breaks of the template are taken off.

use crate::prompt::Prompt;

/// The marks of Llama 3 and 4, which differ in their words only.
struct Marks {
    begin: &'static str,
    header: &'static str,
    header_end: &'static str,
    end: &'static str,
}

const LLAMA_3: Marks = Marks {
    begin: "<|begin_of_text|>",
    header: "<|start_header_id|>",
    header_end: "<|end_header_id|>",
    end: "<|eot_id|>",
};

const LLAMA_4: Marks =
    Marks { begin: "<|begin_of_text|>", header: "<|header_start|>", header_end: "<|header_end|>", end: "<|eot|>" };

/// The conversation of a prompt that follows one of the templates from end to end.
pub(super) fn read(prompt: &str) -> Option<Prompt> {
    let found = LLAMA_3.read(prompt).or_else(|| LLAMA_4.read(prompt)).or_else(|| read_llama_2(prompt))?;
    found.alternates().then_some(found)
}

/// The prompt in the template of the model; of Llama 3 where the id does not tell.
pub(super) fn write(prompt: &Prompt, model_id: &str) -> String {
    if model_id.contains("llama2") {
        write_llama_2(prompt)
    } else if model_id.contains("llama4") {
        LLAMA_4.write(prompt)
    } else {
        LLAMA_3.write(prompt)
    }
}

impl Marks {
    fn read(&self, prompt: &str) -> Option<Prompt> {
        let mut out = Prompt::default();
        let mut rest = prompt.trim_start();
        rest = rest.strip_prefix(self.begin).unwrap_or(rest).trim_start();
        rest.strip_prefix(self.header)?;
        while !rest.trim_start().is_empty() {
            let (role, after) = rest.trim_start().strip_prefix(self.header)?.split_once(self.header_end)?;
            let after = after.strip_prefix("\n\n").or_else(|| after.strip_prefix('\n')).unwrap_or(after);
            let (text, next) = match after.split_once(self.end) {
                Some((text, next)) => (text, Some(next)),
                None => (after, None),
            };
            if marked(text) {
                return None;
            }
            match role.trim() {
                "system" if out.system.is_none() && out.turns.is_empty() => out.system = Some(text.to_owned()),
                "user" => side(&mut out, false, text)?,
                // The header alone asks for the answer.
                "assistant" if next.is_none() && text.trim().is_empty() => {}
                "assistant" => side(&mut out, true, text)?,
                _ => return None,
            }
            rest = next.unwrap_or_default();
        }
        Some(out)
    }

    fn write(&self, prompt: &Prompt) -> String {
        let mut out = self.begin.to_owned();
        let mut turn = |role: &str, text: &str, end: &str| {
            out.extend([self.header, role, self.header_end, "\n\n", text, end]);
        };
        if let Some(system) = &prompt.system {
            turn("system", system, self.end);
        }
        let last = prompt.turns.len().saturating_sub(1);
        for (i, said) in prompt.turns.iter().enumerate() {
            match said.assistant {
                true => turn("assistant", &said.text, if i == last { "" } else { self.end }),
                false => turn("user", &said.text, self.end),
            }
        }
        if prompt.turns.last().is_some_and(|said| !said.assistant) {
            turn("assistant", "", "");
        }
        out
    }
}

/// There is a special token in `text`, other than a picture's place.
fn marked(text: &str) -> bool {
    let text = text.replace(super::image::MARK, "");
    text.split("<|").skip(1).any(|after| {
        let name = after.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_');
        name.len() < after.len() && name.starts_with("|>")
    })
}

/// Two turns of one side in a row are not what the template makes.
fn side(out: &mut Prompt, assistant: bool, text: &str) -> Option<()> {
    let fits = out.turns.last().is_none_or(|last| last.assistant != assistant);
    fits.then(|| out.push(assistant, text))
}

fn read_llama_2(prompt: &str) -> Option<Prompt> {
    let mut out = Prompt::default();
    let mut rest = prompt.trim_start();
    loop {
        rest = rest.strip_prefix("<s>").unwrap_or(rest).trim_start().strip_prefix("[INST]")?;
        let (user, after) = rest.split_once("[/INST]")?;
        let mut user = user.strip_prefix(' ').unwrap_or(user);
        if let (true, Some((system, after))) =
            (out.turns.is_empty(), user.strip_prefix("<<SYS>>").and_then(|u| u.split_once("<</SYS>>")))
        {
            let system = system.strip_prefix('\n').unwrap_or(system);
            out.system = Some(system.strip_suffix('\n').unwrap_or(system).to_owned());
            user = after.strip_prefix("\n\n").or_else(|| after.strip_prefix('\n')).unwrap_or(after);
        }
        let answer_ends = after.find("</s>").map(|at| (at, 4)).or_else(|| after.find("[INST]").map(|at| (at, 0)));
        let (answer, next) = match answer_ends {
            Some((at, mark)) => (&after[..at], Some(after[at + mark..].trim_start())),
            None => (after, None),
        };
        let user = user.strip_suffix(' ').unwrap_or(user);
        let answer = answer.strip_prefix(' ').unwrap_or(answer);
        let answer = if next.is_some() { answer.strip_suffix(' ').unwrap_or(answer) } else { answer };
        let marks = ["[INST]", "[/INST]", "<s>", "</s>", "<<SYS>>", "<</SYS>>"];
        let system = out.system.as_deref().unwrap_or_default();
        let strays = |text: &str| marked(text) || marks.iter().any(|mark| text.contains(mark));
        if strays(user) || strays(answer) || strays(system) {
            return None;
        }
        side(&mut out, false, user)?;
        if !answer.trim().is_empty() {
            side(&mut out, true, answer)?;
        }
        match next {
            Some(next) if !next.is_empty() => rest = next,
            _ => return Some(out),
        }
    }
}

fn write_llama_2(prompt: &Prompt) -> String {
    let mut out = String::new();
    let mut system = prompt.system.as_deref();
    let last = prompt.turns.len().saturating_sub(1);
    for (i, said) in prompt.turns.iter().enumerate() {
        if said.assistant {
            out.extend([" ", &said.text, if i == last { "" } else { " </s>" }]);
            continue;
        }
        out.push_str("<s>[INST] ");
        if let Some(system) = system.take() {
            out.extend(["<<SYS>>\n", system, "\n<</SYS>>\n\n"]);
        }
        out.extend([&said.text, " [/INST]"]);
    }
    out
}

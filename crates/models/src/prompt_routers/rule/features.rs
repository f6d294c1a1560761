//! What the rule sees of a conversation.

use outcrop_api::bedrock_runtime::{
    ContentBlock, ConversationRole, ConverseRequest, GuardrailConverseContentBlock, Message, SystemContentBlock,
    ToolResultContentBlock,
};

use crate::Resolved;

/// Characters up to which a prompt is short, and how many more make it long.
const SHORT: f64 = 400.0;
const LONG: f64 = 8_000.0;
/// Of the task, so much is read from its beginning and from its end: a question stands before what it is about, or
/// after, and the rule's own cost stays bounded.
const READ: usize = 4_000;
/// No text has more characters to a token: more than so many for each token of a window cannot fit.
const CHARACTERS_PER_TOKEN: usize = 8;

/// Words of tasks that have to be thought about.
const REASONING: &[&str] = &[
    "analyse",
    "analysis",
    "analyze",
    "architecture",
    "assess",
    "compare",
    "contrast",
    "critique",
    "debug",
    "derive",
    "design",
    "diagnose",
    "evaluate",
    "explain",
    "optimise",
    "optimize",
    "plan",
    "proof",
    "prove",
    "reason",
    "reasoning",
    "strategy",
    "tradeoff",
    "tradeoffs",
    "why",
];
const MATH: &[&str] = &[
    "algebra",
    "calculate",
    "compute",
    "derivative",
    "eigenvalue",
    "equation",
    "equations",
    "integral",
    "logarithm",
    "matrix",
    "polynomial",
    "probability",
    "solve",
    "theorem",
];
const MATH_SIGNS: &[&str] = &["\\frac", "\\sum", "\\int", "$$", "∑", "∫", "√", "∂"];
const CODE: &[&str] = &[
    "algorithm",
    "compiler",
    "golang",
    "javascript",
    "kubernetes",
    "python",
    "refactor",
    "regex",
    "rust",
    "sql",
    "stacktrace",
    "traceback",
    "typescript",
];
const CODE_SIGNS: &[&str] = &["```", "();", ") {", "=> {", "def ", "#include", "</", "SELECT "];

/// What the rule sees of a conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Features {
    /// Characters of all text: system prompts, messages, tool results.
    pub characters: usize,
    /// Messages of the user.
    pub turns: usize,
    /// Tools that the model may use.
    pub tools: usize,
    /// Images in messages and tool results.
    pub images: usize,
    /// Documents, likewise.
    pub documents: usize,
    /// Videos, likewise.
    pub videos: usize,
    /// Whether there is a system prompt.
    pub system: bool,
    /// Whether the answer must follow a schema.
    pub schema: bool,
    /// The tokens that the answer may have, where the caller says.
    pub max_tokens: Option<u32>,
    /// Whether the task has to do with code. The task is the text of the user's last message that has some.
    pub code: bool,
    /// Whether the task has to do with mathematics.
    pub math: bool,
    /// Words of the task that ask for reasoning.
    pub reasoning: usize,
}

impl Features {
    /// The features of `request`.
    pub fn of(request: &ConverseRequest) -> Self {
        let mut seen = Self {
            tools: request.tool_config.as_ref().map_or(0, |tools| tools.tools.len()),
            schema: request.output_config.as_ref().is_some_and(|output| output.text_format.is_some()),
            max_tokens: request.inference_config.as_ref().and_then(|c| c.max_tokens).and_then(|n| n.try_into().ok()),
            ..Self::default()
        };
        for block in request.system.iter().flatten() {
            match block {
                SystemContentBlock::Text(text) => seen.text(text),
                SystemContentBlock::GuardContent(guarded) => seen.guarded(guarded),
                _ => {}
            }
            seen.system = true;
        }
        let mut task = String::new();
        for message in request.messages.iter().flatten() {
            seen.message(message);
            if message.role == ConversationRole::User {
                seen.turns += 1;
                let said = said(message);
                if !said.is_empty() {
                    task = said;
                }
            }
        }
        seen.task(&task);
        seen
    }

    fn text(&mut self, text: &str) {
        self.characters += text.chars().count();
    }

    fn guarded(&mut self, block: &GuardrailConverseContentBlock) {
        match block {
            GuardrailConverseContentBlock::Text(block) => self.text(&block.text),
            GuardrailConverseContentBlock::Image(_) => self.images += 1,
            GuardrailConverseContentBlock::Unset => {}
        }
    }

    fn message(&mut self, message: &Message) {
        for block in &message.content {
            match block {
                ContentBlock::Text(text) => self.text(text),
                ContentBlock::GuardContent(guarded) => self.guarded(guarded),
                ContentBlock::Image(_) => self.images += 1,
                ContentBlock::Document(_) => self.documents += 1,
                ContentBlock::Video(_) => self.videos += 1,
                ContentBlock::ToolResult(result) => {
                    for block in &result.content {
                        match block {
                            ToolResultContentBlock::Text(text) => self.text(text),
                            ToolResultContentBlock::Image(_) => self.images += 1,
                            ToolResultContentBlock::Document(_) => self.documents += 1,
                            ToolResultContentBlock::Video(_) => self.videos += 1,
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn task(&mut self, task: &str) {
        let (beginning, end) = ends(task);
        for part in [beginning, end] {
            self.code |= CODE_SIGNS.iter().any(|sign| part.contains(sign));
            self.math |= MATH_SIGNS.iter().any(|sign| part.contains(sign));
            self.reasoning += usize::from(part.to_ascii_lowercase().contains("step by step"));
            for word in part.split(|letter: char| !letter.is_alphanumeric()) {
                let one_of = |words: &[&str]| words.iter().any(|known| known.eq_ignore_ascii_case(word));
                self.code |= one_of(CODE);
                self.math |= one_of(MATH);
                self.reasoning += usize::from(one_of(REASONING));
            }
        }
    }

    /// How much of the difference between two models the conversation needs, by feature: 1 together is all of it.
    pub(super) fn weigh(&self) -> Vec<(&'static str, f64)> {
        let up_to = |count: usize, most: usize| count.min(most) as f64;
        let some = |is: bool, weight: f64| if is { weight } else { 0.0 };
        let further = |count: usize, most: usize| up_to(count.saturating_sub(1), most);
        let length = ((self.characters as f64 - SHORT) / LONG).clamp(0.0, 1.0);
        let weights = [
            ("length", 0.25 * length),
            ("turns", 0.02 * further(self.turns, 5)),
            ("tools", some(self.tools > 0, 0.15) + 0.02 * further(self.tools, 5)),
            ("code", some(self.code, 0.20)),
            ("math", some(self.math, 0.20)),
            ("reasoning", some(self.reasoning > 0, 0.15) + 0.05 * further(self.reasoning, 2)),
            ("media", 0.10 * up_to(self.images + self.documents + self.videos, 3)),
            ("schema", some(self.schema, 0.10)),
        ];
        weights.into_iter().filter(|(_, weight)| *weight > 0.0).collect()
    }

    /// What of the conversation a model cannot take, by the catalogue.
    pub(super) fn lacking(&self, resolved: &Resolved, streaming: bool) -> Option<&'static str> {
        let (model, family) = (&resolved.model, &resolved.model.family);
        let reads = |modality: &str| model.input.iter().any(|known| known == modality);
        let fits = resolved.context.is_none_or(|window| {
            self.characters <= CHARACTERS_PER_TOKEN.saturating_mul(usize::try_from(window).unwrap_or(usize::MAX))
        });
        let written = self.max_tokens.zip(model.max_output).is_none_or(|(asked, most)| asked <= most);
        let takes = [
            ("images", self.images == 0 || reads("IMAGE")),
            ("videos", self.videos == 0 || reads("VIDEO")),
            ("documents", self.documents == 0 || family.documents),
            ("tools", self.tools == 0 || (family.tools && (!streaming || family.stream_tools))),
            ("system", !self.system || family.system),
            ("streaming", !streaming || model.streaming),
            ("length", fits),
            ("maxTokens", written),
        ];
        takes.into_iter().find(|(_, takes)| !takes).map(|(what, _)| what)
    }
}

/// The text of a message.
fn said(message: &Message) -> String {
    let mut said = String::new();
    for block in &message.content {
        let text = match block {
            ContentBlock::Text(text) => text,
            ContentBlock::GuardContent(GuardrailConverseContentBlock::Text(block)) => &block.text,
            _ => continue,
        };
        said.push_str(text);
        said.push('\n');
    }
    said
}

/// The beginning and the end of a long text; all of a short one, and nothing.
fn ends(text: &str) -> (&str, &str) {
    if text.len() <= 2 * READ {
        return (text, "");
    }
    let (mut first, mut last) = (READ, text.len() - READ);
    while !text.is_char_boundary(first) {
        first -= 1;
    }
    while !text.is_char_boundary(last) {
        last += 1;
    }
    (&text[..first], &text[last..])
}

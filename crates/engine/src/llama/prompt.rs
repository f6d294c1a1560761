//! From a chat to the tokens of its prompt. Counting and generating both come through here.

use llama_cpp_2::token::LlamaToken;

use super::model::Loaded;
use crate::chat::protect::Piece;
use crate::chat::{Chat, ChatMessage, Part, Role};
use crate::error::EngineError;
use crate::generate::TokenCount;

/// A chat in tokens.
pub(super) struct Prompt {
    pub(super) tokens: Vec<LlamaToken>,
    /// For each cache point, how many of the tokens precede it.
    pub(super) checkpoints: Vec<u32>,
}

impl Prompt {
    pub(super) fn len(&self) -> u32 {
        u32::try_from(self.tokens.len()).unwrap_or(u32::MAX)
    }
}

impl Loaded {
    /// The prompt, however long.
    pub(super) fn prompt(&self, chat: &Chat) -> Result<Prompt, EngineError> {
        self.prompt_of(chat, |_| Ok(()))
    }

    /// The prompt, unless it leaves no room for an answer.
    pub(super) fn fitting_prompt(&self, chat: &Chat, max: Option<u32>) -> Result<Prompt, EngineError> {
        let overflow = |prompt: u32| EngineError::ContextOverflow { prompt, max: max.unwrap_or(1), limit: self.window };
        // Megabytes that cannot fit are not worth copying, rendering and tokenising. No token stands for more letters
        // than the longest; white space does not count, since templates and tokenisers may drop some.
        let check = |letters: usize| {
            let least = u32::try_from(letters / self.longest_token).unwrap_or(u32::MAX);
            if least >= self.window { Err(overflow(least)) } else { Ok(()) }
        };
        check(chat.messages.iter().map(certain_letters).sum())?;
        let prompt = self.prompt_of(chat, |text| check(text.len()))?;
        if prompt.len() >= self.window { Err(overflow(prompt.len())) } else { Ok(prompt) }
    }

    /// How many tokens the prompt has.
    pub(super) fn count(&self, chat: &Chat) -> Result<TokenCount, EngineError> {
        let prompt = self.prompt(chat)?;
        Ok(TokenCount { total: prompt.len(), checkpoints: prompt.checkpoints })
    }

    fn prompt_of(&self, chat: &Chat, check: impl Fn(&str) -> Result<(), EngineError>) -> Result<Prompt, EngineError> {
        let protected = self.specials.protect(chat);
        let (chat, mark) = match &protected {
            Some((marked, mark)) => (marked, Some(*mark)),
            None => (chat, None),
        };
        let text = self.template.prompt(chat).map_err(EngineError::InvalidChat)?;
        check(&text)?;
        let tokens = self.tokenize(&text, mark)?;
        let mut checkpoints = Vec::new();
        for before in chats_before_cache_points(chat) {
            // Templates may trim and join, so no place in the text is surely the cache point; what a shorter
            // chat and this one have in common is what a later call can reuse.
            let shared = match self.template.history(&before) {
                Ok(text) => common(&tokens, &self.tokenize(&text, mark)?),
                // Some templates refuse a chat without a user turn; then nothing of it is reusable yet.
                Err(_) => 0,
            };
            checkpoints.push(checkpoints.last().copied().unwrap_or(0).max(shared));
        }
        Ok(Prompt { tokens, checkpoints })
    }

    /// As `transformers` tokenises a rendered template: control tokens count and none is added.
    fn tokenize(&self, text: &str, mark: Option<char>) -> Result<Vec<LlamaToken>, EngineError> {
        if i32::try_from(text.len()).is_err() {
            return Err(EngineError::ContextOverflow { prompt: u32::MAX, max: 1, limit: self.window });
        }
        let vocab = self.model.vocab();
        let Some(mark) = mark else {
            return Ok(vocab.tokenize(text.as_bytes(), false, true));
        };
        let mut tokens = Vec::new();
        for piece in self.specials.pieces(text, mark) {
            match piece {
                Piece::Template(text) => tokens.extend(vocab.tokenize(text.as_bytes(), false, true)),
                Piece::Plain(text) => tokens.extend(vocab.tokenize(text.as_bytes(), false, false)),
            }
        }
        Ok(tokens)
    }
}

/// The letters of a turn that every template writes out: some leave away reasoning and what surrounds it.
fn certain_letters(message: &ChatMessage) -> usize {
    let of_part = |part: &Part| match part {
        Part::Text(text) if message.role != Role::Assistant => letters(text),
        Part::ToolResult { content, .. } => letters(content),
        _ => 0,
    };
    message.parts.iter().map(of_part).sum()
}

/// Bytes that are no white space.
fn letters(text: &str) -> usize {
    text.bytes().filter(|byte| !byte.is_ascii_whitespace()).count()
}

/// For each cache point, the chat that ends there.
fn chats_before_cache_points(chat: &Chat) -> Vec<Chat> {
    let mut chats = Vec::new();
    for (index, message) in chat.messages.iter().enumerate() {
        for (place, part) in message.parts.iter().enumerate() {
            if !matches!(part, Part::CachePoint) {
                continue;
            }
            let mut messages = chat.messages[..index].to_vec();
            let parts: Vec<Part> =
                message.parts[..place].iter().filter(|part| !matches!(part, Part::CachePoint)).cloned().collect();
            if !parts.is_empty() {
                messages.push(ChatMessage { role: message.role, parts });
            }
            chats.push(Chat { messages, tools: chat.tools.clone(), tool_choice: chat.tool_choice.clone() });
        }
    }
    chats
}

fn common(a: &[LlamaToken], b: &[LlamaToken]) -> u32 {
    let shared = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    u32::try_from(shared).unwrap_or(u32::MAX)
}

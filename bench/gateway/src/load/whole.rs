//! Whether an answer is whole: the upstream's words, each once and in order, and the end that the dialect has.

use crate::answers::word;
use crate::http::Answer;
use memchr::memmem;

/// What a whole answer holds.
pub struct Expected {
    words: Vec<Vec<u8>>,
    streamed: bool,
}

impl Expected {
    /// This many words.
    pub fn new(words: usize, streamed: bool) -> Self {
        Self { words: (0..words).map(|index| word(index).trim_end().as_bytes().to_vec()).collect(), streamed }
    }

    /// Whether the first word has come.
    pub fn begun(&self, body: &[u8]) -> bool {
        self.words.first().is_some_and(|word| memmem::find(body, word).is_some())
    }

    /// Why the answer is not whole, if it is not.
    pub fn missing(&self, answer: &Answer) -> Option<String> {
        let body = &answer.body;
        if answer.status != 200 {
            return Some(format!("{}: {}", answer.status, String::from_utf8_lossy(&body[..body.len().min(300)])));
        }
        let mut at = 0;
        for word in &self.words {
            match memmem::find(&body[at..], word) {
                Some(found) => at += found + word.len(),
                None => return Some(format!("'{}' is not where it belongs", String::from_utf8_lossy(word))),
            }
        }
        // One of what ends a stream of chat completions, of Messages and of Converse.
        let ends: [&[u8]; 3] = [b"[DONE]", b"\"message_stop\"", b"\"outputTokens\""];
        if self.streamed && !ends.iter().any(|end| memmem::find(&body[at..], end).is_some()) {
            return Some("the stream has no end".to_owned());
        }
        if self.words.first().is_some_and(|first| memmem::find(&body[at..], first).is_some()) {
            return Some("the text came twice".to_owned());
        }
        None
    }
}

//! `<think>` tags: some models write their reasoning before the answer, and some servers leave it there.

const OPEN: &str = "<think>";
const CLOSE: &str = "</think>";

/// What a piece of text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Reasoning,
}

/// Tells reasoning from text while it comes.
pub(super) struct Splitter {
    /// Tags are looked for.
    tags: bool,
    state: State,
    /// What may be the beginning of a tag.
    held: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing but white space so far.
    Start,
    Inside,
    /// Behind the tag: its line ends are part of it.
    Behind,
    Text,
}

impl Splitter {
    pub(super) fn new(tags: bool) -> Self {
        Self { tags, state: State::Start, held: String::new() }
    }

    /// Whether all text is text from here on.
    pub(super) fn is_through(&self) -> bool {
        self.state == State::Text
    }

    /// Takes `text` and gives what is certain.
    pub(super) fn push(&mut self, text: &str, say: &mut dyn FnMut(Kind, String)) {
        self.held.push_str(text);
        loop {
            match self.state {
                State::Start => {
                    let begun = self.held.trim_start();
                    if begun.is_empty() || (self.tags && OPEN.starts_with(begun) && begun != OPEN) {
                        return;
                    }
                    match begun.strip_prefix(OPEN).filter(|_| self.tags) {
                        Some(rest) => {
                            self.held = rest.to_owned();
                            self.state = State::Inside;
                        }
                        None => self.state = State::Text,
                    }
                }
                State::Inside => {
                    let Some(end) = self.held.find(CLOSE) else {
                        let certain = self.held.len() - tail(&self.held);
                        let rest = self.held.split_off(certain);
                        let thought = std::mem::replace(&mut self.held, rest);
                        if !thought.is_empty() {
                            say(Kind::Reasoning, thought);
                        }
                        return;
                    };
                    let rest = self.held.split_off(end + CLOSE.len());
                    self.held.truncate(end);
                    let thought = std::mem::replace(&mut self.held, rest);
                    if !thought.is_empty() {
                        say(Kind::Reasoning, thought);
                    }
                    self.state = State::Behind;
                }
                State::Behind => {
                    self.held = self.held.trim_start_matches(['\n', '\r']).to_owned();
                    if self.held.is_empty() {
                        return;
                    }
                    self.state = State::Text;
                }
                State::Text => {
                    if !self.held.is_empty() {
                        say(Kind::Text, std::mem::take(&mut self.held));
                    }
                    return;
                }
            }
        }
    }

    /// Gives what was held back. White space alone is no answer: Bedrock refuses it when it is sent back.
    pub(super) fn finish(&mut self, say: &mut dyn FnMut(Kind, String)) {
        if !self.held.trim().is_empty() {
            let kind = if self.state == State::Inside { Kind::Reasoning } else { Kind::Text };
            say(kind, std::mem::take(&mut self.held));
        }
        self.held.clear();
    }
}

/// How much of the end of `text` may be the beginning of the closing tag.
fn tail(text: &str) -> usize {
    (1..CLOSE.len()).rev().find(|n| text.ends_with(&CLOSE[..*n])).unwrap_or(0)
}

//! One text, cut into windows that are encoded at most once.

use std::cell::OnceCell;
use std::ops::Range;

use crate::encoder::{EncodeError, Encoded, Encoder};

/// About how many tokens a window has. The encoder reads 256; the estimate may be short by a quarter.
const TOKENS: usize = 200;
/// About how many of them the next window has too: what is cut in two here is whole there.
const OVERLAP: usize = 50;
/// A window ends here though its characters make no tokens.
const BYTES: usize = 4096;

/// A stretch of a text that is judged as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// Its bytes.
    pub range: Range<usize>,
}

/// One text for all detectors that look at its meaning.
pub struct Scan<'a> {
    text: &'a str,
    encoder: &'a dyn Encoder,
    windows: Vec<Window>,
    encoded: Vec<OnceCell<Result<Encoded, EncodeError>>>,
}

impl<'a> Scan<'a> {
    /// `text`, nothing encoded yet.
    pub fn new(text: &'a str, encoder: &'a dyn Encoder) -> Self {
        let windows = windows(text);
        let encoded = windows.iter().map(|_| OnceCell::new()).collect();
        Self { text, encoder, windows, encoded }
    }

    /// The text.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// Its windows, in order; there is at least one.
    pub fn windows(&self) -> &[Window] {
        &self.windows
    }

    /// The text of a window.
    pub fn window(&self, at: usize) -> &'a str {
        self.windows.get(at).and_then(|window| self.text.get(window.range.clone())).unwrap_or_default()
    }

    /// The encoding of one window, made at the first call: a window that is settled without it is never encoded.
    pub fn encoded(&self, at: usize) -> Result<&Encoded, EncodeError> {
        let Some(cell) = self.encoded.get(at) else {
            return Err(EncodeError(format!("there is no window {at}")));
        };
        cell.get_or_init(|| self.encode(self.window(at))).as_ref().map_err(Clone::clone)
    }

    /// The encoding of another text than a window, such as what a window hides.
    pub(crate) fn encode(&self, text: &str) -> Result<Encoded, EncodeError> {
        let encoded = self.encoder.encode(&[text])?;
        encoded.into_iter().next().ok_or_else(|| EncodeError("the encoder answered nothing".to_owned()))
    }
}

/// Cuts between words where there are any. The time is linear in the text, whatever it consists of.
pub fn windows(text: &str) -> Vec<Window> {
    let mut windows = Vec::new();
    // Where words begin, with the tokens before them: the next window begins at one of them.
    let mut starts: Vec<(usize, usize)> = vec![(0, 0)];
    let (mut start, mut tokens, mut run, mut spaced) = (0, 0, 0, false);
    for (at, c) in text.char_indices() {
        let (word, begins) = (c.is_alphanumeric(), spaced);
        spaced = c.is_whitespace();
        if begins && !spaced {
            starts.push((at, tokens));
        }
        if tokens >= TOKENS || at - start >= BYTES {
            // Back to the last space, unless there is none in the second half.
            let end = starts.last().map_or(at, |&(end, _)| end);
            let (end, until) = if end > start + (at - start) / 2 {
                (end, starts.last().map_or(tokens, |s| s.1))
            } else {
                (at, tokens)
            };
            windows.push(Window { range: start..end });
            let next = starts
                .iter()
                .find(|&&(place, before)| place > start && before + OVERLAP >= until && end - place <= BYTES / 4);
            let (next, before) = next.map_or((end, until), |&found| found);
            starts.retain(|&(place, _)| place >= next);
            starts.iter_mut().for_each(|(_, count)| *count = count.saturating_sub(before));
            (start, tokens) = (next, tokens.saturating_sub(before));
        }
        run = if word { run + 1 } else { 0 };
        tokens += match c {
            _ if spaced => 0,
            // A word is one token to seven letters, then one more for every five; other scripts fall apart sooner.
            c if word && c.is_ascii() => usize::from(run == 1 || (run > 7 && run % 5 == 0)),
            c if word && c.len_utf8() > 2 => 1,
            _ if word => usize::from(run % 2 == 1),
            c if c.is_ascii_punctuation() => 1,
            c => usize::from(c.len_utf8() > 2),
        };
    }
    if start < text.len() || windows.is_empty() {
        windows.push(Window { range: start..text.len() });
    }
    windows
}

#[cfg(test)]
mod tests;

//! One text, cut into windows that are encoded at most once.

use std::cell::OnceCell;
use std::ops::Range;

use crate::encoder::{EncodeError, Encoded, Encoder};

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
    encoded: OnceCell<Result<Vec<Encoded>, EncodeError>>,
}

impl<'a> Scan<'a> {
    /// `text`, nothing encoded yet.
    pub fn new(text: &'a str, encoder: &'a dyn Encoder) -> Self {
        let windows = vec![Window { range: 0..text.len() }];
        Self { text, encoder, windows, encoded: OnceCell::new() }
    }

    /// The text.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// Its windows, in order; there is at least one.
    pub fn windows(&self) -> &[Window] {
        &self.windows
    }

    /// Their encodings, made at the first call.
    pub fn encoded(&self) -> Result<&[Encoded], EncodeError> {
        let encode = || {
            let texts: Vec<&str> = self.windows.iter().map(|window| &self.text[window.range.clone()]).collect();
            self.encoder.encode(&texts)
        };
        self.encoded.get_or_init(encode).as_deref().map_err(Clone::clone)
    }
}

//! Appends JSON to one buffer, commas included.

use std::io::Write as _;

/// Writes one JSON text.
#[derive(Debug, Default)]
pub struct Writer {
    out: Vec<u8>,
    comma: bool,
}

impl Writer {
    /// A writer that appends to `out`.
    pub fn new(out: Vec<u8>) -> Self {
        Self { out, comma: false }
    }

    /// The text so far.
    pub fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    fn separate(&mut self) {
        if self.comma {
            self.out.push(b',');
        }
        self.comma = true;
    }

    /// `{`
    pub fn begin_object(&mut self) {
        self.separate();
        self.out.push(b'{');
        self.comma = false;
    }

    /// `}`
    pub fn end_object(&mut self) {
        self.out.push(b'}');
        self.comma = true;
    }

    /// `[`
    pub fn begin_array(&mut self) {
        self.separate();
        self.out.push(b'[');
        self.comma = false;
    }

    /// `]`
    pub fn end_array(&mut self) {
        self.out.push(b']');
        self.comma = true;
    }

    /// A key; its value is written next.
    pub fn key(&mut self, key: &str) {
        self.string(key);
        self.out.push(b':');
        self.comma = false;
    }

    /// A string.
    pub fn string(&mut self, text: &str) {
        self.separate();
        self.out.push(b'"');
        let bytes = text.as_bytes();
        let mut from = 0;
        for (i, &b) in bytes.iter().enumerate() {
            let short = match b {
                b'"' => b'"',
                b'\\' => b'\\',
                b'\n' => b'n',
                b'\r' => b'r',
                b'\t' => b't',
                0x00..=0x1f => 0,
                _ => continue,
            };
            self.out.extend_from_slice(&bytes[from..i]);
            if short == 0 {
                let _ = write!(self.out, "\\u{b:04x}");
            } else {
                self.out.extend_from_slice(&[b'\\', short]);
            }
            from = i + 1;
        }
        self.out.extend_from_slice(&bytes[from..]);
        self.out.push(b'"');
    }

    /// A whole number.
    pub fn whole(&mut self, n: i64) {
        self.separate();
        let _ = write!(self.out, "{n}");
    }

    /// A real number, in the shortest form that reads back the same and always with a fraction or exponent.
    /// JSON has no infinities: they become `null`.
    pub fn real(&mut self, n: f64) {
        self.separate();
        let _ = if n.is_finite() { write!(self.out, "{n:?}") } else { write!(self.out, "null") };
    }

    /// A real number of single precision: `0.7`, not `0.699999988079071`.
    pub fn single(&mut self, n: f32) {
        self.separate();
        let _ = if n.is_finite() { write!(self.out, "{n:?}") } else { write!(self.out, "null") };
    }

    /// `true` or `false`.
    pub fn boolean(&mut self, b: bool) {
        self.separate();
        self.out.extend_from_slice(if b { b"true" } else { b"false" });
    }

    /// `null`.
    pub fn null(&mut self) {
        self.separate();
        self.out.extend_from_slice(b"null");
    }

    /// Bytes as a base64 string.
    pub fn blob(&mut self, bytes: &[u8]) {
        self.separate();
        self.out.push(b'"');
        let from = self.out.len();
        self.out.resize(from + bytes.len().div_ceil(3) * 4, 0);
        // The space is exactly what standard, padded base64 needs, so this cannot fail.
        let _ = base64::Engine::encode_slice(&base64::prelude::BASE64_STANDARD, bytes, &mut self.out[from..]);
        self.out.push(b'"');
    }

    /// A document of any form.
    pub fn document(&mut self, value: &serde_json::Value) {
        self.separate();
        // Writing a `Value` to memory cannot fail.
        let _ = serde_json::to_writer(&mut self.out, value);
    }
}

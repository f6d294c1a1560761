//! A pull reader over one JSON text (RFC 8259).

use std::borrow::Cow;

/// How deep arrays and objects may nest. Deeper input is refused before it can cost a stack.
pub const MAX_DEPTH: u32 = 128;
const TOO_DEEP: &str = "nested more than 128 levels deep";

/// Where and why the text is not JSON, or not the JSON that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} at byte {at}")]
pub struct Error {
    /// Byte offset into the text.
    pub at: usize,
    /// What is wrong there.
    pub what: Cow<'static, str>,
}

/// What stands next in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token {
    /// `{`
    Object,
    /// `[`
    Array,
    /// A string.
    String,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// `null`
    Null,
}

impl Error {
    /// Whether it is JSON, but nested deeper than is read here.
    pub fn is_depth(&self) -> bool {
        self.what == TOO_DEEP
    }
}

impl Token {
    /// The value's name in an error message.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Object => "an object",
            Self::Array => "a list",
            Self::String => "a string",
            Self::Number => "a number",
            Self::Boolean => "a boolean",
            Self::Null => "null",
        }
    }
}

/// A number as written: whole where it has neither fraction nor exponent and fits 64 bits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// A whole number below 2^63.
    Whole(i64),
    /// A whole number from 2^63 to 2^64.
    Large(u64),
    /// Everything else.
    Real(f64),
}

/// Reads one JSON text from front to back.
pub struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: u32,
}

type Result<T> = std::result::Result<T, Error>;

impl<'a> Reader<'a> {
    /// A reader at the beginning of `bytes`, which must be UTF-8.
    pub fn new(bytes: &'a [u8]) -> Result<Self> {
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Self { text, at: 0, depth: 0 }),
            Err(e) => Err(Error { at: e.valid_up_to(), what: "the text is not valid UTF-8".into() }),
        }
    }

    fn fail<T>(&self, what: impl Into<Cow<'static, str>>) -> Result<T> {
        Err(Error { at: self.at, what: what.into() })
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blank(&mut self) {
        while matches!(self.byte(), Some(b' ' | b'\n' | b'\t' | b'\r')) {
            self.at += 1;
        }
    }

    /// How many bytes have been read.
    pub fn position(&self) -> usize {
        self.at
    }

    /// What stands next, without taking it.
    pub fn peek(&mut self) -> Result<Token> {
        self.blank();
        Ok(match self.byte() {
            Some(b'{') => Token::Object,
            Some(b'[') => Token::Array,
            Some(b'"') => Token::String,
            Some(b'-' | b'0'..=b'9') => Token::Number,
            Some(b't' | b'f') => Token::Boolean,
            Some(b'n') => Token::Null,
            Some(_) => return self.fail("expected a JSON value"),
            None => return self.fail("the text ends where a JSON value is expected"),
        })
    }

    /// Nothing but blanks may follow.
    pub fn end(&mut self) -> Result<()> {
        self.blank();
        if self.at == self.text.len() { Ok(()) } else { self.fail("unexpected text after the JSON value") }
    }

    fn open(&mut self, brace: u8, what: &'static str) -> Result<()> {
        self.blank();
        if self.byte() != Some(brace) {
            return self.fail(what);
        }
        if self.depth == MAX_DEPTH {
            return self.fail(TOO_DEEP);
        }
        self.at += 1;
        self.depth += 1;
        Ok(())
    }

    /// Enters an object; then call [`Reader::next_key`] until it answers `None`.
    pub fn begin_object(&mut self) -> Result<()> {
        self.open(b'{', "expected an object")
    }

    /// Enters an array; then call [`Reader::next_element`] until it answers `false`.
    pub fn begin_array(&mut self) -> Result<()> {
        self.open(b'[', "expected a list")
    }

    /// Steps over the comma or to the closing `brace`; true where another item follows.
    fn next_item(&mut self, first: bool, brace: u8) -> Result<bool> {
        self.blank();
        match self.byte() {
            Some(b) if b == brace => {
                self.at += 1;
                self.depth -= 1;
                Ok(false)
            }
            Some(b',') if !first => {
                self.at += 1;
                Ok(true)
            }
            Some(_) if first => Ok(true),
            Some(_) => self.fail("expected a comma or the end of the value"),
            None => self.fail("the text ends inside an object or list"),
        }
    }

    /// The next key of the object, or `None` at its end. `first` is true on the first call for this object.
    pub fn next_key(&mut self, first: bool) -> Result<Option<Cow<'a, str>>> {
        if !self.next_item(first, b'}')? {
            return Ok(None);
        }
        self.blank();
        let key = self.string()?;
        self.blank();
        if self.byte() != Some(b':') {
            return self.fail("expected a colon");
        }
        self.at += 1;
        Ok(Some(key))
    }

    /// True where another element of the array follows. `first` is true on the first call for this array.
    pub fn next_element(&mut self, first: bool) -> Result<bool> {
        self.next_item(first, b']')
    }

    /// A string, borrowed where it has no escapes.
    pub fn string(&mut self) -> Result<Cow<'a, str>> {
        self.blank();
        if self.byte() != Some(b'"') {
            return self.fail("expected a string");
        }
        self.at += 1;
        let bytes = self.text.as_bytes();
        let mut start = self.at;
        let mut owned: Option<String> = None;
        loop {
            while matches!(bytes.get(self.at), Some(&b) if b >= 0x20 && b != b'"' && b != b'\\') {
                self.at += 1;
            }
            match bytes.get(self.at) {
                Some(b'"') => {
                    let part = &self.text[start..self.at];
                    self.at += 1;
                    return Ok(match owned {
                        None => Cow::Borrowed(part),
                        Some(mut s) => {
                            s.push_str(part);
                            Cow::Owned(s)
                        }
                    });
                }
                Some(b'\\') => {
                    let s = owned.get_or_insert_default();
                    s.push_str(&self.text[start..self.at]);
                    self.at += 1;
                    let c = self.escape()?;
                    s.push(c);
                    start = self.at;
                }
                Some(_) => return self.fail("a control character stands unescaped in a string"),
                None => return self.fail("the text ends inside a string"),
            }
        }
    }

    fn escape(&mut self) -> Result<char> {
        let Some(b) = self.byte() else { return self.fail("the text ends inside a string") };
        self.at += 1;
        Ok(match b {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let high = self.hex4()?;
                let code = if (0xD800..0xDC00).contains(&high) && self.text[self.at..].starts_with("\\u") {
                    self.at += 2;
                    let low = self.hex4()?;
                    if !(0xDC00..0xE000).contains(&low) {
                        return self.fail("a lone surrogate stands in a string");
                    }
                    0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)
                } else {
                    high
                };
                match char::from_u32(code) {
                    Some(c) => c,
                    None => return self.fail("a lone surrogate stands in a string"),
                }
            }
            _ => return self.fail("unknown escape in a string"),
        })
    }

    fn hex4(&mut self) -> Result<u32> {
        let digits = self.text.as_bytes().get(self.at..self.at + 4).unwrap_or_default();
        let mut code = 0;
        for d in digits {
            let Some(v) = (*d as char).to_digit(16) else { return self.fail("\\u wants four hexadecimal digits") };
            code = code * 16 + v;
        }
        if digits.len() < 4 {
            return self.fail("\\u wants four hexadecimal digits");
        }
        self.at += 4;
        Ok(code)
    }

    fn digits(&mut self) -> usize {
        let from = self.at;
        while matches!(self.byte(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at - from
    }

    /// A number.
    pub fn number(&mut self) -> Result<Number> {
        self.blank();
        let start = self.at;
        if self.byte() == Some(b'-') {
            self.at += 1;
        }
        let zero = self.byte() == Some(b'0');
        let whole_digits = self.digits();
        if whole_digits == 0 || (zero && whole_digits > 1) {
            return self.fail("malformed number");
        }
        let mut whole = true;
        if self.byte() == Some(b'.') {
            whole = false;
            self.at += 1;
            if self.digits() == 0 {
                return self.fail("malformed number");
            }
        }
        if matches!(self.byte(), Some(b'e' | b'E')) {
            whole = false;
            self.at += 1;
            if matches!(self.byte(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if self.digits() == 0 {
                return self.fail("malformed number");
            }
        }
        let raw = &self.text[start..self.at];
        if whole {
            if let Ok(n) = raw.parse() {
                return Ok(Number::Whole(n));
            }
            if let Ok(n) = raw.parse() {
                return Ok(Number::Large(n));
            }
        }
        match raw.parse::<f64>() {
            Ok(n) if n.is_finite() => Ok(Number::Real(n)),
            _ => self.fail("the number is out of range"),
        }
    }

    fn word(&mut self, word: &'static str) -> Result<()> {
        self.blank();
        if self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            self.at += word.len();
            return Ok(());
        }
        self.fail(format!("expected {word}"))
    }

    /// `true` or `false`.
    pub fn boolean(&mut self) -> Result<bool> {
        self.blank();
        if self.byte() == Some(b't') { self.word("true").map(|()| true) } else { self.word("false").map(|()| false) }
    }

    /// `null`.
    pub fn null(&mut self) -> Result<()> {
        self.word("null")
    }

    /// Steps over one value of any kind without keeping it.
    pub fn skip(&mut self) -> Result<()> {
        match self.peek()? {
            Token::Object => {
                self.begin_object()?;
                let mut first = true;
                while self.next_key(first)?.is_some() {
                    first = false;
                    self.skip()?;
                }
                Ok(())
            }
            Token::Array => {
                self.begin_array()?;
                let mut first = true;
                while self.next_element(first)? {
                    first = false;
                    self.skip()?;
                }
                Ok(())
            }
            Token::String => self.string().map(drop),
            Token::Number => self.number().map(drop),
            Token::Boolean => self.boolean().map(drop),
            Token::Null => self.null(),
        }
    }

    /// One value of any kind, kept.
    pub fn value(&mut self) -> Result<serde_json::Value> {
        use serde_json::Value;
        Ok(match self.peek()? {
            Token::Object => {
                let mut map = serde_json::Map::new();
                self.begin_object()?;
                let mut first = true;
                while let Some(key) = self.next_key(first)? {
                    first = false;
                    let value = self.value()?;
                    map.insert(key.into_owned(), value);
                }
                Value::Object(map)
            }
            Token::Array => {
                let mut list = Vec::new();
                self.begin_array()?;
                let mut first = true;
                while self.next_element(first)? {
                    first = false;
                    list.push(self.value()?);
                }
                Value::Array(list)
            }
            Token::String => Value::String(self.string()?.into_owned()),
            Token::Number => match self.number()? {
                Number::Whole(n) => n.into(),
                Number::Large(n) => n.into(),
                Number::Real(n) => n.into(),
            },
            Token::Boolean => Value::Bool(self.boolean()?),
            Token::Null => {
                self.null()?;
                Value::Null
            }
        })
    }
}

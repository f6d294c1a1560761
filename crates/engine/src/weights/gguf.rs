//! Reads what a GGUF file says about itself, without trusting a byte of it.
//!
//! The layout is that of the GGUF specification, versions 2 and 3, little endian: magic, version, counts, metadata
//! pairs, tensor descriptions. Every length is checked against what is left of a bounded header before anything is
//! allocated, so a hostile file costs time in proportion to its size and no memory worth naming.

use std::io::{BufRead, Read};

use serde::{Deserialize, Serialize};

/// No honest header is longer: vocabularies of a quarter million tokens with their merges take some 20 MB.
const HEADER_LIMIT: u64 = 256 << 20;
/// The longest text kept in memory; chat templates are the longest and stay under 64 kB.
const TEXT_LIMIT: u64 = 1 << 20;
/// Arrays of arrays exist in the format; nothing nests deeper than two.
const NESTING_LIMIT: u32 = 4;
/// The ends of the keys whose numbers are kept.
const SIZES: [&str; 7] = [
    ".context_length",
    ".block_count",
    ".embedding_length",
    ".attention.head_count",
    ".attention.head_count_kv",
    ".attention.key_length",
    ".attention.value_length",
];
/// Longer lists are not sizes by layer.
const LAYERS_LIMIT: u64 = 4096;
/// ggml refuses more dimensions.
const DIMENSIONS_LIMIT: u32 = 4;

/// What a GGUF file says about itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GgufHeader {
    /// `general.architecture`, such as `llama`.
    pub architecture: String,
    /// `general.name`.
    pub name: Option<String>,
    /// `general.license`.
    pub licence: Option<String>,
    /// `general.type` where it is not a plain model: `adapter`, `mmproj`, …
    pub role: Option<String>,
    /// How many tokens the model was trained to look back on.
    pub context_length: Option<u64>,
    /// The number of weights.
    pub parameters: u64,
    /// The file type, such as `Q4_1`.
    pub quantisation: Option<String>,
    /// A chat template is in the file.
    pub chat_template: bool,
    /// The model pools its states into one vector.
    pub embedding: bool,
    /// How many files the model is split into, 1 when it is whole.
    pub parts: u64,
    /// Keys and values of one token, in numbers, as far as the header tells; more where layers differ.
    #[serde(default)]
    pub cache_per_token: u64,
}

/// Why a file's header cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum GgufError {
    /// The first four bytes are not `GGUF`.
    #[error("it is not a GGUF file")]
    Magic,
    /// A version or byte order that nobody writes any more.
    #[error("GGUF version {0} is not supported (2 and 3 are)")]
    Version(u32),
    /// The file ends inside its header.
    #[error("it is cut short")]
    Short,
    /// A length or type makes no sense.
    #[error("its header is damaged: {0}")]
    Damaged(&'static str),
    /// The file system said no.
    #[error("it cannot be read: {0}")]
    Io(std::io::Error),
}

/// Reads the header of a GGUF file of `length` bytes.
pub fn read(file: impl BufRead, length: u64) -> Result<GgufHeader, GgufError> {
    let limit = length.min(HEADER_LIMIT);
    Reader { left: limit, file }.header(length)
}

struct Reader<R> {
    file: R,
    left: u64,
}

enum Value {
    Integer(u64),
    Text(String),
    Other,
}

impl<R: BufRead> Reader<R> {
    fn header(mut self, length: u64) -> Result<GgufHeader, GgufError> {
        let magic = self.bytes::<4>().map_err(|e| if matches!(e, GgufError::Short) { GgufError::Magic } else { e })?;
        if magic != *b"GGUF" {
            return Err(GgufError::Magic);
        }
        let version = self.u32()?;
        if version != 2 && version != 3 {
            return Err(GgufError::Version(version));
        }
        let tensors = self.u64()?;
        let pairs = self.u64()?;
        let mut header = GgufHeader { parts: 1, ..GgufHeader::default() };
        // What belongs to an architecture, by key; it may stand before the architecture's own name.
        let mut numbers: Vec<(String, u64)> = Vec::new();
        // Each pair and each tensor takes bytes, so the counts need no limit of their own.
        for _ in 0..pairs {
            let key = self.text()?;
            let value = self.value()?;
            match (key.as_str(), value) {
                ("general.architecture", Value::Text(text)) => header.architecture = text,
                ("general.name", Value::Text(text)) => header.name = Some(text),
                ("general.license", Value::Text(text)) => header.licence = Some(text),
                ("general.type", Value::Text(text)) if text != "model" => header.role = Some(text),
                ("general.file_type", Value::Integer(number)) => header.quantisation = file_type(number),
                ("tokenizer.chat_template", Value::Text(text)) => header.chat_template = !text.is_empty(),
                ("split.count", Value::Integer(number)) => header.parts = number.max(1),
                (key, Value::Integer(number)) if SIZES.iter().any(|size| key.ends_with(size)) && numbers.len() < 64 => {
                    numbers.push((key.to_owned(), number));
                }
                (key, Value::Integer(_)) if key.ends_with(".pooling_type") => header.embedding = true,
                _ => {}
            }
        }
        if header.architecture.is_empty() {
            return Err(GgufError::Damaged("general.architecture is missing"));
        }
        let own = |size: &str| {
            let own = |key: &str| key.strip_prefix(header.architecture.as_str()) == Some(size);
            numbers.iter().find(|(key, _)| own(key)).map(|(_, number)| *number)
        };
        let cache = cache_per_token(&own);
        (header.context_length, header.cache_per_token) = (own(SIZES[0]), cache);
        let mut furthest = 0;
        for _ in 0..tensors {
            self.skip_text()?;
            let dimensions = self.u32()?;
            if dimensions > DIMENSIONS_LIMIT {
                return Err(GgufError::Damaged("a tensor has too many dimensions"));
            }
            let mut size = 1u64;
            for _ in 0..dimensions {
                size = size.checked_mul(self.u64()?).ok_or(GgufError::Damaged("a tensor is too large"))?;
            }
            self.u32()?;
            furthest = furthest.max(self.u64()?);
            header.parameters =
                header.parameters.checked_add(size).ok_or(GgufError::Damaged("the tensors are too large"))?;
        }
        let read = length.min(HEADER_LIMIT) - self.left;
        if tensors > 0 && read.checked_add(furthest).is_none_or(|end| end >= length) {
            return Err(GgufError::Short);
        }
        Ok(header)
    }

    fn value(&mut self) -> Result<Value, GgufError> {
        let kind = self.u32()?;
        self.scalar(kind)
    }

    fn scalar(&mut self, kind: u32) -> Result<Value, GgufError> {
        Ok(match kind {
            0 => Value::Integer(self.bytes::<1>()?[0].into()),
            2 => Value::Integer(u16::from_le_bytes(self.bytes()?).into()),
            4 => Value::Integer(self.u32()?.into()),
            // Some writers use signed integers for counts.
            5 => u64::try_from(i32::from_le_bytes(self.bytes()?)).map_or(Value::Other, Value::Integer),
            10 => Value::Integer(self.u64()?),
            11 => u64::try_from(i64::from_le_bytes(self.bytes()?)).map_or(Value::Other, Value::Integer),
            8 => {
                let length = self.u64()?;
                // Some files carry a whole tokenizer in one text; nothing of that size is of use here.
                if length > TEXT_LIMIT {
                    self.skip(length)?;
                    return Ok(Value::Other);
                }
                Value::Text(self.text_of(length)?)
            }
            9 => self.most_of_short_list()?,
            other => {
                self.skip_value(other, 0)?;
                Value::Other
            }
        })
    }

    /// Sizes that differ by layer are lists; the largest is what they can be taken for. Other lists are skipped.
    fn most_of_short_list(&mut self) -> Result<Value, GgufError> {
        let inner = self.u32()?;
        let count = self.u64()?;
        if !matches!(inner, 4 | 5 | 10 | 11) || count > LAYERS_LIMIT {
            self.skip_list(inner, count, 0)?;
            return Ok(Value::Other);
        }
        let mut most = 0;
        for _ in 0..count {
            if let Value::Integer(number) = self.scalar(inner)? {
                most = most.max(number);
            }
        }
        Ok(Value::Integer(most))
    }

    fn skip_list(&mut self, inner: u32, count: u64, depth: u32) -> Result<(), GgufError> {
        if let Some(size) = scalar_size(inner) {
            return self.skip(count.checked_mul(size).ok_or(GgufError::Short)?);
        }
        for _ in 0..count {
            self.skip_value(inner, depth + 1)?;
        }
        Ok(())
    }

    fn skip_value(&mut self, kind: u32, depth: u32) -> Result<(), GgufError> {
        if let Some(size) = scalar_size(kind) {
            return self.skip(size);
        }
        match kind {
            8 => self.skip_text(),
            9 if depth < NESTING_LIMIT => {
                let inner = self.u32()?;
                let count = self.u64()?;
                self.skip_list(inner, count, depth)
            }
            9 => Err(GgufError::Damaged("arrays nest too deeply")),
            _ => Err(GgufError::Damaged("a value has an unknown type")),
        }
    }

    fn text(&mut self) -> Result<String, GgufError> {
        let length = self.u64()?;
        self.text_of(length)
    }

    fn text_of(&mut self, length: u64) -> Result<String, GgufError> {
        if length > self.left {
            return Err(GgufError::Short);
        }
        if length > TEXT_LIMIT {
            return Err(GgufError::Damaged("a text is too long"));
        }
        self.left -= length;
        let mut bytes = Vec::new();
        let read = self.file.by_ref().take(length).read_to_end(&mut bytes).map_err(GgufError::Io)?;
        if read as u64 != length {
            return Err(GgufError::Short);
        }
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn skip_text(&mut self) -> Result<(), GgufError> {
        let length = self.u64()?;
        self.skip(length)
    }

    fn skip(&mut self, mut length: u64) -> Result<(), GgufError> {
        if length > self.left {
            return Err(GgufError::Short);
        }
        self.left -= length;
        while length > 0 {
            let buffered = self.file.fill_buf().map_err(GgufError::Io)?.len();
            if buffered == 0 {
                return Err(GgufError::Short);
            }
            let n = usize::try_from(length).map_or(buffered, |length| length.min(buffered));
            self.file.consume(n);
            length -= n as u64;
        }
        Ok(())
    }

    fn u32(&mut self) -> Result<u32, GgufError> {
        Ok(u32::from_le_bytes(self.bytes()?))
    }
    fn u64(&mut self) -> Result<u64, GgufError> {
        Ok(u64::from_le_bytes(self.bytes()?))
    }
    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], GgufError> {
        self.left = self.left.checked_sub(N as u64).ok_or(GgufError::Short)?;
        let mut bytes = [0; N];
        self.file.read_exact(&mut bytes).map_err(|e| match e.kind() {
            std::io::ErrorKind::UnexpectedEof => GgufError::Short,
            _ => GgufError::Io(e),
        })?;
        Ok(bytes)
    }
}

/// As llama.cpp derives it: what is not said follows from the number of heads and the width.
fn cache_per_token(own: &impl Fn(&str) -> Option<u64>) -> u64 {
    let heads = own(".attention.head_count").unwrap_or(0).max(1);
    let width = own(".embedding_length").unwrap_or(0) / heads;
    let key = own(".attention.key_length").unwrap_or(width);
    let value = own(".attention.value_length").unwrap_or(width);
    let kept = own(".attention.head_count_kv").unwrap_or(heads);
    let both = key.saturating_add(value);
    own(".block_count").unwrap_or(0).saturating_mul(kept).saturating_mul(both)
}

const fn scalar_size(kind: u32) -> Option<u64> {
    match kind {
        0 | 1 | 7 => Some(1),
        2 | 3 => Some(2),
        4..=6 => Some(4),
        10..=12 => Some(8),
        _ => None,
    }
}

/// The names of llama.cpp's `llama_ftype`.
fn file_type(number: u64) -> Option<String> {
    let name = match number {
        0 => "F32",
        1 => "F16",
        2 => "Q4_0",
        3 => "Q4_1",
        7 => "Q8_0",
        8 => "Q5_0",
        9 => "Q5_1",
        10 => "Q2_K",
        11 => "Q3_K_S",
        12 => "Q3_K_M",
        13 => "Q3_K_L",
        14 => "Q4_K_S",
        15 => "Q4_K_M",
        16 => "Q5_K_S",
        17 => "Q5_K_M",
        18 => "Q6_K",
        19 => "IQ2_XXS",
        20 => "IQ2_XS",
        21 => "Q2_K_S",
        22 => "IQ3_XS",
        23 => "IQ3_XXS",
        24 => "IQ1_S",
        25 => "IQ4_NL",
        26 => "IQ3_S",
        27 => "IQ3_M",
        28 => "IQ2_S",
        29 => "IQ2_M",
        30 => "IQ4_XS",
        31 => "IQ1_M",
        32 => "BF16",
        36 => "TQ1_0",
        37 => "TQ2_0",
        38 => "MXFP4",
        _ => return None,
    };
    Some(name.to_owned())
}

#[cfg(test)]
pub(super) mod tests;

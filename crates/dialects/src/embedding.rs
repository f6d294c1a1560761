//! The request for vectors that the embedding dialects share, and the number formats that they answer in.

use serde_json::Value;

/// Texts to turn into vectors.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EmbeddingRequest {
    /// One vector is asked for each.
    pub texts: Vec<String>,
    /// How long a vector should be; the model's own length where absent.
    pub dimensions: Option<u32>,
    /// Vectors of length one.
    pub normalize: bool,
    /// What the vectors are for.
    pub input_type: Option<InputType>,
    /// The formats that were named; none named means floats.
    pub types: Vec<EmbeddingType>,
    /// What happens to a text that is too long.
    pub truncate: Truncate,
    /// The tokens of a text that are read at most; as many as the model can where absent.
    pub max_tokens: Option<u32>,
}

/// What vectors are for; models put different words before the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputType {
    /// A text that will be searched.
    Document,
    /// A text to search with.
    Query,
    /// Input of a classifier.
    Classification,
    /// Input of a clustering.
    Clustering,
}

/// The format of a vector's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmbeddingType {
    /// As computed.
    Float,
    /// Eight bits, signed.
    Int8,
    /// Eight bits, unsigned.
    Uint8,
    /// One bit.
    Binary,
    /// One bit, in unsigned bytes.
    Ubinary,
}

impl EmbeddingType {
    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Float => "float",
            Self::Int8 => "int8",
            Self::Uint8 => "uint8",
            Self::Binary => "binary",
            Self::Ubinary => "ubinary",
        }
    }

    /// The format called `name`.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Float, Self::Int8, Self::Uint8, Self::Binary, Self::Ubinary].into_iter().find(|t| t.name() == name)
    }
}

/// What happens to a text that is longer than the model reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Truncate {
    /// The call fails.
    #[default]
    None,
    /// The beginning is cut off.
    Start,
    /// The end is cut off.
    End,
}

/// The numbers as a JSON array.
pub fn floats(vector: &[f32]) -> Value {
    vector.iter().map(|x| crate::request::decimal(*x)).collect()
}

/// One bit a number, set where it is positive, one array element each.
pub fn bits(vector: &[f32]) -> Value {
    vector.iter().map(|x| Value::from(u8::from(*x > 0.0))).collect()
}

/// One bit a number, eight to a byte, the first in the highest bit.
pub fn packed(vector: &[f32]) -> Vec<u8> {
    vector
        .chunks(8)
        .map(|c| c.iter().enumerate().fold(0, |byte, (i, x)| byte | u8::from(*x > 0.0) << (7 - i)))
        .collect()
}

/// Eight signed bits a number. The scale depends on the number of dimensions alone, so that scores of different
/// vectors compare: the coordinates of a vector of length one spread like 1/sqrt(n), four of which fill the range.
pub fn quantised(vector: &[f32]) -> Vec<i8> {
    let scale = 127.0 * (vector.len() as f32).sqrt() / 4.0;
    vector.iter().map(|x| (x * scale).round() as i8).collect()
}

//! Text to vectors: `all-MiniLM-L6-v2` with the forward pass written here over one matrix product, and other models
//! of BERT's family from GGUF files through llama.cpp ([`EmbedService::of_gguf`]).
//!
//! Never: downloads, listens, knows an account. Results are those of sentence-transformers (mean pooling, unit
//! length, 256 tokens) within 1e-4; texts of a batch never touch each other, so a batch answers what single calls
//! would. The states after every layer are in reach ([`Embedder::hidden_states`]).
//! Start at [`Embedder`]; servers hold an [`EmbedService`], which owns the threads, the queue and the loading.

mod bert;
mod dense;
mod error;
mod kernels;
mod project;
mod service;
mod tokenizer;

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use bert::{Bert, Scratch};
pub use error::EmbedError;
pub use project::{binary, project};
pub use service::{EmbedService, Settings};
use tokenizer::Tokenizer;

/// The number of values in a vector.
pub const DIMENSIONS: usize = bert::HIDDEN;
/// The model reads this many tokens of a text, begin and end marks included; what follows is not seen.
pub const MAX_TOKENS: usize = 256;
/// Tokens that go through the layers together: enough to fill the matrix product, few enough to stay in cache.
const BATCH_TOKENS: usize = 512;

/// One text's vector.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedding {
    /// [`DIMENSIONS`] values, of length 1.
    pub vector: Vec<f32>,
    /// The length that the model itself gave the vector.
    pub length: f32,
    /// The tokens of the whole text, without begin and end marks.
    pub tokens: u32,
    /// True when the text is longer than the model reads.
    pub truncated: bool,
}

/// The states of one text: after the embedding table, then after every layer.
#[derive(Debug, Clone, PartialEq)]
pub struct HiddenStates {
    /// The token ids, begin and end marks included, at most [`MAX_TOKENS`].
    pub ids: Vec<u32>,
    /// For each of the seven places, [`DIMENSIONS`] values a token, token after token.
    pub layers: Vec<Vec<f32>>,
}

/// A loaded model. One may serve many threads; a call runs on the thread that makes it.
pub struct Embedder {
    tokenizer: Tokenizer,
    model: Bert,
    /// Work space that calls hand back, so that threads do not ask the system for it each time.
    spare: Mutex<Vec<Scratch>>,
}

/// What turns texts into vectors.
pub(crate) trait Encode: Send + Sync {
    /// The vectors of `texts`, in their order.
    fn encode(&self, texts: &[&str]) -> Result<Vec<Embedding>, EmbedError>;
}

impl Encode for Embedder {
    fn encode(&self, texts: &[&str]) -> Result<Vec<Embedding>, EmbedError> {
        self.embed(texts)
    }
}

impl std::fmt::Debug for Embedder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Embedder").finish_non_exhaustive()
    }
}

/// Counts tokens as the embedding model does, and needs its vocabulary only.
pub struct Counter(Tokenizer);

impl Counter {
    /// Reads the vocabulary in `folder`.
    pub fn load(folder: &Path) -> Result<Self, EmbedError> {
        Tokenizer::load(&folder.join("vocab.txt")).map(Self)
    }

    /// The tokens of the whole text, without begin and end marks.
    pub fn count(&self, text: &str) -> u32 {
        // Nothing is kept beyond the first ids, so a long text costs time only.
        self.0.encode(text, 2).tokens
    }
}

impl Embedder {
    /// Loads the model from a folder with `model.safetensors` and `vocab.txt`.
    pub fn load(folder: &Path) -> Result<Self, EmbedError> {
        let tokenizer = Tokenizer::load(&folder.join("vocab.txt"))?;
        let model = Bert::load(&folder.join("model.safetensors"), tokenizer.vocabulary())?;
        Ok(Self { tokenizer, model, spare: Mutex::new(Vec::new()) })
    }

    /// The vectors of `texts`, in their order.
    pub fn embed(&self, texts: &[&str]) -> Result<Vec<Embedding>, EmbedError> {
        let both = self.embed_keeping(texts, None);
        Ok(both.into_iter().map(|(embedding, _)| embedding).collect())
    }

    /// The vectors of `texts`, each with its states after the first `layer` layers, token after token, begin and end
    /// marks included: one pass for both.
    pub fn embed_with_states(&self, texts: &[&str], layer: usize) -> Result<Vec<(Embedding, Vec<f32>)>, EmbedError> {
        Ok(self.embed_keeping(texts, Some(layer)))
    }

    fn embed_keeping(&self, texts: &[&str], layer: Option<usize>) -> Vec<(Embedding, Vec<f32>)> {
        let mut scratch = self.scratch();
        let mut embeddings = Vec::with_capacity(texts.len());
        let mut batch = Vec::new();
        let mut batched = 0;
        for text in texts {
            let encoded = self.tokenizer.encode(text, MAX_TOKENS);
            if batched + encoded.ids.len() > BATCH_TOKENS {
                self.run(&mut scratch, &mut batch, layer, &mut embeddings);
                batched = 0;
            }
            batched += encoded.ids.len();
            batch.push(encoded);
        }
        self.run(&mut scratch, &mut batch, layer, &mut embeddings);
        self.give_back(scratch);
        embeddings
    }

    fn run(
        &self,
        scratch: &mut Scratch,
        batch: &mut Vec<tokenizer::Encoded>,
        layer: Option<usize>,
        into: &mut Vec<(Embedding, Vec<f32>)>,
    ) {
        let ids: Vec<&[u32]> = batch.iter().map(|encoded| encoded.ids.as_slice()).collect();
        let (mut place, mut kept) = (0, Vec::new());
        self.model.forward(scratch, &ids, &mut |states| {
            if Some(place) == layer {
                kept = bert::by_token(states);
            }
            place += 1;
        });
        let mut kept = kept.as_slice();
        for (encoded, (vector, length)) in batch.iter().zip(self.model.pooled(scratch, &ids)) {
            let truncated = encoded.tokens as usize + 2 > encoded.ids.len();
            let (own, rest) = kept.split_at((encoded.ids.len() * DIMENSIONS).min(kept.len()));
            kept = rest;
            into.push((Embedding { vector, length, tokens: encoded.tokens, truncated }, own.to_vec()));
        }
        batch.clear();
    }

    /// The states of `text` by layer.
    pub fn hidden_states(&self, text: &str) -> Result<HiddenStates, EmbedError> {
        let ids = self.tokenizer.encode(text, MAX_TOKENS).ids;
        let mut scratch = self.scratch();
        let mut layers = Vec::new();
        self.model.forward(&mut scratch, &[&ids], &mut |states| layers.push(bert::by_token(states)));
        self.give_back(scratch);
        Ok(HiddenStates { ids, layers })
    }

    /// The tokens of the whole text, without begin and end marks.
    pub fn count_tokens(&self, text: &str) -> u32 {
        // Nothing is kept beyond the first ids, so a long text costs time only.
        self.tokenizer.encode(text, 2).tokens
    }

    fn scratch(&self) -> Scratch {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }
    fn give_back(&self, scratch: Scratch) {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner).push(scratch);
    }
}

#[cfg(test)]
mod tests;

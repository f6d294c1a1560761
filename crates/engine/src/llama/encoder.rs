//! Embedding models of BERT's family from GGUF files. The vector is pooled as the file says: mean or CLS.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use llama_cpp_2::context::params::LlamaContextParams;
use llama_cpp_2::llama_batch::LlamaBatch;
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::model::params::LlamaModelParams;

use super::backend;
use crate::embed::{EmbedError, Embedding, Encode};

/// No model of this family reads more.
const MOST: u32 = 512;

/// A loaded model. Every call has a context of its own: one keeps nothing that another could see.
pub(crate) struct Encoder {
    path: PathBuf,
    model: LlamaModel,
    /// Tokens that the model reads, begin and end marks included.
    most: u32,
    threads: i32,
}

impl Encoder {
    pub(crate) fn load(path: &Path, threads: usize) -> Result<Self, EmbedError> {
        let failed = |why: &dyn std::fmt::Display| EmbedError::gguf(path, why);
        // Read, not mapped: a file that is cut while it is mapped would kill the process.
        let params = LlamaModelParams::default().with_use_mmap(false);
        let model = LlamaModel::load_from_file(backend().map_err(|e| failed(&e))?, path, &params)
            .map_err(|_| failed(&"llama.cpp cannot read it; remove it and pull it again"))?;
        let most = model.n_ctx_train().clamp(2, MOST);
        Ok(Self { path: path.to_owned(), model, most, threads: i32::try_from(threads.max(1)).unwrap_or(1) })
    }

    fn failed(&self, why: impl std::fmt::Display) -> EmbedError {
        EmbedError::gguf(&self.path, why)
    }
}

impl Encode for Encoder {
    fn encode(&self, texts: &[&str]) -> Result<Vec<Embedding>, EmbedError> {
        let params = LlamaContextParams::default()
            .with_n_ctx(NonZeroU32::new(self.most))
            .with_n_batch(self.most)
            .with_n_ubatch(self.most)
            .with_n_seq_max(1)
            .with_n_threads(self.threads)
            .with_n_threads_batch(self.threads)
            .with_embeddings(true);
        let backend = backend().map_err(|e| self.failed(e))?;
        let mut context = self.model.new_context(backend, params).map_err(|e| self.failed(e))?;
        let mut batch = LlamaBatch::new(self.most as usize, 1);
        let mut embeddings = Vec::with_capacity(texts.len());
        for text in texts {
            let mut tokens = self.model.vocab().tokenize(text.as_bytes(), true, false);
            let whole = tokens.len();
            if whole > self.most as usize
                && let Some(&end) = tokens.last()
            {
                tokens.truncate(self.most as usize - 1);
                tokens.push(end);
            }
            batch.clear();
            for (position, &token) in (0..).zip(&tokens) {
                batch.add(token, position, &[0], true).map_err(|e| self.failed(e))?;
            }
            context.encode(&mut batch).map_err(|e| self.failed(e))?;
            let mut vector = context.embeddings_seq_ith(0).map_err(|e| self.failed(e))?.to_vec();
            let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
            // A vector of nothing stays one.
            vector.iter_mut().for_each(|x| *x /= length.max(f32::MIN_POSITIVE));
            let marks = 2;
            embeddings.push(Embedding {
                vector,
                length,
                tokens: u32::try_from(whole.saturating_sub(marks)).unwrap_or(u32::MAX),
                truncated: whole > self.most as usize,
            });
        }
        Ok(embeddings)
    }
}

//! Models of BERT's family from GGUF files: embedding models, whose vector is pooled as the file says (mean or CLS), and
//! cross-encoders, whose head says how relevant one text is to another.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::context::params::LlamaContextParams;
use llama_cpp_2::llama_batch::LlamaBatch;
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::model::params::LlamaModelParams;
use llama_cpp_2::token::LlamaToken;

use super::backend;
use crate::embed::{EmbedError, Embedding, Encode};
use crate::rank::{MAX_TOKENS, Relevance};

/// What a model reads at least, so that a pair's marks find room.
const LEAST: u32 = 8;

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
        let most = model.n_ctx_train().clamp(LEAST, MAX_TOKENS);
        Ok(Self { path: path.to_owned(), model, most, threads: i32::try_from(threads.max(1)).unwrap_or(1) })
    }

    fn failed(&self, why: impl std::fmt::Display) -> EmbedError {
        EmbedError::gguf(&self.path, why)
    }

    /// A context that reads one text at a time.
    fn context(&self) -> Result<LlamaContext<'_>, EmbedError> {
        let params = LlamaContextParams::default()
            .with_n_ctx(NonZeroU32::new(self.most))
            .with_n_batch(self.most)
            .with_n_ubatch(self.most)
            .with_n_seq_max(1)
            .with_n_threads(self.threads)
            .with_n_threads_batch(self.threads)
            .with_embeddings(true);
        let backend = backend().map_err(|e| self.failed(e))?;
        self.model.new_context(backend, params).map_err(|e| self.failed(e))
    }

    /// What the model makes of `tokens`: a vector, or the numbers of its head.
    fn read<'a>(
        &self,
        context: &'a mut LlamaContext<'_>,
        batch: &mut LlamaBatch,
        tokens: &[LlamaToken],
    ) -> Result<&'a [f32], EmbedError> {
        batch.clear();
        for (position, &token) in (0..).zip(tokens) {
            batch.add(token, position, &[0], true).map_err(|e| self.failed(e))?;
        }
        context.encode(batch).map_err(|e| self.failed(e))?;
        context.embeddings_seq_ith(0).map_err(|e| self.failed(e))
    }

    /// How relevant each of `documents` is to `query`; of those after `stop` says so, nothing. A query may take half of
    /// what the model reads, a document what is left; more of them is not seen.
    pub(crate) fn relevance(
        &self,
        query: &str,
        documents: &[String],
        stop: &dyn Fn() -> bool,
    ) -> Result<Vec<Relevance>, EmbedError> {
        let vocabulary = self.model.vocab();
        let plain = |text: &str| vocabulary.tokenize(text.as_bytes(), false, false);
        // BERT: [CLS] query [SEP] document [SEP]. XLM-RoBERTa: <s> query </s> </s> document </s>.
        let pieces = self.model.meta_val_str("tokenizer.ggml.model").is_ok_and(|kind| kind == "bert");
        let (begin, end) = (vocabulary.bos(), if pieces { vocabulary.sep() } else { vocabulary.eos() });
        let mut first = vec![begin];
        first.extend(plain(query).into_iter().take(self.most as usize / 2));
        first.extend(std::iter::repeat_n(end, if pieces { 1 } else { 2 }));
        let mut context = self.context()?;
        let mut batch = LlamaBatch::new(self.most as usize, 1);
        let mut found = Vec::with_capacity(documents.len());
        for document in documents.iter().take_while(|_| !stop()) {
            let mut tokens = first.clone();
            tokens.extend(plain(document).into_iter().take(self.most as usize - first.len() - 1));
            tokens.push(end);
            let says = self.read(&mut context, &mut batch, &tokens)?;
            let logit = says.first().copied().filter(|logit| logit.is_finite());
            let logit = logit.ok_or_else(|| self.failed("its head says no number"))?;
            let read = u32::try_from(tokens.len()).unwrap_or(u32::MAX);
            found.push(Relevance { score: 1.0 / (1.0 + (-logit).exp()), tokens: read });
        }
        Ok(found)
    }
}

impl Encode for Encoder {
    fn encode(&self, texts: &[&str]) -> Result<Vec<Embedding>, EmbedError> {
        let mut context = self.context()?;
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
            let mut vector = self.read(&mut context, &mut batch, &tokens)?.to_vec();
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

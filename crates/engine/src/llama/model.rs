//! A loaded model and what its file says about it.

use std::io::BufReader;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::model::params::LlamaModelParams;
use llama_cpp_2::token::LlamaToken;

use super::backend;
use super::context::FIRST;
use super::grammar::Grammars;
use crate::chat::protect::Specials;
use crate::config::{EngineConfig, LocalModel};
use crate::error::EngineError;
use crate::memory::{Memory, Refused, Share};
use crate::sample::Defaults;
use crate::template::ChatTemplate;
use crate::weights::gguf::{self, GgufHeader};

/// Keys and values are kept in half precision.
const CACHE_NUMBER: u64 = 2;

/// Weights in memory, with everything that callers need to prepare a prompt for them.
pub(crate) struct Loaded {
    pub(super) model: LlamaModel,
    pub(super) template: ChatTemplate,
    pub(super) specials: Specials,
    /// The longest conversation, in tokens: what the model was trained for, the configuration wants and the memory
    /// for models can hold.
    pub(super) window: u32,
    /// The most bytes that one token stands for.
    pub(super) longest_token: usize,
    pub(super) defaults: Defaults,
    /// Made by the first call that needs one: it walks the whole vocabulary.
    pub(super) grammars: OnceLock<Result<Grammars, String>>,
    /// Memory of the weights and of the prefixes kept beside them.
    _share: Share,
}

/// A file that fits in, and the memory claimed for it.
pub(super) struct Plan {
    window: u32,
    weights: Share,
    pub(super) cache: Cache,
}

/// Memory for keys and values.
pub(super) struct Cache {
    pub(super) share: Share,
    /// Of one token in one sequence.
    pub(super) per_token: u64,
}

impl Plan {
    /// Claims memory for the weights, the kept prefixes and the first keys and values.
    pub(super) fn of(spec: &LocalModel, config: &EngineConfig, memory: &Arc<Memory>) -> Result<Self, EngineError> {
        let unusable = |reason: String| EngineError::Weights { model: spec.name.clone(), reason };
        let (header, length) = look_at(&spec.path).map_err(unusable)?;
        let per_token = header.cache_per_token.saturating_mul(CACHE_NUMBER);
        let window = header.context_length.and_then(|n| u32::try_from(n).ok()).unwrap_or(u32::MAX);
        let window = window.min(config.context_length).max(1);
        let slots = config.max_sequences.max(1) as u64;
        let cache_of = |tokens: u32| per_token.saturating_mul(slots).saturating_mul(tokens.into());

        let kept = length.saturating_add(config.prefix_cache as u64);
        let least = kept.saturating_add(cache_of(window.min(FIRST)));
        let mut share = memory.claim(least, config.load_wait).map_err(|refused| match refused {
            Refused::TooLarge => EngineError::TooLarge { model: spec.name.clone(), needs: least, limit: memory.limit() },
            Refused::NoRoom => {
                tracing::warn!(model = %spec.name, needs = least, "models that are answering leave no room for another");
                EngineError::NotReady(spec.name.clone())
            }
        })?;
        // A longer window than the whole memory can hold is none.
        let fits = (memory.limit() - kept).checked_div(per_token.saturating_mul(slots)).unwrap_or(u64::MAX);
        let window = window.min(u32::try_from(fits).unwrap_or(u32::MAX)).max(1);
        let weights = share.split(kept);
        Ok(Self { window, weights, cache: Cache { share, per_token } })
    }
}

impl Loaded {
    /// Reads the weights. Blocks for as long as the disk takes.
    pub(super) fn load(spec: &LocalModel, plan: Plan) -> Result<(Self, Cache), EngineError> {
        let unusable = |reason: String| EngineError::Weights { model: spec.name.clone(), reason };
        let backend = backend()?;
        // Read, not mapped: a file that is replaced or cut while it is mapped would kill the process.
        let params = LlamaModelParams::default().with_use_mmap(false);
        let model = LlamaModel::load_from_file(backend, &spec.path, &params).map_err(|_| {
            unusable(format!(
                "llama.cpp cannot read {}: the file is damaged, incomplete or of a kind it does not know; remove it and pull it again",
                spec.path.display()
            ))
        })?;

        let vocab = model.vocab();
        let text_of = |token: LlamaToken| {
            if token.0 < 0 {
                String::new()
            } else {
                String::from_utf8_lossy(&vocab.token_to_piece(token, true, None)).into_owned()
            }
        };
        let source = model.meta_val_str("tokenizer.chat_template").ok();
        let template = ChatTemplate::new(source.as_deref(), text_of(vocab.bos()), text_of(vocab.eos()))
            .map_err(|error| unusable(format!("the chat template in {} is wrong: {error}", spec.path.display())))?;
        let specials = Specials::new(vocab.tokens().filter(|&token| vocab.is_control(token)).map(text_of));
        let longest_token = vocab.tokens().map(|token| text_of(token).len()).max().unwrap_or(1).max(1);
        let window = model.n_ctx_train().min(plan.window).max(1);
        let defaults = defaults(&model);
        let grammars = OnceLock::new();
        let _share = plan.weights;
        Ok((Self { model, template, specials, window, longest_token, defaults, grammars, _share }, plan.cache))
    }
}

/// What can be said about a file before llama.cpp reads it, in words that help: its header and its length.
fn look_at(path: &Path) -> Result<(GgufHeader, u64), String> {
    let shown = path.display();
    let file = std::fs::File::open(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => format!("{shown} does not exist; pull the model first"),
        _ => format!("{shown} cannot be opened: {error}"),
    })?;
    let length = file.metadata().map_err(|error| format!("{shown} cannot be read: {error}"))?.len();
    let header = gguf::read(BufReader::with_capacity(1 << 16, file), length)
        .map_err(|error| format!("{shown}: {error}; remove it and pull it again"))?;
    Ok((header, length))
}

/// Newer model files carry the sampling their authors recommend.
fn defaults(model: &LlamaModel) -> Defaults {
    fn meta<T: std::str::FromStr>(model: &LlamaModel, key: &str) -> Option<T> {
        model.meta_val_str(key).ok()?.parse().ok()
    }
    let general = Defaults::default();
    Defaults {
        temperature: meta(model, "general.sampling.temp").unwrap_or(general.temperature),
        top_p: meta(model, "general.sampling.top_p").unwrap_or(general.top_p),
        top_k: meta(model, "general.sampling.top_k").unwrap_or(general.top_k),
    }
}

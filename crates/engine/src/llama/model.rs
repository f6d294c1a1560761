//! A loaded model and what its file says about it.

use std::path::Path;
use std::sync::OnceLock;

use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::model::params::LlamaModelParams;
use llama_cpp_2::token::LlamaToken;

use super::backend;
use super::grammar::Grammars;
use crate::chat::protect::Specials;
use crate::config::{EngineConfig, LocalModel};
use crate::error::EngineError;
use crate::sample::Defaults;
use crate::template::ChatTemplate;

/// Weights in memory, with everything that callers need to prepare a prompt for them.
pub(crate) struct Loaded {
    pub(super) model: LlamaModel,
    pub(super) template: ChatTemplate,
    pub(super) specials: Specials,
    /// The longest conversation, in tokens.
    pub(super) window: u32,
    /// The most bytes that one token stands for.
    pub(super) longest_token: usize,
    pub(super) defaults: Defaults,
    /// Made by the first call that needs one: it walks the whole vocabulary.
    pub(super) grammars: OnceLock<Result<Grammars, String>>,
}

impl Loaded {
    /// Reads the weights. Blocks for as long as the disk takes.
    pub(super) fn load(spec: &LocalModel, config: &EngineConfig) -> Result<Self, EngineError> {
        let unusable = |reason: String| EngineError::Weights { model: spec.name.clone(), reason };
        look_at(&spec.path).map_err(unusable)?;
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
        let window = model.n_ctx_train().min(config.context_length).max(1);
        let defaults = defaults(&model);
        Ok(Self { model, template, specials, window, longest_token, defaults, grammars: OnceLock::new() })
    }
}

/// What can be said about a file before llama.cpp reads it, in words that help.
fn look_at(path: &Path) -> Result<(), String> {
    use std::io::Read;
    let shown = path.display();
    let mut magic = [0; 4];
    let mut file = std::fs::File::open(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => format!("{shown} does not exist; pull the model first"),
        _ => format!("{shown} cannot be opened: {error}"),
    })?;
    file.read_exact(&mut magic).map_err(|error| format!("{shown} cannot be read: {error}"))?;
    if &magic == b"GGUF" { Ok(()) } else { Err(format!("{shown} is not a GGUF file; remove it and pull it again")) }
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

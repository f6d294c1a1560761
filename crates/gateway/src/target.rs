//! Who answers a call.

use std::collections::BTreeMap;

use outcrop_api::{Fault, Kind};
use outcrop_models::{Model, Resolved};

use crate::Gateway;

/// The header that names who really answered.
pub const SERVED_BY: &str = "x-outcrop-served-by";

/// The local models that answer for catalogue models.
#[derive(Debug, Clone, Default)]
pub struct StandIns {
    /// For models that write text.
    pub text: Option<String>,
    /// For models that embed.
    pub embedding: Option<String>,
    /// Where one model is to have another stand-in: by model id.
    pub by_model: BTreeMap<String, String>,
}

/// Who answers a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The local model's name.
    pub model: String,
    /// The same as a model id, for [`SERVED_BY`]; none where the caller named it itself.
    pub served_by: Option<String>,
}

/// The prefix of local models' ids.
const LOCAL: &str = "outcrop.";

impl Gateway {
    /// Who answers for `resolved`.
    pub fn target(&self, resolved: &Resolved) -> Result<Target, Fault> {
        let model = &resolved.model;
        if model.local {
            let name = model.id.strip_prefix(LOCAL).unwrap_or(&model.id);
            return Ok(Target { model: name.to_owned(), served_by: None });
        }
        let Some(stand_ins) = &self.stand_ins else { return Err(nobody(model)) };
        let of_kind = match (model.writes_text(), model.embeds()) {
            (true, _) => stand_ins.text.as_ref(),
            (_, true) => stand_ins.embedding.as_ref(),
            _ => return Err(no_kind(model)),
        };
        let name = stand_ins.by_model.get(&model.id).or(of_kind);
        let name = name.ok_or_else(|| nobody(model))?;
        tracing::debug!(model = model.id, served_by = name, "a stand-in answers");
        Ok(Target { model: name.clone(), served_by: Some(format!("{LOCAL}{name}")) })
    }
}

fn nobody(model: &Model) -> Fault {
    // Bedrock's text for a model without access, then what to do here.
    let text = format!(
        "You don't have access to the model with the specified model ID. No provider of this server serves {}; \
         `outcrop dev` answers it with a local stand-in.",
        model.id
    );
    Fault::new(Kind::AccessDenied, text)
}

fn no_kind(model: &Model) -> Fault {
    let text = format!("No local model can stand in for {}, which makes {}.", model.id, model.output.join(" and "));
    Fault::new(Kind::NotImplemented, text)
}

//! Local inference: load, batch, templates, grammars, embed.

pub mod embed;
pub mod weights;

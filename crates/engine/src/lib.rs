//! Local inference: load, batch, templates, grammars, embed.

pub mod weights;

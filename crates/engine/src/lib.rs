//! Local inference: load, batch, templates, grammars, embed.

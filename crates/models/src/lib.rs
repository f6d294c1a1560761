//! Everything that a modelId can name.

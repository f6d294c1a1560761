//! Guardrail resources: drafts and numbered versions, what an account enforces, and the operations that judge text.
//!
//! Never: how a text is judged (`guard`), a model's call (`gateway` asks here what to do with one).

//! Cited answers from retrieved text.

pub mod evidence;

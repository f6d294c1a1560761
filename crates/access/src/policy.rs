//! Policy documents.

/// A policy document, parsed once and asked often.
#[derive(Debug)]
pub struct Policy {}

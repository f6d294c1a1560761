//! Listening, routing, the request pipeline and the table of operations.

pub mod listen;

//! Listening, routing, the request pipeline and the table of operations.

pub mod compat;
pub mod config;
pub mod listen;
pub mod route;

//! Listening, routing, the request pipeline and the table of operations; and the wiring that joins all crates.
//!
//! Never: a decision that belongs to a domain crate. What an operation means is written where the table points.
//!
//! Start at [`pipeline::Pipeline::answer`], the life of a request, and at [`operations::table`], which names the
//! function behind each operation. [`listen`] owns sockets, [`route`] the paths of Bedrock, [`doors`] all others,
//! [`compat`] what is spoken behind those: OpenAI's and Anthropic's clients, other AWS services. [`observe`] answers
//! `GET /metrics`, [`cost`] and [`budgets`] the paths below `/outcrop`. [`wiring::Server`] is the start, [`reload`]
//! what changes after it.

pub mod budgets;
pub mod compat;
pub mod config;
pub mod control;
pub mod cost;
mod discover;
pub mod doors;
mod explain;
mod fetch;
pub mod listen;
pub mod observe;
pub mod operations;
pub mod pipeline;
pub mod reload;
pub mod route;
pub mod wiring;

//! The protocol by hand: JSON reader and writer, typed shapes and their bindings to a request's path, query, headers
//! and body, event-stream frames, SigV4 arithmetic, ARNs.
//!
//! Never: one service's shapes (the generated `outcrop-api` has those), sockets, keys, clocks.
//!
//! Start at [`shape::Structure`], the one trait that generated types implement; [`decode`] fills such a type from
//! a request and names every broken constraint on the way, [`encode`] writes it back, both without code per shape.
//! [`eventstream`] and [`sigv4`] stand alone.

pub mod arn;
pub mod decode;
pub mod encode;
pub mod eventstream;
pub mod json;
pub mod shape;
pub mod sigv4;
pub mod text;

//! What tests of this crate and of those above share: an upstream to be broken against.
//!
//! Start at [`faulty::Upstream::start`].

pub mod faulty;

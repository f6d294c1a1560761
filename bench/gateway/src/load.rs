//! The load generator's parts: what is asked, whether an answer is whole, what it cost the process in between.

pub mod ask;
pub mod cost;
pub mod whole;

//! Other protocols than Bedrock's, on the same port: what clients ask besides.

pub mod sts;

//! What the gateway is measured with: a loopback upstream, three minimal programs to stand beside it, a load generator.
//!
//! Never: a part of the product. It depends on `outcrop-wire` alone, for signatures and event-stream frames.
//!
//! Start at `run.py`, which starts the programs in `src/bin` and prints the table; [`proxy`] is what the minimal
//! programs share, [`http`] what upstream and load generator share.

pub mod answers;
pub mod http;
pub mod load;
pub mod proxy;
pub mod stream;
pub mod xlate;

/// An error that ends a program, or one exchange of it.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// The value after `--NAME` on the command line.
pub fn argument(name: &str) -> Option<String> {
    arguments(name).into_iter().next()
}

/// Every value after a `--NAME` on the command line.
pub fn arguments(name: &str) -> Vec<String> {
    let all: Vec<String> = std::env::args().skip(1).collect();
    all.windows(2).filter(|pair| pair[0].strip_prefix("--") == Some(name)).map(|pair| pair[1].clone()).collect()
}

/// The value after `--NAME`, read as a number or whatever `T` is, or `default`.
pub fn parsed<T: std::str::FromStr>(name: &str, default: T) -> Result<T, Error> {
    match argument(name) {
        None => Ok(default),
        Some(text) => text.parse().map_err(|_| format!("--{name} {text}: not understood").into()),
    }
}

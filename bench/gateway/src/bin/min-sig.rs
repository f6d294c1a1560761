//! A minimal gateway from Converse to chat completions that verifies signatures.
//! `--listen ADDRESS --upstream http://HOST:PORT --key ID:SECRET`.

use outcrop_bench_gateway::proxy::{Work, serve};
use outcrop_bench_gateway::{Error, argument};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let pair = argument("key").ok_or("--key ID:SECRET is missing")?;
    let (key, secret) = pair.split_once(':').ok_or("--key is ID:SECRET")?;
    serve(Work::Verify(key.to_owned(), secret.to_owned())).await
}

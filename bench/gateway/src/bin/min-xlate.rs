//! A minimal gateway from Converse to chat completions. `--listen ADDRESS --upstream http://HOST:PORT`.

use outcrop_bench_gateway::Error;
use outcrop_bench_gateway::proxy::{Work, serve};

#[tokio::main]
async fn main() -> Result<(), Error> {
    serve(Work::Rewrite).await
}

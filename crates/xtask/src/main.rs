//! Generation and chores of the repository; nothing here runs in production.

mod codegen;
mod guardrails;
mod knowledge;

use std::path::PathBuf;

use clap::Parser;

/// Chores of the repository.
#[derive(Parser)]
enum Task {
    /// Writes `crates/api/src/generated` from the service models of the pinned botocore.
    Codegen {
        /// botocore's `data` folder (`…/site-packages/botocore/data`).
        #[arg(long, env = "OUTCROP_BOTOCORE")]
        models: PathBuf,
        /// Writes nothing; fails where the checked-in code is not what the models give.
        #[arg(long)]
        check: bool,
    },
    /// Trains the guardrails' classifiers and writes `crates/guard/weights`.
    TrainGuardrails {
        /// The folder with the labelled texts.
        #[arg(long)]
        data: PathBuf,
        /// Trains this part alone.
        #[arg(long)]
        only: Option<guardrails::Part>,
        /// Trains a seeded subset in two minutes, into a temporary folder.
        #[arg(long)]
        quick: bool,
        /// A file that keeps what the encoder said, so that training again is quick.
        #[arg(long)]
        cache: Option<PathBuf>,
    },
    /// Measures the guardrails on the dev split.
    BenchGuardrails {
        /// The folder with the labelled texts.
        #[arg(long)]
        data: PathBuf,
        /// Measures this part alone.
        #[arg(long)]
        only: Option<guardrails::Part>,
        /// A file that keeps what the encoder said, so that measuring again is quick. No time is taken from it.
        #[arg(long)]
        cache: Option<PathBuf>,
        /// A folder for plots: how reliable the filters' scores are, and how time grows with the length of a text.
        #[arg(long)]
        plots: Option<PathBuf>,
        /// Other content filters than those that are checked in, for the parts `content` and `cascade`.
        #[arg(long)]
        weights: Option<PathBuf>,
    },
    /// Learns what evidence of an answer is worth, and prints the weights.
    TrainKnowledge {
        /// The folder with the collections.
        #[arg(long)]
        data: PathBuf,
        /// A file that keeps vectors, so that training again is quick.
        #[arg(long)]
        cache: Option<PathBuf>,
    },
    /// Puts 100,000 chunks with real texts into a knowledge base's index while its server is down, for
    /// `bench/knowledge/serve.py`.
    FillKnowledge {
        /// The folder with the collections.
        #[arg(long)]
        data: PathBuf,
        /// A file that keeps vectors.
        #[arg(long)]
        cache: Option<PathBuf>,
        /// The server's folder of indexes.
        #[arg(long)]
        folder: PathBuf,
        /// The knowledge base.
        #[arg(long)]
        base: String,
    },
    /// Measures knowledge bases.
    BenchKnowledge {
        /// The folder with the collections.
        #[arg(long, required_unless_present = "collection")]
        data: Option<PathBuf>,
        /// Measures search on these folders instead, each with `corpus.jsonl`, `queries.jsonl` and `qrels.tsv`.
        #[arg(long, num_args = 1.., conflicts_with_all = ["data", "only"])]
        collection: Vec<PathBuf>,
        /// Measures this part alone.
        #[arg(long)]
        only: Option<knowledge::Part>,
        /// A file that keeps vectors, so that measuring again is quick. Never for speed.
        #[arg(long)]
        cache: Option<PathBuf>,
    },
}

fn main() -> std::process::ExitCode {
    let result = match Task::parse() {
        Task::Codegen { models, check } => codegen::run(&models, check),
        Task::TrainGuardrails { data, only, quick, cache } => guardrails::train(&data, only, quick, cache.as_deref()),
        Task::BenchGuardrails { data, only, cache, plots, weights } => {
            guardrails::bench(&data, only, cache.as_deref(), plots.as_deref(), weights.as_deref())
        }
        Task::TrainKnowledge { data, cache } => knowledge::train(&data, cache.as_deref()),
        Task::FillKnowledge { data, cache, folder, base } => knowledge::fill(&data, cache.as_deref(), &folder, &base),
        Task::BenchKnowledge { data: Some(data), only, cache, .. } => knowledge::bench(&data, only, cache.as_deref()),
        Task::BenchKnowledge { collection, cache, .. } => knowledge::compare(&collection, cache.as_deref()),
    };
    match result {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            std::process::ExitCode::FAILURE
        }
    }
}

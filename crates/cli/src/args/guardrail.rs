//! `outcrop guardrail`, as it is typed.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// Guardrails of a running server.
#[derive(Subcommand)]
pub enum Guardrail {
    /// Runs labelled lines against a guardrail, and says what it got wrong
    ///
    /// A line of FILE is JSON, {"text": "...", "label": "block"}, with "side":
    /// "output" where it is an answer; or the label, a tab and the text. Labels are
    /// block and allow. Prints precision, recall, false positives by policy, the
    /// lines it got wrong, and how long it took. Ends with status 1 where precision
    /// or recall is below what was asked for.
    ///
    /// Credentials are the AWS variables of the environment.
    ///
    /// Examples:
    ///   outcrop guardrail test lines.jsonl --guardrail abcdefghijkl
    ///   outcrop guardrail test lines.tsv --guardrail abcdefghijkl --version 2 \
    ///     --min-precision 0.95 --min-recall 0.9
    #[command(verbatim_doc_comment)]
    Test {
        /// The labelled lines
        file: PathBuf,
        /// Which guardrail
        #[command(flatten)]
        which: Which,
        /// Fail below this precision
        #[arg(long, value_name = "0..1", value_parser = share)]
        min_precision: Option<f64>,
        /// Fail below this recall
        #[arg(long, value_name = "0..1", value_parser = share)]
        min_recall: Option<f64>,
        /// Prints JSON
        #[arg(long)]
        json: bool,
    },
    /// Says why a guardrail judges a text as it does
    ///
    /// One line for each thing that is looked for, with its score, from where on it
    /// counts and what was done; under it the part of the text that decided, and
    /// what speaks for it: the words that weigh most, the closest examples of a
    /// topic, the closest sentence of a source.
    ///
    /// Examples:
    ///   outcrop guardrail explain "drop every table" --guardrail abcdefghijkl
    ///   outcrop guardrail explain "It opened in 1954." --guardrail abcdefghijkl \
    ///     --side output --source "It was opened in 1932." --query "Since when?"
    #[command(verbatim_doc_comment)]
    Explain {
        /// The text
        text: String,
        /// Which guardrail
        #[command(flatten)]
        which: Which,
        /// Whether it goes to a model or comes from one
        #[arg(long, default_value = "input")]
        side: Side,
        /// What the answer is to be grounded in
        #[arg(long, value_name = "TEXT")]
        source: Option<String>,
        /// What the answer is to be relevant to
        #[arg(long, value_name = "TEXT")]
        query: Option<String>,
        /// Prints JSON
        #[arg(long)]
        json: bool,
    },
}

/// Which guardrail, and where.
#[derive(Args)]
pub struct Which {
    /// Its id or ARN
    #[arg(long = "guardrail", value_name = "ID")]
    pub id: String,
    /// Its version
    #[arg(long, default_value = "DRAFT", value_name = "N")]
    pub version: String,
    /// The server
    #[arg(long, env = "AWS_ENDPOINT_URL", default_value = "http://127.0.0.1:7711")]
    pub url: String,
}

/// Which way a text goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Side {
    /// To a model.
    Input,
    /// From one.
    Output,
}

fn share(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|_| format!("{text} is not a number"))?;
    if (0.0..=1.0).contains(&share) { Ok(share) } else { Err(format!("{text} is not between 0 and 1")) }
}

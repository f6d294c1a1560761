//! Generation and chores of the repository; nothing here runs in production.

mod codegen;

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
}

fn main() -> std::process::ExitCode {
    let result = match Task::parse() {
        Task::Codegen { models, check } => codegen::run(&models, check),
    };
    match result {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            std::process::ExitCode::FAILURE
        }
    }
}

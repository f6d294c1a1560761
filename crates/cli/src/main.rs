//! The `outcrop` binary: reads the command line, calls the crates, talks to the person in front of it.
//!
//! Never: logic that a program could want without a terminal. Start at [`args::Cli`].
#![allow(clippy::print_stdout, reason = "answers go to standard output; that is what this crate is for")]

mod access;
mod args;
mod audit;
mod backup;
mod budgets;
mod chat;
mod client;
mod config;
mod cost;
mod doctor;
mod guardrail;
mod kb;
mod keys;
mod models;
mod routes;
mod secrets;
mod serving;
mod text;
mod trail;

use clap::Parser;

use args::{Cli, Command};
use outcrop_server::wiring::EXTRACT_CHILD;

fn main() -> std::process::ExitCode {
    // The child behind the wall that files are read behind: nothing else may have begun in its process.
    if std::env::args_os().nth(1).is_some_and(|argument| argument == EXTRACT_CHILD) {
        return match outcrop_extract::wall::serve_child() {
            Ok(()) => std::process::ExitCode::SUCCESS,
            Err(error) => failed(&error.to_string()),
        };
    }
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.to_string()),
    };
    let result = runtime.block_on(async {
        match cli.command {
            Command::Dev(dev) => serving::run(true, dev.tls, dev.serving).await,
            Command::Serve(serving) => serving::run(false, false, serving).await,
            Command::Chat(chat) => chat::run(chat).await,
            Command::Models(models) => models::run(models),
            Command::Keys(keys) => keys::run(keys).await,
            Command::Access(access) => access::run(access),
            Command::Audit(audit) => audit::run(audit),
            Command::Config(config) => config::run(config),
            Command::Cost(args) => cost::run(*args),
            Command::Routes(args) => routes::run(&args),
            Command::Budgets(args) => budgets::run(&args).await,
            Command::Guardrail(command) => guardrail::run(command).await,
            Command::Kb(command) => kb::run(command).await,
            Command::Secrets(secrets) => secrets::run(secrets).await,
            Command::Backup(backup) => backup::backup(&backup),
            Command::Restore(restore) => backup::restore(&restore),
            Command::Doctor(doctor) => doctor::run(&doctor),
        }
    });
    // A thread that waits for a line of standard input must not keep the process.
    runtime.shutdown_background();
    match result {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(message) => failed(&message),
    }
}

fn failed(message: &str) -> std::process::ExitCode {
    eprintln!("outcrop: {}", text::clean(message));
    std::process::ExitCode::FAILURE
}

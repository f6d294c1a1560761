//! `outcrop dev` and `outcrop serve`.

use std::io::IsTerminal;
use std::sync::Arc;

use outcrop_server::config::Config;
use outcrop_server::reload::Live;
use outcrop_server::wiring::{Server, Start};
use tokio_util::sync::CancellationToken;

use crate::args;
use crate::text::say;

/// Serves until it is asked to stop.
pub async fn run(dev: bool, local_tls: bool, args: args::Serving) -> Result<(), String> {
    log();
    // Called again by every reload: what the command line said then still holds.
    let load = move || {
        let mut config = Config::load(args.config.as_deref(), |name| std::env::var(name).ok())?;
        if let Some(listen) = &args.listen {
            config.listen = listen.clone();
        }
        if args.data.is_some() {
            config.data = args.data.clone();
        }
        Ok(config)
    };
    let server = Server::open(Start { dev, local_tls, load: Arc::new(load) }).await.map_err(|e| e.to_string())?;
    // Programs that start the server read this line; the table below it is for people.
    let mut table = format!("listening on {}\n", server.url().map_err(|e| e.to_string())?);
    for (what, text) in &server.lines {
        table.push_str(&format!("  {what:<12} {text}\n"));
    }
    say(&table)?;
    tokio::spawn(hangups(server.live()));
    let shutdown = CancellationToken::new();
    tokio::spawn(signals(shutdown.clone()));
    server.run(shutdown).await;
    Ok(())
}

/// The first signal stops gracefully, the second at once.
async fn signals(shutdown: CancellationToken) {
    asked_to_stop().await;
    tracing::info!("stopping: finishing what is under way; once more stops at once");
    shutdown.cancel();
    asked_to_stop().await;
    // Not `exit`: it runs the engine's C++ destructors beneath a thread that still computes, and crashes.
    // SAFETY: `_exit` takes a number and ends the process; no memory of ours is involved.
    unsafe { libc::_exit(130) }
}

/// Has SIGHUP read the configuration anew. Not on a terminal: there it says that the terminal is gone, and a server
/// that somebody tried out must go with it.
async fn hangups(live: Arc<Live>) {
    use tokio::signal::unix::{SignalKind, signal};
    if std::io::stderr().is_terminal() || std::io::stdin().is_terminal() {
        return;
    }
    if let Ok(mut hangups) = signal(SignalKind::hangup()) {
        while hangups.recv().await.is_some() {
            // It is told in the log.
            live.reload(false).await.ok();
        }
    }
}

async fn asked_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        }
        Err(_) => drop(tokio::signal::ctrl_c().await),
    }
}

/// The log of a command that starts a server for itself: trouble only.
pub fn quiet() {
    log_from("error");
}

/// Logs go to standard error: text on a terminal, else JSON. `RUST_LOG` filters; by default llama.cpp tells of trouble only,
/// and s3s nothing: it takes every refusal for an error.
fn log() {
    log_from("info,llama-cpp-2=warn,s3s=off");
}

fn log_from(default: &str) {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(default));
    // A log that cannot be written (standard error may lie on the disk that is full) must not be complained of on
    // standard error: that panics, and takes with it the thread that had something to say.
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).log_internal_errors(false).with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() {
        builder.with_target(false).init()
    } else {
        builder.json().with_span_list(false).init()
    }
}

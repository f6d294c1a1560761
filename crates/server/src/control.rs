//! How a command reaches the running server of a data folder: a Unix socket in it, for its owner only.
//!
//! A signal could say "reload" as well, and SIGHUP does, but it carries no answer: whoever runs `outcrop config
//! reload` is to be told what is wrong with the file. Whoever can open the socket can write the folder anyway.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::listen::unix;
pub use outcrop_gateway::routing::RouteReport;

use crate::reload::Live;

/// For saying what is wanted.
const PATIENCE: Duration = Duration::from_secs(5);
/// A question is short.
const MAX_LINE: u64 = 4096;
/// For an answer: programs that print secrets have their time, too.
const ANSWER: Duration = Duration::from_secs(120);

/// What can be asked, one line of JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// Read the configuration anew.
    Reload,
    /// Tell what that would change.
    DryRun,
    /// Tell how routes and their targets fare.
    Routes,
    /// Tell how budgets stand.
    Budgets,
}

/// Why a server was not reached or did not do it.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// Nobody is there.
    #[error("no server runs on the data folder {}. Name the running server's folder with --data", .0.display())]
    NoServer(PathBuf),
    /// It did not work.
    #[error("cannot ask the server on {}: {source}", folder.display())]
    Broken {
        /// The data folder.
        folder: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The server says no.
    #[error("{0}\nThe running server was left as it is")]
    Refused(String),
}

fn socket(folder: &Path) -> PathBuf {
    folder.join("control.sock")
}

/// Answers what commands ask, until it is dropped.
pub async fn serve(folder: &Path, live: Arc<Live>) {
    let (listener, _file) = match unix::bind(&socket(folder)) {
        Ok(bound) => bound,
        Err(error) => {
            tracing::warn!(%error, "`outcrop config reload` cannot reach this server; SIGHUP can");
            return std::future::pending().await;
        }
    };
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let live = Arc::clone(&live);
                tokio::spawn(async move {
                    if let Err(error) = answer(stream, &live).await {
                        tracing::debug!(%error, "a command went away");
                    }
                });
            }
            Err(error) => {
                tracing::error!(%error, "cannot take a command");
                tokio::time::sleep(PATIENCE).await;
            }
        }
    }
}

async fn answer(mut stream: tokio::net::UnixStream, live: &Live) -> io::Result<()> {
    let mut asked = String::new();
    let (read, mut write) = stream.split();
    timeout(PATIENCE, tokio::io::BufReader::new(read.take(MAX_LINE)).read_line(&mut asked)).await??;
    let answer: Result<serde_json::Value, String> = match serde_json::from_str(&asked) {
        Ok(Ask::Reload) => shown(live.reload(false).await),
        Ok(Ask::DryRun) => shown(live.reload(true).await),
        Ok(Ask::Budgets) => shown(live.pipeline().budgets().await),
        Ok(Ask::Routes) => shown(Ok::<_, String>(live.pipeline().routes())),
        Err(_) => Err("the server is of a version that does not know this command".into()),
    };
    write.write_all((serde_json::to_string(&answer)? + "\n").as_bytes()).await
}

fn shown<T: Serialize, E: ToString>(answer: Result<T, E>) -> Result<serde_json::Value, String> {
    let answer = answer.map_err(|e| e.to_string())?;
    serde_json::to_value(answer).map_err(|e| e.to_string())
}

/// Asks the server that runs on `folder`. [`Ask`] says what it answers: [`Reloaded`](crate::reload::Reloaded) to the
/// first two, a list of [`RouteReport`] to the third, a [`Report`](crate::budgets::Report) to the fourth.
pub fn ask<T: DeserializeOwned>(folder: &Path, what: Ask) -> Result<T, ControlError> {
    let broken = |source| ControlError::Broken { folder: folder.to_owned(), source };
    let mut stream = UnixStream::connect(socket(folder)).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => ControlError::NoServer(folder.to_owned()),
        _ => broken(error),
    })?;
    stream.set_read_timeout(Some(ANSWER)).map_err(broken)?;
    let line = serde_json::to_string(&what).map_err(|e| broken(e.into()))?;
    writeln!(stream, "{line}").map_err(broken)?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).map_err(broken)?;
    let answer: Result<T, String> = serde_json::from_str(&answer).map_err(|e| broken(e.into()))?;
    answer.map_err(ControlError::Refused)
}

//! A function that is a program: the event on its standard input, the answer on its standard output. Its environment
//! is empty but for what a program needs to run, since the server's own holds secrets.

use std::process::Stdio;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

use crate::LARGEST;

/// What of the server's environment a program gets.
const KEPT: [&str; 5] = ["PATH", "HOME", "LANG", "TMPDIR", "TZ"];
/// How much of what a program complains of is told on.
const TOLD: u64 = 2_000;

pub(crate) async fn run(command: &[String], event: Vec<u8>) -> Result<Bytes, String> {
    let (program, arguments) = command.split_first().ok_or("its command is empty")?;
    let mut child = Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(KEPT.into_iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("{program} cannot be started: {error}"))?;
    let (Some(mut input), Some(output), Some(errors)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(format!("{program} has no pipes"));
    };
    let send = async move {
        // A program need not read its event; what it answers says what became of it.
        let _ = input.write_all(&event).await;
        drop(input);
    };
    let ((), answer, complaint) = tokio::join!(send, read(output, LARGEST as u64 + 1), read(errors, TOLD));
    let answer = answer?;
    // A program that says more than is read would wait for somebody to read it.
    if answer.len() > LARGEST {
        return Err(format!("its answer has more than {LARGEST} bytes"));
    }
    let status = child.wait().await.map_err(|error| error.to_string())?;
    if status.success() {
        return Ok(answer.into());
    }
    let complaint = String::from_utf8_lossy(&complaint?).trim().to_owned();
    Err(format!("it ended with {status}{}{complaint}", if complaint.is_empty() { "" } else { ": " }))
}

/// The first bytes that come; the rest goes nowhere.
async fn read(from: impl AsyncRead + Unpin, most: u64) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut from = from.take(most);
    from.read_to_end(&mut bytes).await.map_err(|error| error.to_string())?;
    if bytes.len() as u64 == most && most <= TOLD {
        let mut rest = from.into_inner();
        let _ = tokio::io::copy(&mut rest, &mut tokio::io::sink()).await;
    }
    Ok(bytes)
}

//! The hard wall: a parser works in a process of its own, with limits that the kernel holds it to.
//!
//! One process a file: what a hostile file breaks is gone with it. The process is the program itself, started with an
//! argument on which it calls [`serve_child`] and nothing else, before any thread or runtime exists.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;
use tokio::sync::Semaphore;

use crate::{Document, Failure, Format, detect};

/// What one file may take.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Limits {
    /// Its size in bytes.
    pub size: usize,
    /// Time on the clock and on the processor.
    pub time: Duration,
    /// Memory of its parser, in bytes, on top of what the program takes to start.
    pub memory: u64,
    /// Its text, in bytes.
    pub text: usize,
    /// How many files are read at a time.
    pub children: usize,
}

impl Default for Limits {
    /// The service's 50 MB a file; time and memory that every honest file of that size keeps to.
    fn default() -> Self {
        Self { size: 50 << 20, time: Duration::from_secs(120), memory: 2 << 30, text: 50 << 20, children: 2 }
    }
}

/// Reads files behind the wall.
pub struct Wall {
    program: PathBuf,
    arguments: Vec<OsString>,
    limits: Limits,
    permits: Semaphore,
}

/// What stands before a file's bytes on the child's input.
#[derive(Serialize, Deserialize)]
struct Request {
    name: String,
    mime: Option<String>,
    limits: Limits,
}

impl Wall {
    /// A wall whose children are this program with these arguments.
    pub fn new(program: impl Into<PathBuf>, arguments: Vec<OsString>, limits: Limits) -> Self {
        Self { program: program.into(), arguments, limits, permits: Semaphore::new(limits.children.max(1)) }
    }

    /// Reads a file: plain text here, since it takes no more than its size, and whatever else may be hostile behind the
    /// wall.
    pub async fn read(&self, bytes: Bytes, name: String, mime: Option<String>) -> Result<Document, Failure> {
        if detect(&bytes, &name, mime.as_deref()) != Format::Text {
            return self.parse(&bytes, &name, mime.as_deref()).await;
        }
        let parse = move || crate::parse(&bytes, &name, mime.as_deref());
        let failed = |error: tokio::task::JoinError| Failure::Damaged(error.to_string());
        tokio::task::spawn_blocking(parse).await.map_err(failed)?
    }

    /// Reads a file as [`crate::parse`] does, or fails with [`Failure::Limit`] where it takes too much.
    pub async fn parse(&self, bytes: &[u8], name: &str, mime: Option<&str>) -> Result<Document, Failure> {
        if bytes.len() > self.limits.size {
            return Err(Failure::Limit(format!(
                "it has {} bytes; at most {} are allowed",
                bytes.len(),
                self.limits.size
            )));
        }
        let Ok(_permit) = self.permits.acquire().await else {
            return Err(Failure::Damaged("no parser can be started: the program is stopping".into()));
        };
        let request = Request { name: name.to_owned(), mime: mime.map(str::to_owned), limits: self.limits };
        match tokio::time::timeout(self.limits.time, self.child(&request, bytes)).await {
            Ok(answer) => answer,
            // The child dies with its handle.
            Err(_) => Err(self.too_long()),
        }
    }

    async fn child(&self, request: &Request, bytes: &[u8]) -> Result<Document, Failure> {
        let unstarted = |error: std::io::Error| Failure::Damaged(format!("its parser cannot be started: {error}"));
        let mut child = Command::new(&self.program)
            .args(&self.arguments)
            // It needs nothing of it, and the server's holds secrets.
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(unstarted)?;
        let (Some(mut input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Failure::Damaged("its parser has no pipes".into()));
        };
        let header = serde_json::to_vec(request).map_err(|error| Failure::Damaged(error.to_string()))?;
        let send = async move {
            let length = u32::try_from(header.len()).unwrap_or(u32::MAX);
            // A child that died does not read on; what it answered, or how it ended, says why.
            let _ = input.write_all(&length.to_le_bytes()).await;
            let _ = input.write_all(&header).await;
            let _ = input.write_all(bytes).await;
            drop(input);
        };
        // JSON writes some characters with six bytes; nothing honest is longer.
        let cap = self.limits.text as u64 * 8 + (1 << 20);
        let mut answer = Vec::new();
        let mut output = output.take(cap + 1);
        let ((), received) = tokio::join!(send, output.read_to_end(&mut answer));
        if answer.len() as u64 > cap {
            return Err(self.too_much_text());
        }
        received.map_err(|error| Failure::Damaged(format!("its parser was not heard: {error}")))?;
        let status = child.wait().await.map_err(unstarted)?;
        match serde_json::from_slice(&answer) {
            Ok(answer) => answer,
            Err(_) => Err(self.ended(status)),
        }
    }

    /// Why a child that gave no answer ended.
    fn ended(&self, status: ExitStatus) -> Failure {
        #[cfg(unix)]
        if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
            return match signal {
                libc::SIGXCPU | libc::SIGKILL => self.too_long(),
                // An allocation that fails aborts; so does a stack that is full.
                _ => Failure::Limit(format!("reading it takes more than {} bytes of memory", self.limits.memory)),
            };
        }
        Failure::Damaged(format!("its parser ended with {status}"))
    }

    fn too_long(&self) -> Failure {
        Failure::Limit(format!("reading it takes more than {} seconds", self.limits.time.as_secs_f32()))
    }

    fn too_much_text(&self) -> Failure {
        too_much_text(self.limits.text)
    }
}

fn too_much_text(limit: usize) -> Failure {
    Failure::Limit(format!("its text has more than {limit} bytes"))
}

/// What a child does: limits itself, reads one file from standard input, answers on standard output.
pub fn serve_child() -> std::io::Result<()> {
    let mut input = std::io::stdin().lock();
    let mut length = [0; 4];
    input.read_exact(&mut length)?;
    let mut header = vec![0; (u32::from_le_bytes(length) as usize).min(1 << 20)];
    input.read_exact(&mut header)?;
    let request: Request = serde_json::from_slice(&header)?;
    let limits = request.limits;
    let mut bytes = Vec::new();
    input.take(limits.size as u64 + 1).read_to_end(&mut bytes)?;
    // A generous stack of its own: parsers recurse as deep as their formats let them.
    let worker = std::thread::Builder::new().stack_size(64 << 20);
    let worker = worker.spawn(move || {
        confine(&limits)?;
        let answer = crate::parse(&bytes, &request.name, request.mime.as_deref()).and_then(|document| {
            let text: usize = document.blocks.iter().map(|block| block.text.len()).sum();
            if text > limits.text { Err(too_much_text(limits.text)) } else { Ok(document) }
        });
        std::io::Result::Ok(serde_json::to_vec(&answer)?)
    })?;
    let answer = worker.join().map_err(|_| std::io::Error::other("the parser gave up"))??;
    let mut output = std::io::stdout().lock();
    output.write_all(&answer)?;
    output.flush()
}

/// Asks the kernel to hold this process to its limits.
#[cfg(unix)]
fn confine(limits: &Limits) -> std::io::Result<()> {
    let seconds = limits.time.as_secs().max(1);
    limit(libc::RLIMIT_CPU, seconds)?;
    limit(libc::RLIMIT_AS, limits.memory.saturating_add(taken()))
}

#[cfg(not(unix))]
fn confine(_: &Limits) -> std::io::Result<()> {
    Ok(())
}

#[cfg(all(unix, target_env = "gnu"))]
type Resource = libc::__rlimit_resource_t;
#[cfg(all(unix, not(target_env = "gnu")))]
type Resource = libc::c_int;

#[cfg(unix)]
fn limit(resource: Resource, value: u64) -> std::io::Result<()> {
    let bound = libc::rlimit { rlim_cur: value, rlim_max: value };
    // SAFETY: the call reads the structure that it is given and keeps nothing of it.
    if unsafe { libc::setrlimit(resource, &raw const bound) } == 0 {
        Ok(())
    } else {
        Err(std::io::Error::last_os_error())
    }
}

/// The address space that the process has at the start, in bytes: a large program's own.
#[cfg(unix)]
fn taken() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    let pages = pages.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    pages.unwrap_or(1 << 18).saturating_mul(4096)
}

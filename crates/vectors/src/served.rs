//! Engines that tests are run against: the conformance suite's, as child processes.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use outcrop_outbound::{Outbound, Settings};

/// An engine, until it is dropped.
pub(crate) struct Served {
    process: Child,
    pub url: String,
}

impl Served {
    pub fn start(name: &str) -> Self {
        Self::start_as(name, &[])
    }

    /// The same with arguments.
    pub fn start_as(name: &str, args: &[&str]) -> Self {
        let script = format!("{}/../../conformance/support/engines/{name}.py", env!("CARGO_MANIFEST_DIR"));
        let mut process = Command::new("python3")
            .arg(&script)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 of the client environment (`make setup`) is first in PATH");
        let mut url = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut url).unwrap();
        assert!(
            !url.is_empty(),
            "{name} did not start: is the client environment's python3 (`make setup`) first in PATH?"
        );
        Self { process, url: url.trim().to_owned() }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It ends with its input, and takes its folder away.
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

pub(crate) fn outbound() -> Outbound {
    Outbound::new(Settings::default()).unwrap()
}

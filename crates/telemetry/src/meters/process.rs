//! What the process itself takes, under the names that every client library of Prometheus has for it.

use std::fs::read_to_string;
use std::time::{SystemTime, UNIX_EPOCH};

use super::{Family, Source, Unit};

/// The unit of times in `/proc`: Linux has shown hundredths of a second there on every architecture since 2.6.
const TICKS: f64 = 100.0;
/// `/proc/self/status` counts memory in these.
const KIB: f64 = 1024.0;

/// Memory, processor time and open files of this process. Nothing where there is no `/proc`.
#[derive(Debug)]
pub struct Process {
    began: SystemTime,
}

impl Default for Process {
    fn default() -> Self {
        Self { began: SystemTime::now() }
    }
}

impl Source for Process {
    fn families(&self) -> Vec<Family> {
        let began = self.began.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        let mut families =
            vec![Family::gauge("process.start_time", Unit::Seconds, "When the process began, since 1970.").of(began)];
        if let Some(seconds) = read_to_string("/proc/self/stat").ok().and_then(|stat| cpu(&stat)) {
            let help = "Processor time, of users and of the system.";
            families.push(Family::counter("process.cpu", Unit::Seconds, help).of(seconds));
        }
        let status = read_to_string("/proc/self/status").unwrap_or_default();
        let shown = [
            ("VmRSS:", "process.resident_memory", "Memory that is resident."),
            ("VmSize:", "process.virtual_memory", "Memory that is mapped."),
        ];
        for (key, name, help) in shown {
            if let Some(kib) = line(&status, key) {
                families.push(Family::gauge(name, Unit::Bytes, help).of(kib * KIB));
            }
        }
        if let Some(threads) = line(&status, "Threads:") {
            families.push(Family::gauge("process.threads", Unit::Of("{thread}"), "Threads.").of(threads));
        }
        if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
            // One of them is this very look.
            let open = open.count().saturating_sub(1) as f64;
            families.push(Family::gauge("process.open_fds", Unit::Of("{file}"), "Open file descriptors.").of(open));
        }
        let limits = read_to_string("/proc/self/limits").unwrap_or_default();
        if let Some(most) = limits.lines().find_map(|line| line.strip_prefix("Max open files")).and_then(first) {
            families.push(Family::gauge("process.max_fds", Unit::Of("{file}"), "The most of them.").of(most));
        }
        families
    }
}

/// User and system time: the 14th and 15th field, counted behind the name, which may hold blanks.
fn cpu(stat: &str) -> Option<f64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let mut next = || fields.next()?.parse::<f64>().ok();
    Some((next()? + next()?) / TICKS)
}

fn line(status: &str, key: &str) -> Option<f64> {
    status.lines().find_map(|line| line.strip_prefix(key)).and_then(first)
}

fn first(rest: &str) -> Option<f64> {
    rest.split_whitespace().next()?.parse().ok()
}

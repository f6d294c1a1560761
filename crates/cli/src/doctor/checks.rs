//! The checks.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use outcrop_engine::EngineConfig;
use outcrop_engine::weights::{Catalog, ModelDir, State};
use outcrop_server::config::Config;
use outcrop_server::listen::Address;
use outcrop_server::pipeline::HEALTH;
use outcrop_server::wiring::data_folder;
use outcrop_store::{Error, Options, Sqlite};

use super::{Finding, Level};
use crate::text::size;

/// How long a program on our port may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

pub(super) fn configuration(file: Option<&Path>) -> (Finding, Option<Config>) {
    let what = "configuration";
    match Config::load(file, |name| std::env::var(name).ok()) {
        Ok(config) => {
            let from = file.map_or("the built-in defaults and the environment".into(), |f| f.display().to_string());
            (Finding::new(Level::Ok, what, format!("{from}: every key is understood")), Some(config))
        }
        Err(error) => {
            let text = format!("{} Correct it; until then the defaults are looked at below", sentence(&error));
            (Finding::new(Level::Fail, what, text), None)
        }
    }
}

/// What went wrong, as a whole sentence: some end in a question.
fn sentence(error: &dyn std::fmt::Display) -> String {
    let text = error.to_string();
    if text.ends_with(['.', '?', '!']) { text } else { text + "." }
}

/// Copies of the database that a migration left.
pub(super) fn old_copies(folder: Option<&Path>) -> Vec<Finding> {
    // A folder that cannot be found or read is told of by `data`.
    let Some(entries) = data_folder(folder).ok().and_then(|folder| std::fs::read_dir(folder).ok()) else {
        return Vec::new();
    };
    let mut names: Vec<_> = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.retain(|name| name.starts_with("outcrop.db.schema-"));
    names.sort();
    let finding = |name: &String| {
        // Secrets are sealed since the second schema.
        let clear = name.split('.').nth(2) == Some("schema-1");
        let what = if clear { "holds secrets in clear, from before a migration" } else { "is from before a migration" };
        let text = format!("{name} {what}; remove it once you do not want to go back");
        Finding::new(Level::Warn, "data folder", text)
    };
    names.iter().map(finding).collect()
}

pub(super) fn data(folder: Option<&Path>, options: &Options) -> Finding {
    let finding = |level, text: String| Finding::new(level, "data folder", text);
    let folder = match data_folder(folder) {
        Ok(folder) => folder,
        Err(error) => return finding(Level::Fail, error.to_string()),
    };
    let at = folder.display();
    if !folder.join("outcrop.db").exists() {
        // Opening would make a database; looking must not.
        let above = folder.ancestors().find(|path| path.exists()).unwrap_or(Path::new("."));
        return match tempfile::tempfile_in(above) {
            Ok(_) => finding(Level::Ok, format!("{at}: empty so far, and can be written")),
            Err(error) => finding(
                Level::Fail,
                format!(
                    "{at} cannot be made: {}: {error}. Choose another with --data or OUTCROP_DATA",
                    above.display()
                ),
            ),
        };
    }
    match Sqlite::open(&folder, options) {
        Ok(_) => finding(Level::Ok, format!("{at}: opens, can be written, no server holds it")),
        Err(Error::InUse(_)) => match Sqlite::open_beside(&folder, options) {
            Ok(_) => finding(Level::Ok, format!("{at}: opens; a running server holds it")),
            Err(error) => finding(Level::Fail, format!("{at} is held by a server, and does not open: {error}")),
        },
        Err(error) => {
            let text = format!("{} Mend that, or choose another folder with --data or OUTCROP_DATA", sentence(&error));
            finding(Level::Fail, text)
        }
    }
}

/// Where the server may call out to. Nobody is called.
pub(super) fn outbound(config: &Config) -> Finding {
    let finding = |level, text| Finding::new(level, "outbound", text);
    let settings = match config.outbound.settings(|name| std::env::var(name).ok()) {
        Ok(settings) => settings,
        Err(error) => return finding(Level::Fail, error.to_string()),
    };
    if let Err(error) = config.outbound.open() {
        return finding(Level::Fail, error.to_string());
    }
    if settings.offline {
        return finding(Level::Ok, "offline: only this machine is called".to_owned());
    }
    let rules: Vec<_> = settings.allow.iter().map(ToString::to_string).collect();
    let mut text = if rules.is_empty() { "any host".to_owned() } else { rules.join(", ") };
    match settings.proxy.as_ref().or(settings.http_proxy.as_ref()) {
        Some(proxy) => text += &format!(" may be called, through {proxy}"),
        None => text += " may be called, directly",
    }
    if !settings.no_proxy.is_empty() {
        text += &format!(" (not {})", settings.no_proxy.join(", "));
    }
    finding(Level::Ok, text)
}

/// A line for each default model, and whether all of them are here.
pub(super) fn models() -> (Vec<Finding>, bool) {
    let models = match ModelDir::locate() {
        Ok(models) => models,
        Err(error) => return (vec![Finding::new(Level::Fail, "models", error.to_string())], false),
    };
    let findings: Vec<_> = Catalog::default().models().iter().map(|model| model_in(&models, model.name)).collect();
    let all_here = findings.iter().all(|finding| finding.level == Level::Ok);
    (findings, all_here)
}

pub(super) fn model_in(models: &ModelDir, name: &str) -> Finding {
    let finding = |level, text| Finding::new(level, "model", text);
    match models.show(name) {
        Err(error) => finding(Level::Fail, error.to_string()),
        Ok(status) if status.state == State::NotPulled => {
            finding(Level::Fail, format!("{name} is not on this machine. Run `outcrop models pull`"))
        }
        // The bytes are hashed, whatever the record says: a check that trusts the record finds nothing new.
        Ok(_) => match models.verify(name) {
            Ok(()) => finding(Level::Ok, format!("{name}: every file has the hash that it must have")),
            Err(error) => finding(Level::Fail, error.to_string()),
        },
    }
}

pub(super) fn python(models_are_here: bool) -> Finding {
    let python = std::env::var("OUTCROP_PYTHON").ok().filter(|python| !python.is_empty());
    pip_of(python.as_deref().unwrap_or("python3"), models_are_here)
}

pub(super) fn pip_of(python: &str, models_are_here: bool) -> Finding {
    // Nothing needs Python once the models are here.
    let missing = if models_are_here { Level::Warn } else { Level::Fail };
    let finding = |level, text| Finding::new(level, "python", text);
    // `-m pip` would run a pip.py of the folder that it starts in.
    let program = if python.contains('/') { std::path::absolute(python) } else { Ok(python.into()) };
    let ask =
        |program| Command::new(program).args(["-m", "pip", "--version"]).stdin(Stdio::null()).current_dir("/").output();
    let asked = program.and_then(ask);
    match asked {
        Ok(output) if output.status.success() => {
            let said = String::from_utf8_lossy(&output.stdout);
            let version = said.split(" from ").next().unwrap_or_default().trim().to_owned();
            finding(Level::Ok, format!("{python} with {version}, for `outcrop models pull`"))
        }
        Ok(_) => finding(
            missing,
            format!("{python} has no pip, which `outcrop models pull` needs. On Debian: apt install python3-pip"),
        ),
        Err(error) => finding(
            missing,
            format!(
                "{python} does not start ({error}); `outcrop models pull` needs it. Install Python 3 with pip, or set \
                 OUTCROP_PYTHON to an interpreter"
            ),
        ),
    }
}

pub(super) fn port(address: &Address) -> Finding {
    let finding = |level, text| Finding::new(level, "port", text);
    let bound = match address {
        Address::Tcp(addr) => TcpListener::bind(addr).map(drop),
        // A file there is a socket in use, or one left behind that the next start removes.
        Address::Unix(path) if path.exists() => Err(ErrorKind::AddrInUse.into()),
        Address::Unix(_) => Ok(()),
    };
    match bound {
        Ok(()) => finding(Level::Ok, format!("{address} is free")),
        Err(error) if error.kind() == ErrorKind::AddrInUse => match answering(address) {
            Ok(Some(scheme)) => finding(Level::Ok, format!("a healthy Outcrop answers at {address} ({scheme})")),
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
                finding(Level::Ok, format!("{address} was left behind; the next start replaces it"))
            }
            _ => finding(
                Level::Fail,
                format!(
                    "{address} is in use by a program that is not a healthy Outcrop. Stop it, or listen elsewhere: \
                     outcrop dev --listen 127.0.0.1:0 picks a free port"
                ),
            ),
        },
        Err(error) => {
            finding(Level::Fail, format!("cannot listen on {address}: {error}. Choose another address with --listen"))
        }
    }
}

/// Which scheme an Outcrop at `address` speaks. One plain request: a client library would be more than the question.
fn answering(address: &Address) -> std::io::Result<Option<&'static str>> {
    match address {
        Address::Tcp(addr) => {
            let stream = TcpStream::connect_timeout(addr, PATIENCE)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.set_write_timeout(Some(PATIENCE))?;
            health(stream)
        }
        Address::Unix(path) => {
            let stream = UnixStream::connect(path)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.set_write_timeout(Some(PATIENCE))?;
            health(stream)
        }
    }
}

fn health(mut stream: impl Read + Write) -> std::io::Result<Option<&'static str>> {
    write!(stream, "GET {HEALTH} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.take(4096).read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    // Where TLS is spoken, ours alone says so in plain text and as an AWS error.
    let tls = answer.starts_with("HTTP/1.1 400") && answer.contains("x-amzn-errortype") && answer.contains("https://");
    Ok(if answer.starts_with("HTTP/1.1 200") { Some("http") } else { tls.then_some("https") })
}

pub(super) fn memory() -> Finding {
    // The default models' weights, and what the engine may keep of prompts: the part that is known beforehand.
    let weights: u64 = Catalog::default().models().iter().map(outcrop_engine::weights::Model::size).sum();
    enough_memory(available_memory(), weights + EngineConfig::default().prefix_cache as u64)
}

pub(super) fn enough_memory(available: Option<u64>, needed: u64) -> Finding {
    let finding = |level, text| Finding::new(level, "memory", text);
    let needs = size(needed);
    match available {
        None => finding(Level::Warn, format!("cannot tell on this system; the default models take {needs} and more")),
        Some(available) if available < needed => finding(
            Level::Warn,
            format!(
                "{} available, the default models take {needs} and more. Close other programs or give the container \
                 more memory",
                size(available)
            ),
        ),
        Some(available) => {
            finding(Level::Ok, format!("{} available, the default models take {needs} and more", size(available)))
        }
    }
}

/// What Linux says is available, or what this container's limit leaves, whichever is less.
fn available_memory() -> Option<u64> {
    let read = |path: &str| std::fs::read_to_string(path).ok();
    let machine = available_in(&read("/proc/meminfo")?)?;
    let number = |path: &str| read(path)?.trim().parse::<u64>().ok();
    let limit = number("/sys/fs/cgroup/memory.max");
    let used = number("/sys/fs/cgroup/memory.current");
    let left = limit.zip(used).map(|(limit, used)| limit.saturating_sub(used));
    Some(left.map_or(machine, |left| left.min(machine)))
}

pub(super) fn available_in(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(target_arch = "x86_64")]
pub(super) fn processor() -> Finding {
    let missing: Vec<&str> = [("AVX2", is_x86_feature_detected!("avx2")), ("FMA", is_x86_feature_detected!("fma"))]
        .into_iter()
        .filter_map(|(name, here)| (!here).then_some(name))
        .collect();
    if missing.is_empty() {
        return Finding::new(Level::Ok, "processor", "has AVX2 and FMA");
    }
    let text = format!(
        "has no {}: local models run several times slower, and only if Outcrop was built on a machine like this one",
        missing.join(" and no ")
    );
    Finding::new(Level::Warn, "processor", text)
}

#[cfg(not(target_arch = "x86_64"))]
pub(super) fn processor() -> Finding {
    Finding::new(Level::Ok, "processor", format!("{}: nothing special is needed", std::env::consts::ARCH))
}

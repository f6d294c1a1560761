//! The folder of models: what is there, whether it is whole, adding a local file, removing.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use super::Progress;
use super::catalog::{Catalog, Model, ModelKind};
use super::error::WeightsError;
use super::gguf::{self, GgufHeader};
use super::pull::{Pulled, Stage, pull};
use super::record::{RECORD, Record, RecordedFile};

/// What the weights of a model that was added are called in its folder.
const GGUF: &str = "model.gguf";

/// The folder of models, one folder a model.
#[derive(Debug, Clone)]
pub struct ModelDir {
    root: PathBuf,
    catalog: Catalog,
}

/// Whether a model can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Known, not on this machine.
    NotPulled,
    /// All files are as verified.
    Verified,
    /// A file is missing, or changed since it was verified.
    Changed,
}

/// One model as `list` and `show` tell it.
#[derive(Debug, Clone)]
pub struct ModelStatus {
    /// The name in Outcrop.
    pub name: String,
    /// What it answers with.
    pub kind: ModelKind,
    /// The licence of the weights, where known.
    pub licence: Option<String>,
    /// The package that carries it, or the file it was added from.
    pub source: String,
    /// The model's folder, whether it exists or not.
    pub path: PathBuf,
    /// The size of its files in bytes.
    pub size: u64,
    /// Whether it can be used.
    pub state: State,
    /// The files with their digests, weights first; empty until pulled.
    pub files: Vec<RecordedFile>,
    /// What the file says about itself, for models added from GGUF.
    pub gguf: Option<GgufHeader>,
}

impl ModelDir {
    /// The folder that the environment names: `OUTCROP_MODELS`, else `outcrop/models` in `XDG_CACHE_HOME` or
    /// `~/.cache`.
    pub fn locate() -> Result<Self, WeightsError> {
        Self::locate_with(|name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from))
    }

    fn locate_with(variable: impl Fn(&str) -> Option<PathBuf>) -> Result<Self, WeightsError> {
        if let Some(root) = variable("OUTCROP_MODELS") {
            return Ok(Self::at(root));
        }
        // The XDG specification: relative paths are to be ignored.
        let cache = variable("XDG_CACHE_HOME").filter(|path| path.is_absolute());
        let cache = cache.or_else(|| variable("HOME").map(|home| home.join(".cache")));
        Ok(Self::at(cache.ok_or(WeightsError::NoHome)?.join("outcrop").join("models")))
    }

    /// The models under `root`.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self::with_catalog(root, Catalog::default())
    }

    /// The models under `root`, with other names known.
    pub fn with_catalog(root: impl Into<PathBuf>, catalog: Catalog) -> Self {
        Self { root: root.into(), catalog }
    }

    /// The folder that holds the models' folders.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Fetches a known model unless it is here and whole.
    pub fn pull(&self, name: &str, progress: &mut dyn Progress) -> Result<Pulled, WeightsError> {
        let model = self.catalog.get(name).ok_or_else(|| self.unknown(name))?;
        let python = std::env::var("OUTCROP_PYTHON").ok().filter(|python| !python.is_empty());
        pull(&self.root, model, python.as_deref().unwrap_or("python3"), progress)
    }

    /// All known models and all that lie here, known ones first.
    pub fn list(&self) -> Result<Vec<ModelStatus>, WeightsError> {
        let mut all: Vec<ModelStatus> = self
            .catalog
            .models()
            .iter()
            .map(|model| self.known(model, Record::read(&self.root.join(model.name))))
            .collect();
        let entries = match std::fs::read_dir(&self.root) {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(all),
            Err(e) => return Err(WeightsError::io("list", &self.root, e)),
        };
        let mut local = Vec::new();
        for entry in entries.flatten() {
            let Ok(name) = entry.file_name().into_string() else { continue };
            if self.catalog.get(&name).is_none()
                && valid_name(&name)
                && let Some(record) = Record::read(&entry.path())
            {
                local.push(self.local(&name, record));
            }
        }
        local.sort_by(|a, b| a.name.cmp(&b.name));
        all.append(&mut local);
        Ok(all)
    }

    /// One model, known or added.
    pub fn show(&self, name: &str) -> Result<ModelStatus, WeightsError> {
        let record = if valid_name(name) { Record::read(&self.root.join(name)) } else { None };
        match (self.catalog.get(name), record) {
            (Some(model), record) => Ok(self.known(model, record)),
            (None, Some(record)) => Ok(self.local(name, record)),
            (None, None) => Err(self.unknown(name)),
        }
    }

    /// The path of the model's weights, when the model is whole.
    ///
    /// Marks that no longer fit (a copied or restored cache has new times) lead to hashing once more.
    pub fn weights(&self, name: &str) -> Result<PathBuf, WeightsError> {
        let status = self.show(name)?;
        match status.state {
            State::Verified => {}
            State::Changed => self.reverify(&status)?,
            State::NotPulled => {
                return Err(WeightsError::NotPulled { name: name.to_owned(), root: self.root.clone() });
            }
        }
        let known = self.catalog.get(name).and_then(|model| model.files.first()).map(|file| file.name);
        let first = known.or(status.files.first().map(|file| file.name.as_str()));
        let damaged = || WeightsError::Damaged { name: name.to_owned(), why: "its record names no file".to_owned() };
        Ok(status.path.join(first.ok_or_else(damaged)?))
    }

    /// The model's folder, when the model is whole.
    pub fn folder(&self, name: &str) -> Result<PathBuf, WeightsError> {
        self.weights(name)?;
        Ok(self.root.join(name))
    }

    /// Hashes all files and compares them with what they should be.
    pub fn verify(&self, name: &str) -> Result<(), WeightsError> {
        let status = self.show(name)?;
        if status.state == State::NotPulled {
            return Err(WeightsError::NotPulled { name: name.to_owned(), root: self.root.clone() });
        }
        self.reverify(&status)
    }

    fn reverify(&self, status: &ModelStatus) -> Result<(), WeightsError> {
        let damaged = |why| WeightsError::Damaged { name: status.name.clone(), why };
        let expected: Vec<(&str, &str)> = match self.catalog.get(&status.name) {
            Some(model) => model.files.iter().map(|file| (file.name, file.sha256)).collect(),
            None => status.files.iter().map(|file| (file.name.as_str(), file.sha256.as_str())).collect(),
        };
        let mut files = Vec::new();
        for (name, sha256) in expected {
            let path = status.path.join(name);
            let file = RecordedFile::hash(&path, name, &mut |_| ()).map_err(|e| damaged(format!("{e}")))?;
            if file.sha256 != sha256 {
                return Err(damaged(format!("{} has SHA-256 {}, not {sha256}", path.display(), file.sha256)));
            }
            files.push(file);
        }
        let record = Record {
            kind: status.kind,
            licence: status.licence.clone(),
            source: status.source.clone(),
            files,
            gguf: status.gguf.clone(),
        };
        // A cache that is read-only (another user's, an image layer) is still a good cache: it is only slower.
        if let Err(e) = record.write(&status.path) {
            tracing::debug!(model = status.name, error = %e, "cannot remember that the model is whole");
        }
        Ok(())
    }

    /// Adds a local GGUF file under `name`: a hard link where the file system allows it, else a copy.
    pub fn add_gguf(&self, path: &Path, name: &str, progress: &mut dyn Progress) -> Result<ModelStatus, WeightsError> {
        self.free(name)?;
        let header = runnable(path)?;
        // Links to links end when the middle one goes; the file itself is what is wanted.
        let path = path.canonicalize().map_err(|e| WeightsError::io("open", path, e))?;
        let stage = self.stage()?;
        let target = stage.path().join(GGUF);
        if std::fs::hard_link(&path, &target).is_err() {
            std::fs::copy(&path, &target).map_err(|e| WeightsError::io("copy", &path, e))?;
        }
        let total = std::fs::metadata(&target).map_or(0, |meta| meta.len());
        let file = RecordedFile::hash(&target, GGUF, &mut |done| progress.bytes(Stage::Verify, done, total))?;
        let licence = header.licence.clone();
        self.place(stage, name, header, file, licence, path.display().to_string(), false)
    }

    /// The folder of the model `name`, when it has a file with the bytes of `path` and is whole.
    pub fn holds(&self, path: &Path, name: &str, progress: &mut dyn Progress) -> Result<Option<PathBuf>, WeightsError> {
        let Ok(status) = self.show(name) else { return Ok(None) };
        let size = std::fs::metadata(path).map_err(|e| WeightsError::io("open", path, e))?.len();
        if !status.files.iter().any(|file| file.size == size) {
            return Ok(None);
        }
        let file = RecordedFile::hash(path, GGUF, &mut |done| progress.bytes(Stage::Verify, done, size))?;
        if !status.files.iter().any(|known| known.sha256 == file.sha256) {
            return Ok(None);
        }
        self.folder(name).map(Some)
    }

    /// Makes a fetched file, which has just been hashed, the model `name`. `replace` puts it in the place of an
    /// older one.
    pub(super) fn adopt(
        &self,
        path: &Path,
        name: &str,
        source: &str,
        licence: Option<String>,
        sha256: &str,
        replace: bool,
    ) -> Result<ModelStatus, WeightsError> {
        let header = runnable(path)?;
        let stage = self.stage()?;
        let target = stage.path().join(GGUF);
        std::fs::rename(path, &target).map_err(|e| WeightsError::io("move", path, e))?;
        let file = RecordedFile::known(&target, GGUF, sha256)?;
        let licence = licence.or_else(|| header.licence.clone());
        self.place(stage, name, header, file, licence, source.to_owned(), replace)
    }

    /// Refuses a name that cannot be a model's or is one already.
    pub(super) fn free(&self, name: &str) -> Result<(), WeightsError> {
        if !valid_name(name) {
            return Err(WeightsError::Name(name.to_owned()));
        }
        if self.catalog.get(name).is_some() || self.root.join(name).exists() {
            return Err(WeightsError::Taken(name.to_owned()));
        }
        Ok(())
    }

    /// Held while a model is fetched; it goes with the process.
    pub(super) fn lock(&self) -> Result<File, WeightsError> {
        lock(&self.root)
    }

    /// A folder beside the models' own, where the next one is made.
    fn stage(&self) -> Result<tempfile::TempDir, WeightsError> {
        std::fs::create_dir_all(&self.root).map_err(|e| WeightsError::io("create", &self.root, e))?;
        let mut builder = tempfile::Builder::new();
        // A cache may be another user's: a temporary folder's own mode would shut it.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755));
        builder.prefix(".add-").tempdir_in(&self.root).map_err(|e| WeightsError::io("write in", &self.root, e))
    }

    #[allow(clippy::too_many_arguments, reason = "a record's fields, and where it goes")]
    fn place(
        &self,
        stage: tempfile::TempDir,
        name: &str,
        header: GgufHeader,
        file: RecordedFile,
        licence: Option<String>,
        source: String,
        replace: bool,
    ) -> Result<ModelStatus, WeightsError> {
        let folder = self.root.join(name);
        let kind = kind(&header);
        let record = Record { kind, licence, source, files: vec![file], gguf: Some(header) };
        record.write(stage.path())?;
        let old = if replace && folder.exists() {
            let old = self.stage()?;
            std::fs::rename(&folder, old.path().join("old")).map_err(|e| WeightsError::io("replace", &folder, e))?;
            Some(old)
        } else {
            None
        };
        std::fs::rename(stage.path(), &folder).map_err(|e| match e.kind() {
            std::io::ErrorKind::DirectoryNotEmpty | std::io::ErrorKind::AlreadyExists => {
                WeightsError::Taken(name.to_owned())
            }
            _ => WeightsError::io("create", &folder, e),
        })?;
        // Moved away, it is no longer there to be removed.
        let _ = stage.keep();
        drop(old);
        self.show(name)
    }

    /// Removes a model's files.
    pub fn remove(&self, name: &str) -> Result<(), WeightsError> {
        let folder = self.root.join(name);
        if !valid_name(name) || !folder.is_dir() {
            return match self.catalog.get(name) {
                Some(_) => Err(WeightsError::NotPulled { name: name.to_owned(), root: self.root.clone() }),
                None => Err(self.unknown(name)),
            };
        }
        std::fs::remove_dir_all(&folder).map_err(|e| WeightsError::io("remove", &folder, e))
    }

    fn known(&self, model: &Model, record: Option<Record>) -> ModelStatus {
        let path = self.root.join(model.name);
        let state = match &record {
            Some(record) if whole(&path, model, record) => State::Verified,
            _ if path.exists() => State::Changed,
            _ => State::NotPulled,
        };
        ModelStatus {
            name: model.name.to_owned(),
            kind: model.kind,
            licence: Some(model.licence.to_owned()),
            source: format!("{}=={}", model.package, model.version),
            path,
            size: model.size(),
            state,
            files: record.map(|record| record.files).unwrap_or_default(),
            gguf: None,
        }
    }

    fn local(&self, name: &str, record: Record) -> ModelStatus {
        let path = self.root.join(name);
        let whole = record.files.iter().all(|file| plain(&file.name) && file.unchanged(&path));
        ModelStatus {
            name: name.to_owned(),
            kind: record.kind,
            licence: record.licence,
            source: record.source,
            size: record.files.iter().map(|file| file.size).sum(),
            state: if whole { State::Verified } else { State::Changed },
            files: record.files.into_iter().filter(|file| plain(&file.name)).collect(),
            path,
            gguf: record.gguf,
        }
    }

    fn unknown(&self, name: &str) -> WeightsError {
        let names = self.list().unwrap_or_default();
        let known = names.iter().map(|status| status.name.as_str()).collect::<Vec<_>>().join(", ");
        WeightsError::Unknown { name: name.to_owned(), known }
    }
}

/// True when every file of `model` in `folder` is the one that was verified against the catalogue's digest.
pub(super) fn whole(folder: &Path, model: &Model, record: &Record) -> bool {
    model.files.iter().all(|file| {
        let recorded = record.files.iter().find(|recorded| recorded.name == file.name);
        recorded.is_some_and(|recorded| recorded.sha256 == file.sha256 && recorded.unchanged(folder))
    })
}

fn kind(header: &GgufHeader) -> ModelKind {
    match header.pooling {
        // llama.cpp's number for a head that ranks.
        Some(4) => ModelKind::Rerank,
        None if !header.architecture.contains("bert") => ModelKind::Text,
        _ => ModelKind::Embedding,
    }
}

/// The header of a GGUF file, when it is a model that the engine can run as it is.
fn runnable(path: &Path) -> Result<GgufHeader, WeightsError> {
    let refuse = |why: String| WeightsError::Gguf { path: path.to_owned(), why };
    let file = File::open(path).map_err(|e| WeightsError::io("open", path, e))?;
    let meta = file.metadata().map_err(|e| WeightsError::io("open", path, e))?;
    if !meta.is_file() {
        return Err(refuse("it is not a file".to_owned()));
    }
    let header = gguf::read(BufReader::with_capacity(1 << 16, file), meta.len()).map_err(|e| refuse(e.to_string()))?;
    if header.parts > 1 {
        return Err(refuse(format!(
            "it is one of {} parts; join them with `llama-gguf-split --merge` first",
            header.parts
        )));
    }
    if let Some(role) = &header.role {
        return Err(refuse(format!("it holds a model's {role}, not a model")));
    }
    let tokens = header.tokenizer.as_deref().filter(|_| header.architecture == "bert");
    let (what, run, which) = match kind(&header) {
        ModelKind::Text => return Ok(header),
        // Mean and CLS, in llama.cpp's numbers.
        ModelKind::Embedding => {
            let run = tokens == Some("bert") && matches!(header.pooling, Some(1 | 2));
            ("an embedding model", run, "BERT with WordPiece and mean or CLS pooling")
        }
        ModelKind::Rerank => ("a reranker", matches!(tokens, Some("bert" | "t5")), "BERT or XLM-RoBERTa"),
    };
    if run {
        return Ok(header);
    }
    Err(refuse(format!("it is {what} ({}) of a kind that is not run: only {which} is", header.architecture)))
}

/// Two pulls at once (a build and a person) do the work once; the lock goes with the process.
pub(super) fn lock(root: &Path) -> Result<File, WeightsError> {
    std::fs::create_dir_all(root).map_err(|e| WeightsError::io("create", root, e))?;
    let path = root.join(".pull.lock");
    let lock = File::create(&path).and_then(|file| file.lock().map(|()| file));
    lock.map_err(|e| WeightsError::io("lock", &path, e))
}

/// What `outcrop.NAME` may be as a model id: AWS's pattern has letters, digits and dashes in up to three parts.
fn valid_name(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=63).contains(&name.len())
        && !name.starts_with('-')
        && name.split('.').count() <= 3
        && name.split('.').all(|part| !part.is_empty() && part.bytes().all(plain))
}

/// A record is only a file that anybody may have written: its names must not lead elsewhere.
fn plain(name: &str) -> bool {
    !name.is_empty() && name != RECORD && Path::new(name).file_name().is_some_and(|own| own == name)
}

#[cfg(test)]
mod tests;

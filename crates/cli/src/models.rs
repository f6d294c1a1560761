//! `outcrop models`: the model files in the user's cache.

mod progress;
#[cfg(test)]
mod tests;

use std::io::BufReader;
use std::path::{MAIN_SEPARATOR, Path};

use outcrop_engine::weights::gguf::{self, GgufHeader};
use outcrop_engine::weights::remote::{Remote, Source, name_of};
use outcrop_engine::weights::{Catalog, ModelDir, ModelKind, ModelStatus, State};

use outcrop_server::config::Config;

use crate::args;
use crate::text::{counted, say, size, table};
use progress::Shown;

/// Pulls, lists, shows or removes.
pub fn run(command: args::Models) -> Result<(), String> {
    let models = ModelDir::locate().map_err(|e| e.to_string())?;
    match command {
        args::Models::Pull { what, name, sha256, offline, config } => {
            let config = Config::load(config.as_deref(), |name| std::env::var(name).ok()).map_err(|e| e.to_string())?;
            let outbound = config.outbound.open().map_err(|e| e.to_string())?;
            let remote = Remote::from_environment(outbound, offline);
            let options = Options { name: name.as_deref(), sha256: sha256.as_deref(), remote };
            pull(&models, &what, &options)
        }
        args::Models::List => {
            let all = models.list().map_err(|e| e.to_string())?;
            let rows: Vec<_> = all.iter().map(|status| row(status, condition(&models, status))).collect();
            let mut text = table(["NAME", "KIND", "SIZE", "STATE", "LICENCE"], &rows);
            if all.iter().any(|status| status.state == State::NotPulled) {
                text += "\nFetch what is not pulled: outcrop models pull\n";
            }
            say(&text)
        }
        args::Models::Show { name } => {
            let status = models.show(&name).map_err(|e| e.to_string())?;
            say(&show(&status, condition(&models, &status), header(&status)))
        }
        args::Models::Rm { name } => {
            models.remove(&name).map_err(|e| e.to_string())?;
            let again = if Catalog::default().get(&name).is_some() {
                format!(" `outcrop models pull {name}` fetches it again.")
            } else {
                String::new()
            };
            say(&format!("{name} is removed.{again}\n"))
        }
    }
}

/// How to pull.
struct Options<'a> {
    name: Option<&'a str>,
    sha256: Option<&'a str>,
    remote: Remote,
}

fn pull(models: &ModelDir, what: &[String], options: &Options) -> Result<(), String> {
    let one = |wanted: fn(&str) -> bool| matches!(what, [one] if wanted(one));
    if options.name.is_some() && !one(|what| Source::is_meant(what) || (is_file(what) && !Path::new(what).is_dir())) {
        return Err("--name names one model that is added from a file: \
                    outcrop models pull path/to/model.gguf --name NAME"
            .into());
    }
    if options.sha256.is_some() && !one(Source::is_meant) {
        return Err("--sha256 goes with one URL: outcrop models pull https://HOST/model.gguf --sha256 HASH".into());
    }
    let defaults: Vec<String> = Catalog::default().models().iter().map(|model| model.name.to_owned()).collect();
    for what in if what.is_empty() { &defaults } else { what } {
        if Source::is_meant(what) {
            from_elsewhere(models, what, options)?;
        } else if Path::new(what).is_dir() && Catalog::default().get(what).is_none() {
            folder(models, Path::new(what))?;
        } else if !is_file(what) {
            fetch(models, what, &options.remote)?;
        } else {
            add(models, Path::new(what), options.name)?;
        }
    }
    Ok(())
}

fn fetch(models: &ModelDir, name: &str, remote: &Remote) -> Result<(), String> {
    if remote.offline() {
        // What is here and whole needs no network; what is not says what to do.
        let path = models.folder(name).map_err(|e| format!("{e} (fetching is switched off)"))?;
        return say(&format!("{name} is here already, whole: {}\n", path.display()));
    }
    let mut shown = Shown::new(name);
    let pulled = models.pull(name, &mut shown);
    shown.clear();
    let pulled = pulled.map_err(|e| e.to_string())?;
    let done = if pulled.fetched { "is fetched and verified" } else { "is here already, whole" };
    say(&format!("{name} {done}: {}\n", pulled.path.display()))
}

fn from_elsewhere(models: &ModelDir, what: &str, options: &Options) -> Result<(), String> {
    let source = Source::parse(what, options.sha256).map_err(|e| e.to_string())?;
    let mut shown = Shown::new(&source.to_string());
    let pulled = models.pull_from(&source, options.name, &options.remote, &mut shown);
    shown.clear();
    let pulled = pulled.map_err(|e| e.to_string())?;
    if let Some(why) = pulled.why {
        say(&format!("chosen: {why}\n"))?;
    }
    let name = &pulled.status.name;
    if !pulled.fetched {
        return say(&format!("{name} is here already, whole: {}\n", pulled.status.path.display()));
    }
    say(&added(name, "is fetched and verified"))
}

/// Every GGUF file of a folder, each under its own name.
fn folder(models: &ModelDir, folder: &Path) -> Result<(), String> {
    let shown = folder.display();
    let entries = std::fs::read_dir(folder).map_err(|e| format!("cannot list {shown}: {e}"))?;
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("gguf")));
    files.sort();
    if files.is_empty() {
        return Err(format!("{shown} holds no GGUF file"));
    }
    let mut failed = 0;
    for file in &files {
        // One that cannot be added does not keep the others out.
        if let Err(why) = add(models, file, None) {
            failed += 1;
            eprintln!("{why}");
        }
    }
    if failed == 0 {
        Ok(())
    } else {
        Err(format!("{failed} of {} in {shown} not added", counted(files.len() as u64, "file")))
    }
}

fn add(models: &ModelDir, path: &Path, name: Option<&str>) -> Result<(), String> {
    let name = name.map_or_else(|| name_of(path), str::to_owned);
    let mut shown = Shown::new(&name);
    let done = match models.holds(path, &name, &mut shown) {
        Ok(None) => models.add_gguf(path, &name, &mut shown).map(|_| None),
        held => held,
    };
    shown.clear();
    match done.map_err(|e| e.to_string())? {
        Some(folder) => say(&format!("{name} is here already, whole: {}\n", folder.display())),
        None => say(&added(&name, "is added")),
    }
}

fn added(name: &str, done: &str) -> String {
    format!("{name} {done}. Its modelId is outcrop.{name}; a running server knows it after a restart.\n")
}

/// Names of models have neither separators nor this ending, so no name can be mistaken for a file.
fn is_file(what: &str) -> bool {
    let ending = Path::new(what).extension().is_some_and(|e| e.eq_ignore_ascii_case("gguf"));
    ending || what == "." || what.contains(['/', MAIN_SEPARATOR])
}

/// Whether a model can be used, and why not.
type Condition = Result<bool, String>;

fn condition(models: &ModelDir, status: &ModelStatus) -> Condition {
    match status.state {
        State::Verified => Ok(true),
        State::NotPulled => Ok(false),
        // Copied or restored files have other times than the record says: only their bytes tell.
        State::Changed => models.verify(&status.name).map(|()| true).map_err(|e| e.to_string()),
    }
}

fn kind(kind: ModelKind) -> &'static str {
    match kind {
        ModelKind::Text => "text",
        ModelKind::Embedding => "embedding",
        ModelKind::Rerank => "rerank",
    }
}

fn row(status: &ModelStatus, condition: Condition) -> [String; 5] {
    let state = match condition {
        Ok(true) => "ready",
        Ok(false) => "not pulled",
        Err(_) => "corrupt",
    };
    let licence = status.licence.as_deref().unwrap_or("unknown");
    [status.name.clone(), kind(status.kind).into(), size(status.size), state.into(), licence.into()]
}

/// What the weights' own header says, where they are a GGUF file.
fn header(status: &ModelStatus) -> Option<GgufHeader> {
    if status.gguf.is_some() {
        return status.gguf.clone();
    }
    let first = status.files.first().filter(|file| file.name.ends_with(".gguf"))?;
    let file = std::fs::File::open(status.path.join(&first.name)).ok()?;
    let length = file.metadata().ok()?.len();
    gguf::read(BufReader::new(file), length).ok()
}

fn show(status: &ModelStatus, condition: Condition, header: Option<GgufHeader>) -> String {
    let mut rows: Vec<(&str, String)> = vec![
        ("name", status.name.clone()),
        ("modelId", format!("outcrop.{}", status.name)),
        ("kind", kind(status.kind).into()),
        ("licence", status.licence.clone().unwrap_or_else(|| "unknown".into())),
        ("source", status.source.clone()),
        ("path", status.path.display().to_string()),
        ("size", size(status.size)),
    ];
    let verified = match condition {
        Ok(true) => "yes: no file has changed since it had the hash below".into(),
        Ok(false) => format!("not pulled; run `outcrop models pull {}`", status.name),
        Err(why) => format!("no: {why}"),
    };
    rows.push(("verified", verified));
    if let Some(header) = header {
        rows.push(("architecture", header.architecture));
        rows.extend(header.context_length.map(|tokens| ("context", format!("{tokens} tokens"))));
        rows.extend(header.quantisation.map(|q| ("quantisation", q)));
        if status.kind == ModelKind::Text && !header.chat_template {
            rows.push(("chat template", "none in the file: a plain one is used".into()));
        }
    }
    let mut text = String::new();
    for (label, value) in rows {
        text += &format!("{label:<14}{value}\n");
    }
    let known = Catalog::default().get(&status.name).map_or(&[][..], |model| model.files);
    let known = known.iter().map(|file| (file.name, file.size, file.sha256));
    let here = status.files.iter().map(|file| (file.name.as_str(), file.size, file.sha256.as_str()));
    // What a file must hash to is known before it is here.
    let files: Vec<_> = if status.files.is_empty() { known.collect() } else { here.collect() };
    let rows: Vec<_> = files.iter().map(|(name, bytes, hash)| [(*name).into(), size(*bytes), (*hash).into()]).collect();
    text + "\n" + &table(["FILE", "SIZE", "SHA-256"], &rows)
}

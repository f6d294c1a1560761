//! `outcrop models`: the model files in the user's cache.

mod progress;
#[cfg(test)]
mod tests;

use std::io::BufReader;
use std::path::{MAIN_SEPARATOR, Path};

use outcrop_engine::weights::gguf::{self, GgufHeader};
use outcrop_engine::weights::{Catalog, ModelDir, ModelKind, ModelStatus, State};

use crate::args;
use crate::text::{say, size, table};
use progress::Shown;

/// Pulls, lists, shows or removes.
pub fn run(command: args::Models) -> Result<(), String> {
    let models = ModelDir::locate().map_err(|e| e.to_string())?;
    match command {
        args::Models::Pull { what, name } => pull(&models, &what, name.as_deref()),
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

fn pull(models: &ModelDir, what: &[String], name: Option<&str>) -> Result<(), String> {
    if name.is_some() && !matches!(what, [one] if is_file(one)) {
        return Err("--name names one model that is added from a file: \
                    outcrop models pull path/to/model.gguf --name NAME"
            .into());
    }
    let defaults: Vec<String> = Catalog::default().models().iter().map(|model| model.name.to_owned()).collect();
    for what in if what.is_empty() { &defaults } else { what } {
        if is_file(what) { add(models, Path::new(what), name)? } else { fetch(models, what)? }
    }
    Ok(())
}

fn fetch(models: &ModelDir, name: &str) -> Result<(), String> {
    let mut shown = Shown::new(name);
    let pulled = models.pull(name, &mut shown);
    shown.clear();
    let pulled = pulled.map_err(|e| e.to_string())?;
    let done = if pulled.fetched { "is fetched and verified" } else { "is here already, whole" };
    say(&format!("{name} {done}: {}\n", pulled.path.display()))
}

fn add(models: &ModelDir, path: &Path, name: Option<&str>) -> Result<(), String> {
    let name = name.map_or_else(|| name_of(path), str::to_owned);
    let mut shown = Shown::new(&name);
    let added = models.add_gguf(path, &name, &mut shown);
    shown.clear();
    added.map_err(|e| e.to_string())?;
    say(&format!(
        "{name} is added. Its modelId is outcrop.{name}; a server that runs already knows it after a restart.\n"
    ))
}

/// Names of models have neither separators nor this ending, so no name can be mistaken for a file.
fn is_file(what: &str) -> bool {
    let ending = Path::new(what).extension().is_some_and(|e| e.eq_ignore_ascii_case("gguf"));
    ending || what.contains(['/', MAIN_SEPARATOR])
}

/// A file's own name with what a model's name may not hold replaced.
fn name_of(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '-' };
    let name: String = stem.chars().map(plain).collect();
    name.trim_start_matches(['.', '_', '-']).chars().take(63).collect()
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

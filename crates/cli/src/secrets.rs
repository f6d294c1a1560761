//! `outcrop secrets`: the keys that seal what is kept.

use std::path::PathBuf;

use outcrop_server::config::Config;
use outcrop_server::wiring::data_folder;
use outcrop_store::{KeyInfo, Options, Progress, Sqlite};
use serde_json::json;

use crate::args;
use crate::backup::Counter;
use crate::text::{counted, say, table};

/// Lists or rotates.
pub async fn run(command: args::Secrets) -> Result<(), String> {
    match command {
        args::Secrets::List { json, folder } => {
            let (path, options) = locate(&folder)?;
            let store = Sqlite::open_beside(&path, &options).map_err(|e| e.to_string())?;
            let keys = store.keys().await.map_err(|e| e.to_string())?;
            say(&if json { for_programs(&keys) } else { for_people(&keys) })
        }
        args::Secrets::Rotate { keys, folder } => {
            let (path, options) = locate(&folder)?;
            let mut counter = Counter::default();
            let mut tell = |progress| match progress {
                Progress::Chosen(name, id) => eprintln!("the {name} key is {id} from now on"),
                Progress::Rows(done, all) => counter.tell("rows", done, all),
                Progress::Blobs(done, all) => counter.tell("blobs", done, all),
            };
            let rotated = outcrop_store::rotate(&path, &options, &keys, &mut tell).map_err(|e| e.to_string())?;
            let mut text = String::new();
            for it in rotated {
                let old: Vec<String> = it.old.iter().map(ToString::to_string).collect();
                text += &format!(
                    "The {} key {} seals {} and {} that {} sealed before. {}\n",
                    it.name,
                    it.new,
                    counted(it.rows, "row"),
                    counted(it.blobs, "blob"),
                    if old.is_empty() { "nothing".to_owned() } else { old.join(", ") },
                    "The old key opens nothing here any more; backups made before still need it."
                );
            }
            say(&text)
        }
    }
}

/// The folder that the server uses, and how it opens it. Looking at one that is not there must not make it.
pub fn locate(folder: &args::Folder) -> Result<(PathBuf, Options), String> {
    let config = Config::load(folder.config.as_deref(), |name| std::env::var(name).ok()).map_err(|e| e.to_string())?;
    let path = data_folder(folder.data.as_deref().or(config.data.as_deref())).map_err(|e| e.to_string())?;
    if !path.join("outcrop.db").exists() {
        return Err(format!(
            "{} is no data folder: no server has used it. Name the server's data folder with --data",
            path.display()
        ));
    }
    Ok((path, config.store()))
}

fn for_people(keys: &[KeyInfo]) -> String {
    let rows: Vec<[String; 6]> = keys
        .iter()
        .map(|key| {
            let opens = format!("{}, {}", counted(key.rows, "row"), counted(key.blobs, "blob"));
            let since = format!("{:.0}", key.made);
            [key.name.clone(), key.id.to_string(), key.state.to_string(), opens, since, key.source.clone()]
        })
        .collect();
    table(["NAME", "ID", "STATE", "OPENS", "SINCE", "FROM"], &rows)
}

fn for_programs(keys: &[KeyInfo]) -> String {
    let keys: Vec<_> = keys
        .iter()
        .map(|key| {
            json!({
                "name": key.name, "id": key.id.to_string(), "state": key.state.to_string(), "rows": key.rows,
                "blobs": key.blobs, "made": key.made.to_string(), "source": key.source,
            })
        })
        .collect();
    format!("{:#}\n", json!(keys))
}

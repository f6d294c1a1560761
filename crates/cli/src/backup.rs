//! `outcrop backup` and `outcrop restore`.

use std::time::{Duration, Instant};

use outcrop_server::config::Config;
use outcrop_server::wiring::data_folder;
use outcrop_store::BackupProgress;

use crate::args;
use crate::secrets::locate;
use crate::text::{say, size};

/// Between two lines of progress: a log is not to be filled.
const PAUSE: Duration = Duration::from_secs(2);

/// Says now and then, on standard error, how far something is.
#[derive(Default)]
pub struct Counter {
    told: Option<Instant>,
}

impl Counter {
    /// So many are done, of so many where that is known.
    pub fn tell(&mut self, what: &str, done: u64, all: u64) {
        if self.told.is_some_and(|told| told.elapsed() < PAUSE) && done != all {
            return;
        }
        self.told = Some(Instant::now());
        match all {
            0 => eprintln!("{what}: {done}"),
            _ => eprintln!("{what}: {done} of {all}"),
        }
    }

    fn backup(&mut self, progress: BackupProgress) {
        match progress {
            BackupProgress::Database(done, all) => self.tell("pages of the database", done, all),
            BackupProgress::Files(done, all) => self.tell("files", done, all),
        }
    }
}

/// Makes a backup.
pub fn backup(args: &args::Backup) -> Result<(), String> {
    let (folder, options) = locate(&args.folder)?;
    let mut counter = Counter::default();
    let mut tell = |progress| counter.backup(progress);
    let made = outcrop_store::backup(&folder, &options, &args.to, args.include_keys, &mut tell);
    let manifest = made.map_err(|e| e.to_string())?;
    let bytes = manifest.files.iter().map(|file| file.size).sum();
    let keys = if args.include_keys {
        "The keys are in it: whoever has it can read everything.".to_owned()
    } else {
        let needed = manifest.head.keys.iter().filter(|key| key.state == "current" || key.state == "old");
        let needed: Vec<_> = needed.map(|key| format!("{} {}", key.name, key.id)).collect();
        format!("The keys are not in it. To be read it needs: {}.", needed.join(", "))
    };
    say(&format!("{}: {} files, {}. {keys}\n", args.to.display(), manifest.files.len(), size(bytes)))
}

/// Restores one.
pub fn restore(args: &args::Restore) -> Result<(), String> {
    let given = &args.folder;
    let config = Config::load(given.config.as_deref(), |name| std::env::var(name).ok()).map_err(|e| e.to_string())?;
    let folder = data_folder(given.data.as_deref().or(config.data.as_deref())).map_err(|e| e.to_string())?;
    let mut counter = Counter::default();
    let mut tell = |progress| counter.backup(progress);
    let restored = outcrop_store::restore(&args.from, &folder, &config.store(), args.force, &mut tell);
    let restored = restored.map_err(|e| e.to_string())?;
    let head = &restored.manifest.head;
    let mut text = format!(
        "{} is as it was at {}: {} files, verified.\n",
        folder.display(),
        head.made,
        restored.manifest.files.len()
    );
    if let Some(replaced) = &restored.replaced {
        text += &format!("What was there before is in {}.\n", replaced.display());
    }
    for key in &restored.keys {
        text += &format!("Keys of the backup are in {}.\n", key.display());
    }
    for (name, id) in &restored.missing {
        text += &format!("It needs the {name} key {id}, which is not there yet: a server will not start without it.\n");
    }
    say(&text)
}

//! `outcrop backup` and `outcrop restore`.

use std::time::{Duration, Instant};

use outcrop_server::config::Config;
use outcrop_server::wiring::data_folder;
use outcrop_store::BackupProgress;

use crate::args;
use crate::secrets::locate;
use crate::text::{counted, say, size};

/// Between two lines of progress: a log is not to be filled.
const PAUSE: Duration = Duration::from_secs(2);

/// What is not written: a folder of such a name would surprise.
const PACKED: [&str; 6] = [".zip", ".tgz", ".gz", ".bz2", ".xz", ".zst"];

/// Folders of the data that a backup does not hold.
const LEFT: [&str; 5] = ["knowledge", "buckets", "buckets-aside", "log-groups", "telemetry"];

/// Says now and then, on standard error, how far something is.
#[derive(Default)]
pub struct Counter {
    told: Option<Instant>,
    /// What was told to be done: work that comes in parts is done again and again.
    done: Option<&'static str>,
}

impl Counter {
    /// So many are done, of so many where that is known.
    pub fn tell(&mut self, what: &'static str, done: u64, all: u64) {
        let ends = done == all && self.done != Some(what);
        let soon = self.told.is_some_and(|told| told.elapsed() < PAUSE);
        if done == 0 || (soon && !ends) {
            return;
        }
        self.told = Some(Instant::now());
        self.done = (done == all).then_some(what);
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
    let name = args.to.to_string_lossy().to_ascii_lowercase();
    if PACKED.iter().any(|ending| name.ends_with(ending)) {
        return Err(format!(
            "{}: a backup is a folder, or a single file whose name ends in .tar; pack it afterwards",
            args.to.display()
        ));
    }
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
    let left: Vec<&str> = LEFT.into_iter().filter(|name| folder.join(name).is_dir()).collect();
    let left = match left.is_empty() {
        true => String::new(),
        false => format!(" Not in it, to be copied as files: {}.", left.join(", ")),
    };
    let files = counted(manifest.files.len() as u64, "file");
    say(&format!("{}: {files}, {}. {keys}{left}\n", args.to.display(), size(bytes)))
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
        "{} is as it was at {}: {}, verified.\n",
        folder.display(),
        head.made.parse::<jiff::Timestamp>().map_or(head.made.clone(), |made| format!("{made:.0}")),
        counted(restored.manifest.files.len() as u64, "file")
    );
    if let Some(replaced) = &restored.replaced {
        text += &format!("What was there before is in {}.\n", replaced.display());
    }
    for key in &restored.keys {
        let path = key.display();
        text += &if key.parent() == Some(folder.as_path()) {
            format!("The master key of the backup is in {path}.\n")
        } else {
            format!(
                "The keys of the backup are in {path}: copy that file to where [encryption.keys] names it, or add its \
                 lines to the key file there.\n"
            )
        };
    }
    for (name, id) in &restored.missing {
        text += &format!(
            "It needs the {name} key {id}, which is not yet where the configuration names it: a server will not start without it.\n"
        );
    }
    say(&text)
}

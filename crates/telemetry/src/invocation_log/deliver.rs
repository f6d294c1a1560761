//! The thread that delivers records.
//!
//! To a bucket, in S3's layout: `PREFIX/AWSLogs/ACCOUNT/BedrockModelInvocationLogs/REGION/YYYY/MM/DD/HH/…json.gz`, gzip
//! of JSON lines, and under `data/` there what is too large for a line. A file takes the records of some minutes; each
//! second's are a gzip member of their own, which every reader of gzip joins. To a log group: JSON lines, one file a
//! day in `aws/bedrock/modelinvocations`, the name of AWS's log stream.

use std::collections::{BTreeMap, HashMap};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;

use super::operations::{Bucket, LogGroup};
use super::places::{self, Destinations};
use super::record::{Record, Side};
use super::tap::Job;
use super::{Message, Shared};

/// How long records gather: the most that a crash takes with it.
const GATHER: Duration = Duration::from_millis(900);
/// How long a file takes records.
const WINDOW: Duration = Duration::from_secs(300);
/// Records that gather at most; more are written at once.
const TOGETHER: usize = 4 << 20;
/// As AWS names the stream.
const STREAM: &str = "aws/bedrock/modelinvocations";

pub(super) struct Deliverer {
    destinations: Arc<ArcSwap<Destinations>>,
    shared: Arc<Shared>,
    /// Lines by the folder or file that they go to.
    objects: BTreeMap<PathBuf, Lines>,
    streams: BTreeMap<PathBuf, Lines>,
    gathered: usize,
    /// The file that takes a folder's records now.
    files: HashMap<PathBuf, (PathBuf, Instant)>,
    /// Tells this process's files from others'.
    name: String,
}

#[derive(Default)]
struct Lines {
    bytes: Vec<u8>,
    records: u64,
}

impl Lines {
    fn add(&mut self, line: &[u8]) {
        self.bytes.extend_from_slice(line);
        self.records += 1;
    }
}

impl Deliverer {
    pub fn new(destinations: Arc<ArcSwap<Destinations>>, shared: Arc<Shared>) -> Self {
        let name = uuid::Uuid::new_v4().simple().to_string()[..16].to_owned();
        let (objects, streams, files) = Default::default();
        Self { destinations, shared, objects, streams, gathered: 0, files, name }
    }

    pub fn run(mut self, receiver: &Receiver<Message>) {
        let mut due: Option<Instant> = None;
        loop {
            let wait = due.map_or(WINDOW, |due| due.saturating_duration_since(Instant::now()));
            match receiver.recv_timeout(wait) {
                Ok(Message::Job(job)) => {
                    due.get_or_insert_with(|| Instant::now() + GATHER);
                    self.take(*job);
                    if self.gathered < TOGETHER && due.is_some_and(|due| Instant::now() < due) {
                        continue;
                    }
                    self.write();
                }
                Ok(Message::Flush(done)) => {
                    self.write();
                    // Who asked may have gone.
                    let _ = done.send(());
                }
                Err(RecvTimeoutError::Timeout) => self.write(),
                Err(RecvTimeoutError::Disconnected) => return self.write(),
            }
            due = None;
        }
    }

    fn take(&mut self, mut job: Job) {
        let places = self.destinations.load_full();
        let kept = Arc::clone(&job.kept);
        let record = Record::of(&mut job);
        if let Some(config) = &kept.config {
            if let Some(bucket) = &config.bucket {
                self.put_in_bucket(&places, bucket, &job, &record);
            }
            if let Some(group) = &config.log_group {
                self.put_in_log_group(&places, group, &job, &record);
            }
        }
        self.shared.waiting.fetch_sub(job.held, Relaxed);
    }

    fn put_in_bucket(&mut self, places: &Destinations, bucket: &Bucket, job: &Job, record: &Record) {
        let Some((folder, key)) = hour(places, bucket, job) else {
            tracing::error!(bucket = bucket.name, "invocation logs have no bucket any more");
            return self.shared.s3.add(false, 1);
        };
        let line = record.line(|side| self.apart(&folder, bucket, &key, job, side));
        self.gathered += line.len();
        self.objects.entry(folder).or_default().add(&line);
    }

    fn put_in_log_group(&mut self, places: &Destinations, group: &LogGroup, job: &Job, record: &Record) {
        let Some(folder) = places.log_group(&group.name) else {
            tracing::error!(log_group = group.name, "invocation logs have no log group any more");
            return self.shared.cloud_watch.add(false, 1);
        };
        let large = group.large.as_ref().and_then(|bucket| Some((bucket, hour(places, bucket, job)?)));
        let line = record.line(|side| {
            let (bucket, (folder, key)) = large.as_ref()?;
            self.apart(folder, bucket, key, job, side)
        });
        self.gathered += line.len();
        let file = folder.join(STREAM).join(format!("{}.jsonl", job.at.strftime("%Y-%m-%d")));
        self.streams.entry(file).or_default().add(&line);
    }

    /// Puts a large body into a file of its own, and says where it is.
    fn apart(&self, folder: &Path, bucket: &Bucket, key: &str, job: &Job, side: &Side) -> Option<String> {
        let bytes = side.apart.as_ref()?;
        let name = side.file(&job.request_id);
        let file = folder.join("data").join(&name);
        let written = packed(bytes).and_then(|packed| {
            std::fs::create_dir_all(folder.join("data"))?;
            let mut file = private().write(true).truncate(true).open(&file)?;
            file.write_all(&packed)?;
            file.sync_data()
        });
        self.shared.large.add(written.is_ok(), 1);
        match written {
            Ok(()) => Some(format!("s3://{}/{key}/data/{name}", bucket.name)),
            Err(error) => {
                tracing::error!(%error, file = %file.display(), "a large body could not be logged");
                None
            }
        }
    }

    fn write(&mut self) {
        self.gathered = 0;
        self.files.retain(|_, (_, since)| since.elapsed() < WINDOW);
        for (folder, lines) in std::mem::take(&mut self.objects) {
            let fresh = || {
                let name = format!("{}_{}.json.gz", Timestamp::now().strftime("%Y%m%dT%H%M%S%3fZ"), self.name);
                (folder.join(name), Instant::now())
            };
            let (file, _) = self.files.entry(folder.clone()).or_insert_with(fresh).clone();
            let written = std::fs::create_dir_all(&folder)
                .and_then(|()| packed(&lines.bytes))
                .and_then(|packed| append(&file, &packed, false));
            self.shared.s3.add(written.is_ok(), lines.records);
            if let Err(error) = written {
                tracing::error!(%error, file = %file.display(), records = lines.records, "invocation logs were lost");
                self.files.remove(&folder);
            }
        }
        for (file, lines) in std::mem::take(&mut self.streams) {
            let folder = file.parent().unwrap_or(&file);
            let written = std::fs::create_dir_all(folder).and_then(|()| append(&file, &lines.bytes, true));
            self.shared.cloud_watch.add(written.is_ok(), lines.records);
            if let Err(error) = written {
                tracing::error!(%error, file = %file.display(), records = lines.records, "invocation logs were lost");
            }
        }
    }
}

/// The folder of a call's hour in a bucket, and its key.
fn hour(places: &Destinations, bucket: &Bucket, job: &Job) -> Option<(PathBuf, String)> {
    let folder = places.bucket(&bucket.name)?;
    let path = places::prefix(bucket).ok()?.join(format!(
        "AWSLogs/{}/BedrockModelInvocationLogs/{}/{}",
        job.account,
        job.region,
        job.at.strftime("%Y/%m/%d/%H")
    ));
    Some((folder.join(&path), path.to_string_lossy().into_owned()))
}

fn packed(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 3), Compression::fast());
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// Only the server's own user can read what callers said.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.create(true).mode(0o600);
    options
}

/// Appends all of `bytes` or nothing, and has the disk keep it. Of `lines`, half a one that a crash has left is ended.
fn append(path: &Path, bytes: &[u8], lines: bool) -> io::Result<()> {
    let mut file = private().read(true).append(true).open(path)?;
    let length = file.metadata()?.len();
    let torn = lines && length > 0 && !ends_a_line(&file, length)?;
    let mut written = if torn { file.write_all(b"\n") } else { Ok(()) };
    written = written.and_then(|()| file.write_all(bytes)).and_then(|()| file.sync_data());
    if written.is_err() {
        file.set_len(length)?;
    }
    written
}

fn ends_a_line(file: &File, length: u64) -> io::Result<bool> {
    let mut last = [0];
    std::os::unix::fs::FileExt::read_exact_at(file, &mut last, length - 1)?;
    Ok(last == *b"\n")
}

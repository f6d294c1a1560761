//! The embedded index by itself: 100,000 vectors in turn with hnswlib, and how it starts with 1,000,000.
//!
//! The vectors are those of real texts (SQuAD's paragraphs and questions), and up to the number wanted each again with
//! noise of half its length; the questions asked are questions of SQuAD that are not among them.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

use outcrop_engine::embed::DIMENSIONS;
use outcrop_vectors::{Embedded, Engine, Filter, Index, Metadata, Mode, Query, Record, Replace, Shape, Value, Vector};

use super::quality;
use super::vectors::Vectors;
use crate::guardrails::Report;

const COUNT: usize = 100_000;
const ASKED: usize = 500;
const ROUNDS: usize = 5;
const LARGE: usize = 1_000_000;
const SHAPE: Shape = Shape { dimensions: DIMENSIONS as u32, binary: false };

pub(crate) fn bench<W: std::io::Write>(
    data: &Path,
    cache: Option<&Path>,
    report: &mut Report<W>,
) -> Result<(), String> {
    let Real { kept, asked, .. } = real(data, cache)?;
    let folder = tempfile::tempdir_in(cache.and_then(Path::parent).unwrap_or(Path::new("."))).map_err(failed)?;
    let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(failed)?;
    let truth: Vec<Vec<usize>> = asked.iter().map(|to| exact(&kept, to, |_| true)).collect();

    let mut peer = Peer::start(&folder.path().join("peer"), &kept, &asked, &truth, report)?;
    runtime.block_on(hundred_thousand(folder.path(), &kept, &asked, &truth, &mut peer, report))
}

/// The same with ten times as many, each near one of the others.
pub(crate) fn large<W: std::io::Write>(
    data: &Path,
    cache: Option<&Path>,
    report: &mut Report<W>,
) -> Result<(), String> {
    let Real { kept, asked, .. } = real(data, cache)?;
    let folder = tempfile::tempdir_in(cache.and_then(Path::parent).unwrap_or(Path::new("."))).map_err(failed)?;
    let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(failed)?;
    runtime.block_on(million(folder.path(), &kept, &asked, report))
}

fn failed(why: impl std::fmt::Display) -> String {
    why.to_string()
}

/// Vectors.
type Rows = Vec<Vec<f32>>;

/// What is kept and what is asked, and the texts that what is kept comes from.
struct Real {
    kept: Rows,
    asked: Rows,
    texts: Vec<String>,
}

fn real(data: &Path, cache: Option<&Path>) -> Result<Real, String> {
    let (texts, questions) = quality::texts(data)?;
    let mut vectors = Vectors::load(cache)?;
    let all: Vec<&str> = texts.iter().chain(&questions).map(String::as_str).collect();
    vectors.add(&all)?;
    let asked = questions.iter().step_by(questions.len() / ASKED).take(ASKED);
    let asked: Vec<&str> = asked.map(String::as_str).collect();
    let mut random = fastrand::Rng::with_seed(1);
    let texts: Vec<&str> = all.iter().copied().filter(|text| !asked.contains(text)).collect();
    let noise = |at: usize| if at < texts.len() { 0.0 } else { 0.5 };
    let kept = (0..COUNT).map(|at| near(vectors.of(texts[at % texts.len()]), noise(at), &mut random)).collect();
    let asked = asked.iter().map(|text| vectors.of(text).to_vec()).collect();
    Ok(Real { kept, asked, texts: texts.into_iter().map(str::to_owned).collect() })
}

/// Fills an index with them and their texts, for whoever asks through a server.
pub(crate) fn fill(data: &Path, cache: Option<&Path>, folder: &Path, base: &str) -> Result<(), String> {
    let Real { kept, texts, .. } = real(data, cache)?;
    let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(failed)?;
    runtime.block_on(async {
        let engine = Embedded::open(folder).map_err(failed)?;
        let index = engine.open(base, SHAPE).await.map_err(failed)?;
        let with_text = |(at, vector): (usize, &Vec<f32>)| {
            let mut made = replace(at, vector);
            made.records[0].text.clone_from(&texts[at % texts.len()]);
            made
        };
        add(&*index, kept.iter().enumerate().map(with_text)).await?;
        Ok(())
    })
}

/// A vector of length one, `noise` away from one of length one.
fn near(vector: &[f32], noise: f32, random: &mut fastrand::Rng) -> Vec<f32> {
    // Three uniform numbers are near enough to a bell curve, of deviation 1/2.
    let mut bell = || random.f32() + random.f32() + random.f32() - 1.5;
    let scale = noise * 2.0 / (vector.len() as f32).sqrt();
    let moved: Vec<f32> = vector.iter().map(|x| x + scale * bell()).collect();
    let length = moved.iter().map(|x| x * x).sum::<f32>().sqrt();
    moved.iter().map(|x| x / length).collect()
}

/// The ten nearest of those that count, by comparing with all.
fn exact(kept: &[Vec<f32>], to: &[f32], counts: impl Fn(usize) -> bool) -> Vec<usize> {
    let product = |a: &[f32]| -> f32 {
        let mut sums = [0f32; 16];
        for (a, b) in a.as_chunks::<16>().0.iter().zip(to.as_chunks::<16>().0) {
            for at in 0..16 {
                sums[at] += a[at] * b[at];
            }
        }
        sums.iter().sum()
    };
    let counted = kept.iter().enumerate().filter(|(at, _)| counts(*at));
    let mut all: Vec<(f32, usize)> = counted.map(|(at, vector)| (product(vector), at)).collect();
    let ten = all.len().min(10);
    all.select_nth_unstable_by(ten - 1, |a, b| b.0.total_cmp(&a.0));
    all.truncate(ten);
    all.into_iter().map(|(_, at)| at).collect()
}

/// The same vectors and questions in hnswlib, by `bench/knowledge/hnsw.py`, where `OUTCROP_HNSW_PYTHON` names a Python
/// that has it.
struct Peer {
    running: Option<(Child, ChildStdin, BufReader<ChildStdout>)>,
}

impl Peer {
    fn start<W: std::io::Write>(
        file: &Path,
        kept: &[Vec<f32>],
        asked: &[Vec<f32>],
        truth: &[Vec<usize>],
        report: &mut Report<W>,
    ) -> Result<Self, String> {
        let Ok(python) = std::env::var("OUTCROP_HNSW_PYTHON") else {
            report.row("hnswlib", "not measured: OUTCROP_HNSW_PYTHON names no Python", "")?;
            return Ok(Self { running: None });
        };
        let bytes = |of: &[Vec<f32>]| of.iter().flatten().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>();
        let names: Vec<u8> = truth.iter().flatten().flat_map(|at| (*at as u32).to_le_bytes()).collect();
        let files = [("kept", bytes(kept)), ("asked", bytes(asked)), ("truth", names)];
        let mut paths: Vec<PathBuf> = Vec::new();
        for (name, bytes) in files {
            let path = file.with_extension(name);
            std::fs::write(&path, bytes).map_err(failed)?;
            paths.push(path);
        }
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bench/knowledge/hnsw.py");
        let mut command = Command::new(python);
        command.arg(script).arg(DIMENSIONS.to_string()).args(&paths).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(failed)?;
        let (Some(asks), Some(says)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("hnswlib's program cannot be spoken with".to_owned());
        };
        let mut says = BufReader::new(says);
        loop {
            match line(&mut says)? {
                line if line == "ready" => break,
                line => report.row("hnswlib, M 16, ef_construction 128", &line, "")?,
            }
        }
        Ok(Self { running: Some((child, asks, says)) })
    }

    /// Asks it everything again: the seconds that its thread worked for labels, and for texts.
    fn turn(&mut self) -> Result<(f64, f64), String> {
        let Some((_, asks, says)) = &mut self.running else { return Ok((f64::NAN, f64::NAN)) };
        asks.write_all(b"again\n").map_err(failed)?;
        let line = line(says)?;
        let (labels, texts) = line.split_once(' ').ok_or("hnswlib's program says no two times")?;
        Ok((labels.parse().map_err(failed)?, texts.parse().map_err(failed)?))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        if let Some((mut child, asks, _)) = self.running.take() {
            // It ends when nothing more can be asked.
            drop(asks);
            let _ = child.wait();
        }
    }
}

fn line(from: &mut impl BufRead) -> Result<String, String> {
    let mut line = String::new();
    match from.read_line(&mut line).map_err(failed)? {
        0 => Err("hnswlib's program ended".to_owned()),
        _ => Ok(line.trim().to_owned()),
    }
}

fn replace(at: usize, vector: &[f32]) -> Replace {
    Replace {
        source: "bench".to_owned(),
        document: format!("document-{at}"),
        records: vec![Record {
            id: at.to_string(),
            text: format!("text {at}"),
            parent: None,
            vector: Vector::Float(vector.to_vec()),
            metadata: Metadata::from([("hundredth".to_owned(), Value::Number((at % 100) as f64))]),
        }],
    }
}

fn query(vector: &[f32], filter: Option<Filter>) -> Query {
    Query {
        vector: Vector::Float(vector.to_vec()),
        text: String::new(),
        mode: Mode::Semantic,
        filter,
        limit: 10,
        said: None,
    }
}

/// Asks everything once: what is found of the truth, and the seconds that processors worked.
async fn turn(
    index: &dyn Index,
    asked: &[Vec<f32>],
    truth: &[Vec<usize>],
    filter: Option<&Filter>,
) -> Result<(f64, f64), String> {
    let mut found = Vec::new();
    let began = busy()?;
    for vector in asked {
        found.push(index.search(query(vector, filter.cloned())).await.map_err(failed)?);
    }
    let seconds = busy()? - began;
    let right: usize = found
        .iter()
        .zip(truth)
        .map(|(hits, truth)| hits.iter().filter(|hit| truth.iter().any(|at| hit.id == at.to_string())).count())
        .sum();
    let all: usize = truth.iter().map(Vec::len).sum();
    Ok((right as f64 / all as f64, seconds))
}

fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    of.get(of.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The seconds that processors have worked for this process.
fn busy() -> Result<f64, String> {
    let about = std::fs::read_to_string("/proc/self/stat").map_err(failed)?;
    // After the name, which may hold anything: the 12th and 13th are hundredths of seconds in the program and in the
    // kernel.
    let rest = about.rsplit(')').next().unwrap_or_default();
    let ticks: f64 = rest.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
    Ok(ticks / 100.0)
}

/// The megabytes of memory that this process holds, files that it maps left out.
fn memory() -> Result<f64, String> {
    let about = std::fs::read_to_string("/proc/self/status").map_err(failed)?;
    let line = about.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap_or_default();
    let kilobytes = line.split_whitespace().next().and_then(|field| field.parse::<f64>().ok());
    Ok(kilobytes.unwrap_or(f64::NAN) / 1024.0)
}

async fn add(index: &dyn Index, kept: impl Iterator<Item = Replace>) -> Result<f64, String> {
    let began = Instant::now();
    let mut some = Vec::new();
    for replace in kept {
        some.push(replace);
        if some.len() == 2000 {
            index.replace(std::mem::take(&mut some)).await.map_err(failed)?;
        }
    }
    index.replace(some).await.map_err(failed)?;
    Ok(began.elapsed().as_secs_f64())
}

/// Recall and seconds without a filter, with one that keeps 1 %, with one that keeps half; the peer's seconds.
type Round = ((f64, f64), (f64, f64), (f64, f64), (f64, f64));

async fn hundred_thousand<W: std::io::Write>(
    folder: &Path,
    kept: &[Vec<f32>],
    asked: &[Vec<f32>],
    truth: &[Vec<usize>],
    peer: &mut Peer,
    report: &mut Report<W>,
) -> Result<(), String> {
    let engine = Embedded::open(folder.join("embedded")).map_err(failed)?;
    let index = engine.open("bench", SHAPE).await.map_err(failed)?;
    let seconds = add(&*index, kept.iter().enumerate().map(|(at, vector)| replace(at, vector))).await?;
    report.row("100,000 added, 2,000 at a time", &format!("{seconds:.1} s"), "")?;
    let stats = index.stats().await.map_err(failed)?;
    let text = kept.len() * "text 12345".len();
    let each = (stats.bytes as f64 - text as f64) / stats.chunks as f64;
    report.row("disk a chunk, without its text", &format!("{each:.0} bytes"), "<= 2500")?;

    let few = Filter::Equals("hundredth".to_owned(), Value::Number(7.0));
    let truth_few: Vec<Vec<usize>> = asked.iter().map(|to| exact(kept, to, |at| at % 100 == 7)).collect();
    let half = Filter::LessThan("hundredth".to_owned(), 50.0);
    let truth_half: Vec<Vec<usize>> = asked.iter().map(|to| exact(kept, to, |at| at % 100 < 50)).collect();
    // Not counted: the first time brings everything into memory.
    turn(&*index, asked, truth, None).await?;
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let all = turn(&*index, asked, truth, None).await?;
        let few = turn(&*index, asked, &truth_few, Some(&few)).await?;
        let half = turn(&*index, asked, &truth_half, Some(&half)).await?;
        rounds.push((all, few, half, peer.turn()?));
    }
    let count = asked.len() as f64;
    let rate = |seconds: fn(&Round) -> f64| count / median(rounds.iter().map(seconds).collect());
    let ratio = |of: fn(&Round) -> f64| median(rounds.iter().map(of).collect());
    let (all, few, half, _) = rounds[0];
    let measured = format!("{:.4}; {:.0}", all.0, rate(|round| round.0.1));
    report.row("recall@10; questions a second", &measured, ">= 0.999")?;
    if peer.running.is_some() {
        let (labels, texts) = (rate(|round| round.3.0), rate(|round| round.3.1));
        let measured = format!("{:.2} of {labels:.0}", ratio(|round| round.3.0 / round.0.1));
        report.row("of hnswlib's at recall 0.995, labels alone, in turn", &measured, ">= 1.0")?;
        let measured = format!("{:.2} of {texts:.0}", ratio(|round| round.3.1 / round.0.1));
        report.row("the same with its texts read from SQLite", &measured, ">= 1.0")?;
    }
    let measured = format!("{:.4}; {:.0} ({:.2})", few.0, rate(|round| round.1.1), ratio(|r| r.0.1 / r.1.1));
    report.row("a filter that keeps 1 %", &measured, ">= 0.999; 1.0 of the same without")?;
    let measured = format!("{:.4}; {:.0} ({:.2})", half.0, rate(|round| round.2.1), ratio(|r| r.0.1 / r.2.1));
    report.row("a filter that keeps half", &measured, "")?;

    // What is asked, added and removed again: the next question sees it.
    let (mut seen, mut slowest) = (0, 0f64);
    for (at, vector) in asked.iter().take(50).enumerate() {
        let began = Instant::now();
        index.replace(vec![replace(COUNT + at, vector)]).await.map_err(failed)?;
        slowest = slowest.max(began.elapsed().as_secs_f64());
        let added = index.search(query(vector, None)).await.map_err(failed)?;
        index.replace(vec![Replace { records: Vec::new(), ..replace(COUNT + at, vector) }]).await.map_err(failed)?;
        let removed = index.search(query(vector, None)).await.map_err(failed)?;
        let id = (COUNT + at).to_string();
        seen += usize::from(added[0].id == id && removed.iter().all(|hit| hit.id != id));
    }
    let measured = format!("{seen} of 50; slowest {:.0} ms", slowest * 1e3);
    report.row("added, then removed: seen by the next question", &measured, "all")
}

async fn million<W: std::io::Write>(
    folder: &Path,
    kept: &[Vec<f32>],
    asked: &[Vec<f32>],
    report: &mut Report<W>,
) -> Result<(), String> {
    let mut random = fastrand::Rng::with_seed(2);
    let engine = Embedded::open(folder.join("large")).map_err(failed)?;
    let index = engine.open("bench", SHAPE).await.map_err(failed)?;
    let before = memory()?;
    let mut most = before;
    let many = (0..LARGE).map(|at| {
        if at.is_multiple_of(1000) {
            most = most.max(memory().unwrap_or(f64::NAN));
        }
        replace(at, &near(&kept[at % COUNT], 0.5, &mut random))
    });
    let (began, seconds) = (busy()?, add(&*index, many).await?);
    let measured = format!("{seconds:.0} s; {:.0} of the processor", busy()? - began);
    report.row("1,000,000 synthetic ones added", &measured, "")?;
    let measured = format!("{:.0} MB; {:.0} at most", memory()? - before, most - before);
    report.row("memory for them, and while they were added", &measured, "reported")?;
    let stats = index.stats().await.map_err(failed)?;
    report.row("disk a chunk, its text included", &format!("{:.0} bytes", stats.bytes as f64 / LARGE as f64), "")?;
    drop((index, engine));
    let (began, worked) = (Instant::now(), busy()?);
    let engine = Embedded::open(folder.join("large")).map_err(failed)?;
    let index = engine.open("bench", SHAPE).await.map_err(failed)?;
    index.search(query(&asked[0], None)).await.map_err(failed)?;
    let measured = format!("{:.1} s; {:.1} of the processor", began.elapsed().as_secs_f64(), busy()? - worked);
    report.row("start to first answer", &measured, "aim 5 s")?;
    let mut random = fastrand::Rng::with_seed(2);
    let all: Vec<Vec<f32>> = (0..LARGE).map(|at| near(&kept[at % COUNT], 0.5, &mut random)).collect();
    let asked = &asked[..100];
    let truth: Vec<Vec<usize>> = asked.iter().map(|to| exact(&all, to, |_| true)).collect();
    turn(&*index, asked, &truth, None).await?;
    let (recall, seconds) = turn(&*index, asked, &truth, None).await?;
    let measured = format!("{recall:.4}; {:.0}", asked.len() as f64 / seconds);
    report.row("recall@10; questions a second", &measured, "reported")
}

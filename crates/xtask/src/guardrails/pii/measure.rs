//! What is found on the dev split, and what is found where nothing is.

use std::collections::BTreeMap;
use std::path::Path;

use outcrop_guard::sensitive::{Pii, Sensitive, What};

use super::super::Report;
use super::data::{self, Random};

#[derive(Default, Clone, Copy)]
struct Counts {
    right: u32,
    found: u32,
    there: u32,
}

impl Counts {
    fn f1(self) -> f64 {
        2.0 * f64::from(self.right) / f64::from(self.found + self.there).max(1.0)
    }

    fn tell(self) -> String {
        let share = |of: u32| f64::from(self.right) / f64::from(of).max(1.0);
        format!("{:.3} (P {:.3}, R {:.3}, n {})", self.f1(), share(self.found), share(self.there), self.there)
    }
}

fn detector() -> Result<Sensitive, String> {
    Sensitive::new(&Pii::ALL, &[]).map_err(|e| e.to_string())
}

/// Exact spans, type by type.
pub(crate) fn accuracy(data: &Path, report: &mut Report) -> Result<(), String> {
    let sensitive = detector()?;
    let misses = std::env::var_os("OUTCROP_SHOW_MISSES").is_some();
    for tweets in [false, true] {
        let mut kinds: BTreeMap<Pii, Counts> = BTreeMap::new();
        for row in data::rows(data, "dev")?.iter().filter(|row| (row.source == "wnut17") == tweets) {
            let mut found: Vec<_> = sensitive
                .find(&row.text)
                .into_iter()
                .filter_map(|hit| match hit.what {
                    What::Pii(kind) => Some((hit.range, kind)),
                    What::Regex(_) => None,
                })
                .collect();
            // Tweets are labelled with names alone.
            found.retain(|(_, kind)| !tweets || *kind == Pii::Name);
            for span in &row.spans {
                kinds.entry(span.1).or_default().there += 1;
                kinds.entry(span.1).or_default().right += u32::from(found.contains(span));
            }
            for span in &found {
                kinds.entry(span.1).or_default().found += 1;
            }
            let wrong =
                |list: &[(std::ops::Range<usize>, Pii)], other: &[(std::ops::Range<usize>, Pii)]| -> Vec<String> {
                    list.iter()
                        .filter(|span| !other.contains(span))
                        .map(|(range, kind)| format!("{}={:?}", kind.name(), &row.text[range.clone()]))
                        .collect()
                };
            let (missed, invented) = (wrong(&row.spans, &found), wrong(&found, &row.spans));
            if misses && !(missed.is_empty() && invented.is_empty()) {
                eprintln!("{:?}\n    missed {missed:?}\n    invented {invented:?}", row.text);
            }
        }
        let all = kinds.values().fold(Counts::default(), |sum, one| Counts {
            right: sum.right + one.right,
            found: sum.found + one.found,
            there: sum.there + one.there,
        });
        if tweets {
            report.row("NAME on wnut17 dev, F1 of exact spans", &all.tell(), "≥ .70")?;
        } else {
            report.row("all types on faker_templates dev, F1 of exact spans", &all.tell(), "≥ .97")?;
            for (kind, counts) in &kinds {
                report.row(kind.name(), &counts.tell(), "≥ .90")?;
            }
        }
    }
    Ok(())
}

/// A million bytes of prose, source and log lines. Prose and source: what the registry's packages bring (their readmes
/// and sources), without lines that hold an address of any sort; logs are made up.
pub(crate) fn precision(report: &mut Report) -> Result<(), String> {
    let sensitive = detector()?;
    let registry = std::env::home_dir().map(|home| home.join(".cargo/registry/src")).ok_or("no home folder")?;
    let mut files = Vec::new();
    walk(&registry, &mut files, 0);
    files.sort();
    let mut random = Random::new(3);
    random.shuffle(&mut files);
    let texts = |ending: &str, most: usize| {
        let mut text = String::new();
        for path in files.iter().filter(|path| path.extension().is_some_and(|extension| extension == ending)) {
            let Ok(content) = std::fs::read_to_string(path) else { continue };
            let lines = content.lines().filter(|line| !is_personal(line)).take(150);
            for line in lines {
                text.push_str(line);
                text.push('\n');
            }
            if text.len() > most {
                break;
            }
        }
        text
    };
    let mut whole = (0, 0);
    for (name, text) in [
        ("prose (readmes)", texts("md", 400_000)),
        ("source (Rust)", texts("rs", 400_000)),
        ("log lines", logs(200_000, &mut random)),
    ] {
        let mut kinds: BTreeMap<Pii, u32> = BTreeMap::new();
        let hits = sensitive.find(&text);
        for hit in &hits {
            if let What::Pii(kind) = hit.what {
                *kinds.entry(kind).or_default() += 1;
                if std::env::var_os("OUTCROP_SHOW_MISSES").is_some() {
                    let from = text[..hit.range.start].rfind('\n').map_or(0, |at| at + 1);
                    let to = text[hit.range.end..].find('\n').map_or(text.len(), |at| hit.range.end + at);
                    eprintln!(
                        "{} {:?} in {:?}",
                        kind.name(),
                        &text[hit.range.clone()],
                        &text[from..to].chars().take(160).collect::<String>()
                    );
                }
            }
        }
        whole = (whole.0 + hits.len(), whole.1 + text.len());
        let kinds: Vec<String> = kinds.iter().map(|(kind, count)| format!("{} {count}", kind.name())).collect();
        report.row(
            &format!("false detections per 10 KB of {name}, {} KB", text.len() / 1000),
            &format!("{:.2} ({})", rate(hits.len(), text.len()), kinds.join(", ")),
            "≤ 0.5",
        )?;
    }
    report.row("false detections per 10 KB, together", &format!("{:.2}", rate(whole.0, whole.1)), "≤ 0.5")
}

fn rate(hits: usize, bytes: usize) -> f64 {
    hits as f64 * 10_000.0 / bytes.max(1) as f64
}

/// Lines that name people or places of the net: those are found rightly.
fn is_personal(line: &str) -> bool {
    let lower = line.to_lowercase();
    let address = line
        .split(|letter: char| !letter.is_ascii_digit() && letter != '.')
        .any(|part| part.parse::<std::net::Ipv4Addr>().is_ok());
    if address {
        return true;
    }
    [
        "@",
        "://",
        "www.",
        "copyright",
        "author",
        ".com",
        ".org",
        "thanks",
        "credit",
        "maintain",
        "contribut",
        ".net",
        "license",
    ]
    .iter()
    .any(|mark| lower.contains(mark))
}

fn walk(folder: &Path, files: &mut Vec<std::path::PathBuf>, depth: usize) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() && depth < 4 {
            walk(&path, files, depth + 1);
        } else if path.extension().is_some_and(|extension| extension == "md" || extension == "rs") {
            files.push(path);
        }
    }
}

/// Log lines of the usual kinds, with numbers of every length and no person in them.
fn logs(most: usize, random: &mut Random) -> String {
    let mut text = String::new();
    while text.len() < most {
        let (a, b, c) = (random.below(1_000_000), random.below(100_000_000), random.below(10_000_000_000));
        let (h, m, s) = (random.below(24), random.below(60), random.below(60));
        let line = match random.below(10) {
            0 => format!(
                "2024-05-{:02}T{h:02}:{m:02}:{s:02}.{:03}Z INFO request completed status=200 duration_ms={} bytes={b}",
                1 + random.below(28),
                a % 1000,
                a % 5000
            ),
            1 => format!(
                "[{h:02}:{m:02}:{s:02}] WARN worker-{} queue depth {a} above limit, retry in {} s",
                a % 64,
                b % 60
            ),
            2 => format!(
                "May {:2} {h:02}:{m:02}:{s:02} node{} kernel: [{b:>9}.{a:06}] eth0: link becomes ready",
                1 + random.below(28),
                a % 9
            ),
            3 => format!("{c} DEBUG txn={c:010x} committed in {}us, lsn {c}", b % 9000),
            4 => format!("ERROR 0x{c:012x}: read failed at offset {b}, expected {a} bytes, got {}", a / 2),
            5 => format!(
                "level=info ts={}.{a:06} caller=compact.go:{} msg=\"compact blocks\" count={} mint={c} maxt={c}",
                1_714_000_000 + b,
                a % 900,
                b % 9
            ),
            6 => format!(
                "I0506 {h:02}:{m:02}:{s:02}.{a:06}   {} scheduler.go:{}] \"Successfully bound pod\" pod=\"default/web-{:x}\" attempts={}",
                a % 9999,
                b % 900,
                b,
                a % 3
            ),
            7 => format!("GET /v1/items/{a}?page={}&size=100 HTTP/1.1 200 {b} {:.3}", b % 40, a as f64 / 1e6),
            8 => format!(
                "gc {} @{}.{:03}s {}%: 0.{}+{}.{}+0.0{} ms clock, {}->{}->{} MB",
                a % 999,
                b % 9999,
                a % 1000,
                a % 9,
                a % 99,
                b % 20,
                a % 9,
                b % 9,
                a % 200,
                a % 150,
                a % 100
            ),
            _ => format!(
                "Build {}.{}.{} finished: {a} tests passed, {} skipped, job {b}, commit {c:x}{b:x}",
                a % 9,
                b % 30,
                c % 50,
                a % 40
            ),
        };
        text.push_str(&line);
        text.push('\n');
    }
    text
}

//! Real files with assertions: `expected.jsonl` has a line a file.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use outcrop_extract::{Chunking, Document, Failure, Role, chunk};
use serde_json::Value;

/// Checks every file and prints a table by format, then what does not hold, with the reason.
pub fn bench(data: &Path) -> Result<(), String> {
    let path = data.join("expected.jsonl");
    let lines = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut table: BTreeMap<String, [usize; 4]> = BTreeMap::new();
    let mut misses = Vec::new();
    let mut bonus = Vec::new();
    let begin = Instant::now();
    for line in lines.lines().filter(|line| !line.trim().is_empty()) {
        let expected: Value = serde_json::from_str(line).map_err(|error| format!("{}: {error}", path.display()))?;
        let name = expected["file"].as_str().ok_or("a line names no file")?;
        let bytes = std::fs::read(data.join(name)).map_err(|error| format!("{name}: {error}"))?;
        let found = outcrop_extract::parse(&bytes, name, None);
        let mut check = Check { held: 0, missed: Vec::new(), bonus: Vec::new() };
        check.file(&expected, &found);
        let format = name.rsplit('.').next().unwrap_or_default().to_owned();
        let row = table.entry(format).or_default();
        row[0] += 1;
        row[1] += usize::from(check.missed.is_empty());
        row[2] += check.held;
        row[3] += check.missed.len();
        misses.extend(check.missed.into_iter().map(|reason| format!("{name}: {reason}")));
        bonus.extend(check.bonus.into_iter().map(|reason| format!("{name}: {reason}")));
    }
    let seconds = begin.elapsed().as_secs_f64();
    let mut out = String::from("| format | files | files that hold | assertions that hold | that do not |\n");
    out.push_str("|---|---:|---:|---:|---:|\n");
    let mut sum = [0; 4];
    for (format, row) in &table {
        out.push_str(&format!("| {format} | {} | {} | {} | {} |\n", row[0], row[1], row[2], row[3]));
        for (sum, value) in sum.iter_mut().zip(row) {
            *sum += value;
        }
    }
    out.push_str(&format!("| all | {} | {} | {} | {} |\n", sum[0], sum[1], sum[2], sum[3]));
    out.push_str(&format!("\nread and checked in {seconds:.1} s\n"));
    for line in bonus {
        out.push_str(&format!("bonus: {line}\n"));
    }
    for line in misses {
        out.push_str(&format!("does not hold: {line}\n"));
    }
    std::io::stdout().write_all(out.as_bytes()).map_err(|error| error.to_string())
}

struct Check {
    held: usize,
    missed: Vec<String>,
    bonus: Vec<String>,
}

impl Check {
    fn that(&mut self, holds: bool, reason: impl FnOnce() -> String) {
        if holds {
            self.held += 1;
        } else {
            self.missed.push(reason());
        }
    }

    fn file(&mut self, expected: &Value, found: &Result<Document, Failure>) {
        if let Some(fail) = expected["fail"].as_str() {
            let holds = match fail {
                "encrypted" => matches!(found, Err(Failure::Protected)),
                _ => found.is_err(),
            };
            return self.that(holds, || format!("must fail as {fail}, is {found:?}"));
        }
        let document = match found {
            Ok(document) => document,
            Err(failure) => return self.missed.push(format!("{failure}")),
        };
        let all = one_line(&document.text());
        if expected["text"] == "none" {
            // An empty file that never had text has nothing to warn of; its sheets say so.
            let said = !document.warnings.is_empty() || document.says("sheet").is_some();
            self.that(all.is_empty() && said, || format!("{} characters, warnings {:?}", all.len(), document.warnings));
        }
        for phrase in strings(&expected["contains"]) {
            self.that(all.contains(&one_line(&phrase)), || format!("lacks “{phrase}”"));
        }
        for phrase in strings(&expected["not_contains"]) {
            self.that(!all.contains(&one_line(&phrase)), || format!("holds “{phrase}”"));
        }
        for choice in lists(&expected["any_of"]) {
            self.that(choice.iter().any(|phrase| all.contains(&one_line(phrase))), || {
                format!("has none of {choice:?}")
            });
        }
        for order in lists(&expected["order"]) {
            let mut from = 0;
            let missing = order.iter().find(|phrase| {
                let at = all[from..].find(&one_line(phrase));
                from += at.map_or(0, |at| at + one_line(phrase).len());
                at.is_none()
            });
            self.that(missing.is_none(), || format!("“{}” does not follow", missing.map_or("", String::as_str)));
        }
        self.rows(expected, document);
        self.shape(expected, document);
        for (phrase, count) in expected["count"].as_object().into_iter().flatten() {
            let found = all.matches(phrase.as_str()).count() as u64;
            self.that(count.as_u64() == Some(found), || format!("“{phrase}” occurs {found} times, not {count}"));
        }
        self.chunks(document);
    }

    /// Cells of one row stay together in one line.
    fn rows(&mut self, expected: &Value, document: &Document) {
        let lines: Vec<String> = document.blocks.iter().map(|block| one_line(&block.text)).collect();
        let together = |cells: &[String]| {
            lines.iter().any(|line| {
                let mut from = 0;
                cells.iter().all(|cell| {
                    let at = line[from..].find(&one_line(cell));
                    from += at.map_or(0, |at| at + one_line(cell).len());
                    at.is_some()
                })
            })
        };
        for cells in lists(&expected["cells"]) {
            self.that(together(&cells), || format!("the cells {cells:?} stand in no one line"));
        }
        for cells in lists(&expected["optional_cells"]) {
            let found = if together(&cells) { "found" } else { "not found" };
            self.bonus.push(format!("the cells {cells:?} are {found}"));
        }
        if let Some(rows) = expected["rows"].as_u64() {
            let found = document.blocks.iter().filter(|block| block.role == Role::Row).count() as u64;
            self.that(rows == found, || format!("{found} rows, not {rows}"));
        }
        if let Some(columns) = expected["columns"].as_u64() {
            let found = document.says("columns").unwrap_or("no");
            self.that(found == columns.to_string(), || format!("{found} columns, not {columns}"));
        }
    }

    fn shape(&mut self, expected: &Value, document: &Document) {
        for key in ["pages", "slides"] {
            if let Some(pages) = expected[key].as_u64() {
                let found = document.pages.map(u64::from);
                self.that(found == Some(pages), || format!("{found:?} {key}, not {pages}"));
            }
        }
        let sheets: Vec<&String> =
            document.attributes.iter().filter(|(key, _)| key == "sheet").map(|(_, name)| name).collect();
        for sheet in strings(&expected["sheets"]) {
            self.that(sheets.contains(&&sheet), || format!("has no sheet “{sheet}”"));
        }
        for (phrase, page) in expected["page_of"].as_object().into_iter().flatten() {
            let block = document.blocks.iter().find(|block| one_line(&block.text).contains(phrase.as_str()));
            let found = block.and_then(|block| block.page);
            self.that(page.as_u64() == found.map(u64::from), || format!("“{phrase}” is on page {found:?}, not {page}"));
        }
        for heading in strings(&expected["headings"]) {
            let is = |block: &outcrop_extract::Block| {
                matches!(block.role, Role::Heading(_)) && one_line(&block.text) == one_line(&heading)
            };
            self.that(document.blocks.iter().any(is), || format!("has no heading “{heading}”"));
        }
        for note in strings(&expected["notes"]) {
            let notes = document.blocks.iter().filter(|block| block.role == Role::Note);
            self.that(notes.into_iter().any(|block| block.text.contains(&note)), || format!("has no note “{note}”"));
        }
        for (key, value) in expected["headers"].as_object().into_iter().flatten() {
            let found = document.says(key).unwrap_or_default();
            self.that(value.as_str().is_some_and(|value| found.contains(value)), || format!("{key} is “{found}”"));
        }
        if let Some(charset) = expected["charset"].as_str() {
            let found = document.says("charset").unwrap_or("none").to_owned();
            // Latin-1 is read as its superset wherever the web is.
            let alike =
                charset.starts_with(&found) || charset.starts_with("iso-8859-1") && found.starts_with("windows-125");
            self.that(alike, || format!("read as {found}, not {charset}"));
        }
    }

    /// Chunks name the places they stand at, and cut no grapheme.
    fn chunks(&mut self, document: &Document) {
        let text: Vec<char> = document.text().chars().collect();
        let cut = chunk(document, Chunking::default(), &|text: &str| text.split_whitespace().count());
        let right = |piece: &outcrop_extract::Chunk| {
            text.get(piece.start..piece.end).is_some_and(|place| place.iter().copied().eq(piece.text.chars()))
        };
        self.that(cut.chunks.iter().all(right), || "a chunk is not where it says".to_owned());
    }
}

/// White space is as it may be.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(|value| value.as_str().map(str::to_owned)).collect()
}

fn lists(value: &Value) -> Vec<Vec<String>> {
    value.as_array().into_iter().flatten().map(strings).collect()
}

//! The labelled texts: the given folder's, and our own beside them.

use std::io::{BufRead, BufReader};
use std::path::Path;

use flate2::bufread::GzDecoder;
use outcrop_guard::content::{HEADS, Head};

/// Our own sentences: harmless ones that sound dangerous beside dangerous ones, by theme; prompt attacks; French and
/// Spanish ones. Labels only: nothing in them says how to do harm.
const OWN: [(&str, &str); 2] =
    [("contrast", include_str!("../../data/contrast.tsv")), ("own", include_str!("../../data/prompts.tsv"))];

/// A text and what is known about it.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub text: String,
    /// Nothing where nobody looked.
    pub labels: [Option<bool>; HEADS],
    pub source: String,
    pub train: bool,
}

impl Row {
    pub(crate) fn is(&self, head: Head) -> Option<bool> {
        self.labels.get(head as usize).copied().flatten()
    }

    /// Harmless in every way that is labelled, and labelled in all.
    pub(crate) fn benign(&self) -> bool {
        self.labels.iter().all(|label| *label == Some(false))
    }

    fn set(&mut self, head: Head, value: bool) {
        if let Some(label) = self.labels.get_mut(head as usize) {
            *label = Some(value);
        }
    }
}

/// Every text of `content.jsonl.gz` and our own.
pub(crate) fn content(data: &Path) -> Result<Vec<Row>, String> {
    let mut rows = own()?;
    lines(&data.join("content.jsonl.gz"), &mut |value| {
        let string = |key: &str| value.get(key).and_then(|v| v.as_str()).unwrap_or_default().to_owned();
        let (source, train) = (string("source"), string("split") == "train");
        let mut row = Row { text: string("text"), labels: [None; HEADS], source, train };
        for (name, label) in value.get("labels").and_then(|v| v.as_object()).into_iter().flatten() {
            if let Some(head) = Head::named(name) {
                row.set(head, label.as_i64() == Some(1));
            }
        }
        attacks(&mut row);
        rows.push(row);
    })?;
    Ok(rows)
}

/// Which kind of attack the attacks of a source are; what is no attack is none of them.
fn attacks(row: &mut Row) {
    let kinds = [Head::Jailbreak, Head::Injection, Head::Leakage];
    match (row.is(Head::PromptAttack), row.source.as_str()) {
        (Some(false), _) => kinds.into_iter().for_each(|head| row.set(head, false)),
        (Some(true), "inthewild_jailbreak" | "gptfuzzer") => row.set(Head::Jailbreak, true),
        (Some(true), "synthetic_indirect" | "giskard_injections") => row.set(Head::Injection, true),
        _ => (),
    }
}

/// Our own sentences: split, theme, labels (`-` for none), text.
pub(crate) fn own() -> Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    for (source, file) in OWN {
        for line in file.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let mut fields = line.splitn(4, '\t');
            let (Some(split), Some(theme), Some(labels), Some(text)) =
                (fields.next(), fields.next(), fields.next(), fields.next())
            else {
                return Err(format!("{source}: not four fields: {line}"));
            };
            let mut row = Row {
                text: text.to_owned(),
                labels: [(labels == "-").then_some(false); HEADS],
                source: format!("{source}:{theme}"),
                train: split == "train",
            };
            for name in labels.split(',').filter(|name| *name != "-") {
                let head = Head::named(name).ok_or_else(|| format!("{source}: no label {name}"))?;
                row.set(head, true);
                match head {
                    Head::Jailbreak | Head::Injection | Head::Leakage => row.set(Head::PromptAttack, true),
                    _ => row.set(Head::Any, true),
                }
            }
            if row.is(Head::Any) == Some(true) && row.is(Head::PromptAttack).is_none() {
                row.set(Head::PromptAttack, false);
                attacks(&mut row);
            }
            rows.push(row);
        }
    }
    Ok(rows)
}

/// Gives every line of a packed file of JSON lines to `each`.
pub(crate) fn lines(path: &Path, each: &mut dyn FnMut(serde_json::Value)) -> Result<(), String> {
    let failed = |e: &dyn std::fmt::Display| format!("{}: {e}", path.display());
    let file = std::fs::File::open(path).map_err(|e| failed(&e))?;
    for line in BufReader::new(GzDecoder::new(BufReader::new(file))).lines() {
        let line = line.map_err(|e| failed(&e))?;
        each(serde_json::from_str(&line).map_err(|e| failed(&e))?);
    }
    Ok(())
}

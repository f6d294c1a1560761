//! How often a guardrail was right.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

use super::lines::Line;

/// What a guardrail made of one line.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Judged {
    /// Whether it blocked or masked.
    pub intervened: bool,
    /// What did: a policy and the name of its entry.
    pub by: BTreeSet<String>,
    /// The milliseconds that the guardrail itself reports.
    pub processing: f64,
    /// The milliseconds of the whole call.
    pub wall: f64,
}

impl Judged {
    /// Reads an answer of ApplyGuardrail.
    pub fn read(answer: &Value, wall: Duration) -> Self {
        let mut judged = Self {
            intervened: answer["action"] == "GUARDRAIL_INTERVENED",
            wall: wall.as_secs_f64() * 1e3,
            ..Self::default()
        };
        for assessment in answer["assessments"].as_array().into_iter().flatten() {
            judged.processing +=
                assessment["invocationMetrics"]["guardrailProcessingLatency"].as_f64().unwrap_or_default();
            for (policy, lists) in assessment.as_object().into_iter().flatten() {
                let lists = lists.as_object().into_iter().flatten().filter_map(|(_, list)| list.as_array());
                for entry in lists.flatten().filter(|entry| acted(entry)) {
                    let name = ["name", "type", "match"].iter().find_map(|key| entry[*key].as_str());
                    judged.by.insert(format!("{policy} {}", name.unwrap_or_default()));
                }
            }
        }
        judged
    }
}

fn acted(entry: &Value) -> bool {
    entry["action"].as_str().is_some_and(|action| action != "NONE")
}

/// All lines together.
#[derive(Debug, Default)]
pub struct Tally {
    caught: usize,
    missed: usize,
    passed: usize,
    wrongly: usize,
    by: BTreeMap<String, usize>,
    wrong: Vec<(Line, BTreeSet<String>)>,
    processing: Vec<f64>,
    wall: Vec<f64>,
}

impl Tally {
    pub fn add(&mut self, line: &Line, judged: Judged) {
        let count = match (line.block, judged.intervened) {
            (true, true) => &mut self.caught,
            (true, false) => &mut self.missed,
            (false, false) => &mut self.passed,
            (false, true) => &mut self.wrongly,
        };
        *count += 1;
        self.processing.push(judged.processing);
        self.wall.push(judged.wall);
        if line.block != judged.intervened {
            for by in &judged.by {
                *self.by.entry(by.clone()).or_default() += 1;
            }
            self.wrong.push((line.clone(), judged.by));
        }
    }

    /// The share of what was stopped that should have been; none where nothing was stopped.
    pub fn precision(&self) -> Option<f64> {
        share(self.caught, self.caught + self.wrongly)
    }

    /// The share of what should have been stopped that was; none where nothing should have been.
    pub fn recall(&self) -> Option<f64> {
        share(self.caught, self.caught + self.missed)
    }

    /// Whether both are as high as was asked for.
    pub fn enough(&self, precision: Option<f64>, recall: Option<f64>) -> Result<(), String> {
        let wanted = [("precision", self.precision(), precision), ("recall", self.recall(), recall)];
        for (what, got, least) in wanted {
            let Some(least) = least else { continue };
            match got {
                Some(got) if got >= least => {}
                Some(got) => return Err(format!("{what} is {got:.3}, below {least}")),
                None => return Err(format!("{what} cannot be told: no line counts for it")),
            }
        }
        Ok(())
    }

    pub fn json(&self) -> Value {
        let wrong = self
            .wrong
            .iter()
            .map(|(line, by)| json!({"line": line.number, "label": label(line.block), "text": line.text, "by": by}));
        json!({
            "lines": self.wall.len(),
            "precision": self.precision(),
            "recall": self.recall(),
            "caught": self.caught,
            "missed": self.missed,
            "passed": self.passed,
            "wronglyStopped": self.wrongly,
            "falsePositivesByPolicy": self.by,
            "wrong": wrong.collect::<Vec<_>>(),
            "processingMs": {"median": percentile(&self.processing, 0.5), "p95": percentile(&self.processing, 0.95)},
            "wallMs": {"median": percentile(&self.wall, 0.5), "p95": percentile(&self.wall, 0.95)},
        })
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |share: Option<f64>| share.map_or("-".to_owned(), |share| format!("{share:.3}"));
        writeln!(f, "lines      {}", self.wall.len())?;
        writeln!(f, "precision  {}  ({} caught, {} wrongly)", shown(self.precision()), self.caught, self.wrongly)?;
        writeln!(f, "recall     {}  ({} missed)", shown(self.recall()), self.missed)?;
        for (what, times) in [("guardrail", &self.processing), ("wall", &self.wall)] {
            let (median, p95) = (percentile(times, 0.5), percentile(times, 0.95));
            writeln!(f, "{what:<9}  median {median:.1} ms, p95 {p95:.1} ms")?;
        }
        if !self.by.is_empty() {
            writeln!(f, "\nfalse positives by policy")?;
            for (by, count) in &self.by {
                writeln!(f, "  {count:>5}  {by}")?;
            }
        }
        if !self.wrong.is_empty() {
            writeln!(f, "\nwrong")?;
            for (line, by) in &self.wrong {
                let by = by.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
                let by = if by.is_empty() { String::new() } else { format!("  [{by}]") };
                writeln!(f, "  line {}, should {}: {}{by}", line.number, label(line.block), short(&line.text))?;
            }
        }
        Ok(())
    }
}

fn label(block: bool) -> &'static str {
    if block { "block" } else { "allow" }
}

fn share(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Nearest rank.
fn percentile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

/// What fits on a line of a terminal.
fn short(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(100) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

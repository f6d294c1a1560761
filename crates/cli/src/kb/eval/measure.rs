//! The measures. Recall@k and nDCG@10 with binary relevance of documents, as in TREC and BEIR; F1 of words as SQuAD
//! 1.1 counts it.

use std::cmp::Ordering;
use std::collections::HashMap;

use crate::kb::eval::questions::{Question, ends};

/// The rank to which nDCG looks.
const RANKS: usize = 10;
/// How many times the questions are drawn anew to say whether two settings differ.
const DRAWS: u64 = 1000;
/// What a setting may lose against the best and still be called as good.
const SLACK: f64 = 0.02;

/// What one question got.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Got {
    /// The documents of the passages, best first.
    pub documents: Vec<String>,
    /// The answer, where one was asked for.
    pub answer: Option<String>,
    /// The documents that were cited.
    pub cited: Vec<String>,
    /// How long it took, in milliseconds.
    pub ms: f64,
}

/// One setting over all questions. Measures that nothing was known for are absent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Row {
    /// The setting.
    pub label: String,
    /// Share of the right documents among those found.
    pub recall: Option<f64>,
    /// How far up they are.
    pub ndcg: Option<f64>,
    /// How near the answers are.
    pub f1: Option<f64>,
    /// Share of citations that name a right document.
    pub precision: Option<f64>,
    /// US dollars for a thousand questions; absent where a call had no price.
    pub dollars: Option<f64>,
    /// The time that 95 % of the questions kept within, in milliseconds.
    pub p95: f64,
    /// What settings are compared by, question by question: F1 where answers were asked for, else nDCG.
    pub each: Vec<f64>,
}

/// Adds up what the questions got.
pub fn row(label: String, questions: &[Question], got: &[Got], dollars: Option<f64>) -> Row {
    let (mut recalls, mut ndcgs, mut f1s, mut precisions) = (vec![], vec![], vec![], vec![]);
    let mut each = Vec::new();
    for (question, got) in questions.iter().zip(got) {
        let mut quality = None;
        if !question.documents.is_empty() {
            recalls.push(recall(&question.documents, &got.documents));
            let ndcg = ndcg(&question.documents, &got.documents);
            ndcgs.push(ndcg);
            quality = Some(ndcg);
            if !got.cited.is_empty() {
                let right = got.cited.iter().filter(|uri| names(&question.documents, uri).is_some()).count();
                precisions.push(right as f64 / got.cited.len() as f64);
            }
        }
        if let (Some(answer), false) = (&got.answer, question.answers.is_empty()) {
            let f1 = question.answers.iter().map(|right| f1(right, answer)).fold(0.0, f64::max);
            f1s.push(f1);
            quality = Some(f1);
        }
        each.push(quality.unwrap_or_default());
    }
    let mut times: Vec<f64> = got.iter().map(|got| got.ms).collect();
    times.sort_by(f64::total_cmp);
    // The nearest rank: the first that 95 % do not exceed.
    let p95 = times.get((times.len() * 95).div_ceil(100).saturating_sub(1)).copied().unwrap_or_default();
    let (recall, ndcg, f1, precision) = (mean(&recalls), mean(&ndcgs), mean(&f1s), mean(&precisions));
    Row { label, recall, ndcg, f1, precision, dollars, p95, each }
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// Which of the right documents a URI names.
fn names(documents: &[String], uri: &str) -> Option<usize> {
    documents.iter().position(|document| ends(uri, document))
}

fn recall(right: &[String], found: &[String]) -> f64 {
    let hit = right.iter().filter(|one| found.iter().any(|uri| ends(uri, one)));
    hit.count() as f64 / right.len() as f64
}

fn ndcg(right: &[String], found: &[String]) -> f64 {
    let gain = |rank: usize| 1.0 / (rank as f64 + 2.0).log2();
    let (mut seen, mut sum, mut rank) = (vec![false; right.len()], 0.0, 0);
    let mut before: Vec<&String> = Vec::new();
    for uri in found {
        // Several passages of one document are one document.
        if before.contains(&uri) {
            continue;
        }
        before.push(uri);
        if rank == RANKS {
            break;
        }
        if let Some(one) = names(right, uri)
            && !std::mem::replace(&mut seen[one], true)
        {
            sum += gain(rank);
        }
        rank += 1;
    }
    sum / (0..right.len().min(RANKS)).map(gain).sum::<f64>()
}

/// F1 of the words that two answers share, without case, punctuation and articles.
fn f1(right: &str, given: &str) -> f64 {
    let words = |text: &str| -> Vec<String> {
        let text: String = text.chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
        let all = text.to_lowercase();
        all.split_whitespace().filter(|word| !matches!(*word, "a" | "an" | "the")).map(str::to_owned).collect()
    };
    let (right, given) = (words(right), words(given));
    let mut count: HashMap<&str, i64> = HashMap::new();
    for word in &right {
        *count.entry(word).or_default() += 1;
    }
    let mut shared = 0.0;
    for word in &given {
        if let Some(left) = count.get_mut(word.as_str()).filter(|left| **left > 0) {
            *left -= 1;
            shared += 1.0;
        }
    }
    if shared == 0.0 {
        return f64::from(right.is_empty() && given.is_empty());
    }
    let (precision, recall) = (shared / given.len() as f64, shared / right.len() as f64);
    2.0 * precision * recall / (precision + recall)
}

/// The best row, of equals the cheapest, and the cheapest that is as good: in 95 % of a thousand draws of the questions it
/// loses at most [`SLACK`] against the best (paired bootstrap, Efron and Tibshirani 1993). Cheapest is by dollars, then by
/// time.
pub fn verdict(rows: &[Row]) -> Option<(usize, usize)> {
    let quality = |row: &Row| row.each.iter().sum::<f64>() / row.each.len().max(1) as f64;
    let better = |a: &usize, b: &usize| quality(&rows[*b]).total_cmp(&quality(&rows[*a]));
    let cheaper = |a: &usize, b: &usize| cost(&rows[*a], &rows[*b]);
    let best = (0..rows.len()).min_by(|a, b| better(a, b).then_with(|| cheaper(a, b)))?;
    let good = (0..rows.len()).filter(|row| *row == best || as_good(&rows[*row].each, &rows[best].each));
    Some((best, good.min_by(cheaper)?))
}

/// Which of two costs less.
fn cost(a: &Row, b: &Row) -> Ordering {
    let dollars = |row: &Row| row.dollars.unwrap_or(f64::INFINITY);
    dollars(a).total_cmp(&dollars(b)).then(a.p95.total_cmp(&b.p95))
}

fn as_good(one: &[f64], best: &[f64]) -> bool {
    let differences: Vec<f64> = one.iter().zip(best).map(|(a, b)| a - b).collect();
    let n = differences.len();
    if n == 0 {
        return false;
    }
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut worse = 0;
    for _ in 0..DRAWS {
        let mut sum = 0.0;
        for _ in 0..n {
            // xorshift64*: the same draws in every run.
            seed ^= seed >> 12;
            seed ^= seed << 25;
            seed ^= seed >> 27;
            sum += differences[(seed.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % n];
        }
        worse += u64::from(sum / (n as f64) < -SLACK);
    }
    worse * 20 <= DRAWS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(list: &[&str]) -> Vec<String> {
        list.iter().map(|s| (*s).to_owned()).collect()
    }

    #[test]
    fn ranks_count() {
        let right = owned(&["a.md", "b.md"]);
        let found = owned(&["s3://k/a.md", "s3://k/a.md", "s3://k/c.md", "s3://k/b.md"]);
        assert_eq!(recall(&right, &found), 1.0);
        // a at rank 1, b at rank 3, of two possible.
        let expected = (1.0 + 0.5) / (1.0 + 1.0 / 3f64.log2());
        assert!((ndcg(&right, &found) - expected).abs() < 1e-12);
        assert_eq!(ndcg(&right, &[]), 0.0);
    }

    #[test]
    fn answers_share_words() {
        assert_eq!(f1("The Wednesday", "wednesday."), 1.0);
        assert!((f1("at 10:00 UTC", "It changes at 10:00 UTC") - 0.8).abs() < 1e-12);
        assert_eq!(f1("x", "y"), 0.0);
    }

    #[test]
    fn the_cheapest_that_is_as_good_is_named() {
        let row = |each: Vec<f64>, dollars, p95| Row { each, dollars, p95, ..Row::default() };
        let mut good = vec![1.0; 100];
        good[0] = 0.5;
        let rows =
            [row(vec![1.0; 100], Some(9.0), 5.0), row(good, Some(1.0), 5.0), row(vec![0.5; 100], Some(0.1), 1.0)];
        assert_eq!(verdict(&rows), Some((0, 1)));
        assert_eq!(verdict(&[]), None);
        // Of equals, the cheapest is the best, wherever it stands.
        let equal = [Some(2.0), Some(1.0), None].map(|dollars| row(vec![1.0; 10], dollars, 5.0));
        assert_eq!(verdict(&equal), Some((1, 1)));
        // Nothing is cheaper than what has a price.
        assert_eq!(verdict(&[row(vec![1.0], None, 1.0), row(vec![1.0], Some(2.0), 9.0)]).unwrap().1, 1);
    }

    #[test]
    fn p95_is_a_nearest_rank() {
        let questions = vec![Question { text: "q".into(), documents: owned(&["a"]), answers: vec![], line: 1 }; 20];
        let got: Vec<Got> = (1..=20).map(|ms| Got { ms: f64::from(ms), ..Got::default() }).collect();
        assert_eq!(row(String::new(), &questions, &got, None).p95, 19.0);
    }
}

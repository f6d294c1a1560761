//! What an evaluation says.

use serde_json::{Value, json};

use crate::kb::eval::measure::Row;
use crate::text::{columns, counted};

/// The table, the best setting and the cheapest as good.
pub fn table(rows: &[Row], verdict: Option<(usize, usize)>, questions: usize) -> String {
    let share = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.3}"));
    let head = ["SETTING", "RECALL@N", "NDCG@10", "ANSWER F1", "CITED RIGHT", "$ PER 1000", "P95 MS", ""];
    let rows_of: Vec<Vec<String>> = rows
        .iter()
        .enumerate()
        .map(|(n, row)| {
            let dollars = row.dollars.map_or_else(|| "no price".to_owned(), |dollars| format!("{dollars:.2}"));
            let mark = match verdict {
                Some((best, cheapest)) if n == best && n == cheapest => "best and cheapest",
                Some((best, _)) if n == best => "best",
                Some((_, cheapest)) if n == cheapest => "cheapest as good",
                _ => "",
            };
            vec![
                row.label.clone(),
                share(row.recall),
                share(row.ndcg),
                share(row.f1),
                share(row.precision),
                dollars,
                format!("{:.0}", row.p95),
                mark.to_owned(),
            ]
        })
        .collect();
    let mut text = columns(&head.map(str::to_owned), &rows_of, 1);
    if let Some((best, cheapest)) = verdict {
        text += &format!("\n{}. ", counted(questions as u64, "question"));
        text += &match best == cheapest {
            true => format!("Best, and nothing as good is cheaper: {}.\n", rows[best].label),
            false => format!("Cheapest setting as good as the best: {}.\n", rows[cheapest].label),
        };
    }
    text
}

/// The rows for programs; which is the best and which the cheapest as good.
pub fn json(rows: &[Row], verdict: Option<(usize, usize)>) -> Value {
    rows.iter()
        .enumerate()
        .map(|(n, row)| json_of(row, verdict.map(|(best, cheapest)| (n == best, n == cheapest))))
        .collect()
}

fn json_of(row: &Row, verdict: Option<(bool, bool)>) -> Value {
    let (best, cheapest) = verdict.unwrap_or_default();
    json!({
        "best": best, "cheapestAsGood": cheapest,
        "setting": row.label, "recall": row.recall, "ndcg10": row.ndcg, "answerF1": row.f1,
        "citationPrecision": row.precision, "dollarsPer1000": row.dollars, "p95Ms": row.p95,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_a_dash() {
        let row = Row { label: "n=5".into(), ndcg: Some(0.5), p95: 12.4, each: vec![0.5], ..Row::default() };
        let text = table(&[row], Some((0, 0)), 1);
        assert!(text.contains("n=5"), "{text}");
        assert!(text.contains("0.500") && text.contains("no price") && text.contains("best and cheapest"), "{text}");
    }
}

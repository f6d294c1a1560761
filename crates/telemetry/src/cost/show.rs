//! Reports as people and spreadsheets read them.

mod svg;

pub use svg::svg;

use rust_decimal::Decimal;

use super::tasks::Tasks;
use super::{By, Report, Sums};

/// Dollars for the eye: at least cents, and of less than a dollar six digits behind the point.
pub fn dollars(cost: Decimal) -> String {
    let digits = if cost.abs() >= Decimal::ONE { 2 } else { 6 };
    format!("${:.*}", digits, cost.round_dp(digits as u32))
}

/// One of a group's sums.
type Count = fn(&Sums) -> u64;

/// The report as a table: its head, and its rows, the total last.
pub fn table(report: &Report) -> (Vec<String>, Vec<Vec<String>>) {
    let mut head: Vec<String> = report.query.by.iter().map(|by| by.to_string().to_uppercase()).collect();
    let all = std::iter::once(&report.total).chain(report.rows.iter().map(|row| &row.sums));
    let all: Vec<&Sums> = all.collect();
    let any = |of: Count| all.iter().any(|sums| of(sums) > 0);
    let mut columns: Vec<(&str, Count)> =
        vec![("CALLS", |sums| sums.calls), ("INPUT", |sums| sums.input), ("OUTPUT", |sums| sums.output)];
    let rarer: [(&str, Count); 6] = [
        ("CACHE READ", |sums| sums.cache_read),
        ("CACHE WRITE", |sums| sums.cache_write),
        ("IMAGES", |sums| sums.images),
        ("QUERIES", |sums| sums.queries),
        ("TEXT UNITS", |sums| sums.text_units),
        ("UNIT HOURS", |sums| sums.unit_hours),
    ];
    columns.extend(rarer.into_iter().filter(|(_, of)| any(*of)));
    head.extend(columns.iter().map(|(name, _)| (*name).to_owned()));
    head.extend(["COST".to_owned(), String::new()]);
    let line = |group: Vec<String>, sums: &Sums| {
        let numbers = columns.iter().map(|(_, of)| of(sums).to_string());
        let end = [dollars(sums.cost), sums.unpriced().unwrap_or_default()];
        group.into_iter().chain(numbers).chain(end).collect::<Vec<_>>()
    };
    let mut rows: Vec<_> = report.rows.iter().map(|row| line(row.group.clone(), &row.sums)).collect();
    if !report.query.by.is_empty() {
        let mut group = vec![String::new(); report.query.by.len()];
        group[0] = "total".into();
        rows.push(line(group, &report.total));
    }
    (head, rows)
}

/// The report as CSV: exact, without a total.
pub fn csv(report: &Report) -> String {
    let mut text = String::new();
    let names = report.query.by.iter().map(By::to_string);
    let head = "calls,answered,input_tokens,output_tokens,cache_read_tokens,cache_write_tokens,images,queries,\
                unit_hours,cost_usd,unpriced_calls,unpriced_tokens,unpriced_unit_hours,text_units,guardrails_cost_usd";
    line(&mut text, names.chain(head.split(',').map(str::to_owned)));
    for row in &report.rows {
        let s = &row.sums;
        let numbers = [s.calls, s.answered, s.input, s.output, s.cache_read, s.cache_write, s.images, s.queries];
        let unpriced = [s.unpriced_calls, s.unpriced_tokens, s.unpriced_unit_hours];
        let values = row.group.iter().cloned().chain(numbers.iter().map(u64::to_string));
        let values = values.chain([s.unit_hours.to_string(), s.cost.normalize().to_string()]);
        let values = values.chain(unpriced.iter().map(u64::to_string));
        line(&mut text, values.chain([s.text_units.to_string(), s.guardrails_cost.normalize().to_string()]));
    }
    text
}

/// Cost per successful task as a table.
pub fn tasks_table(tasks: &Tasks) -> (Vec<String>, Vec<Vec<String>>) {
    let mut head: Vec<String> = tasks.query.by.iter().map(|by| by.to_string().to_uppercase()).collect();
    if tasks.by_task {
        head.push("TASK".into());
    }
    let groups = head.len();
    let columns = ["SUCCEEDED", "FAILED", "CALLS", "SPENT", "PER SUCCESS", "UNMARKED CALLS", "UNMARKED SPEND", ""];
    head.extend(columns.map(str::to_owned));
    let line = |row: &super::tasks::Row, group: Vec<String>| {
        let numbers = [
            row.succeeded.to_string(),
            row.failed.to_string(),
            row.sums.calls.to_string(),
            dollars(row.sums.cost),
            row.per_success().map_or("-".into(), dollars),
            row.unmarked.calls.to_string(),
            dollars(row.unmarked.cost),
            row.sums.unpriced().unwrap_or_default(),
        ];
        group.into_iter().chain(numbers).collect::<Vec<_>>()
    };
    let mut rows: Vec<_> = tasks.rows.iter().filter(|_| groups > 0).map(|row| line(row, row.group.clone())).collect();
    let mut group = vec![String::new(); groups];
    if let Some(first) = group.first_mut() {
        *first = "total".into();
    }
    rows.push(line(&tasks.total, group));
    (head, rows)
}

/// One line of CSV, as RFC 4180 has it. A value that a spreadsheet would run as a formula is kept from that.
pub(super) fn line(to: &mut String, values: impl IntoIterator<Item = String>) {
    for (n, value) in values.into_iter().enumerate() {
        if n > 0 {
            to.push(',');
        }
        let formula =
            value.starts_with(['=', '+', '@', '\t', '\r']) || (value.starts_with('-') && value.parse::<f64>().is_err());
        let value = if formula { format!("'{value}") } else { value };
        if value.contains([',', '"', '\n', '\r']) {
            to.push('"');
            to.push_str(&value.replace('"', "\"\""));
            to.push('"');
        } else {
            to.push_str(&value);
        }
    }
    to.push_str("\r\n");
}

//! Spend by day (or hour, or month) as a picture: one bar each, stacked by the next thing that it is grouped by.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::{By, Report, dollars};
use crate::cost::{OTHER, QueryError};

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 84.0;
const RIGHT: f64 = 250.0;
const TOP: f64 = 56.0;
const BOTTOM: f64 = 52.0;
/// About as wide as a digit is.
const LETTER: f64 = 7.0;
/// Told apart by people who do not see red and green apart, too (Okabe and Ito's palette); the last is for the rest.
const COLOURS: [&str; 8] = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#999999"];

/// The picture. The report must be grouped by a time first.
pub fn svg(report: &Report) -> Result<String, QueryError> {
    if !report.query.by.first().is_some_and(By::is_time) {
        return Err(QueryError("a picture needs a time to go along: group by day, hour or month first".into()));
    }
    let (bars, names) = bars(report);
    let most = bars.values().map(|bar| bar.iter().sum::<f64>()).fold(0.0, f64::max);
    let step = step(most);
    let top = (most / step).ceil().max(1.0) * step;
    let (wide, high) = (WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM);
    let y = |value: f64| TOP + high * (1.0 - value / top);

    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" \
         height=\"{HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\" fill=\"#333\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"{LEFT}\" y=\"28\" font-size=\"16\">Spend by {}: {} in all</text>\n",
        escaped(&report.query.by[0].to_string()),
        dollars(report.total.cost)
    );
    let mut put = |line: std::fmt::Arguments<'_>| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{line}");
    };
    let mut line = 0.0;
    while line <= top * 1.0001 {
        let (at, right) = (y(line), WIDTH - RIGHT);
        put(format_args!("<line x1=\"{LEFT}\" x2=\"{right}\" y1=\"{at:.1}\" y2=\"{at:.1}\" stroke=\"#ddd\"/>"));
        put(format_args!(
            "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            LEFT - 8.0,
            at + 4.0,
            tick(line, step)
        ));
        line += step;
    }
    let slot = wide / bars.len().max(1) as f64;
    let short = |name: &'_ str| name.strip_prefix("20").filter(|_| bars.len() > 6).unwrap_or(name).to_owned();
    // As many labels as fit beside each other.
    let longest = bars.keys().map(|name| short(name).chars().count()).max().unwrap_or_default();
    let fit = (wide / (longest as f64 * LETTER + 12.0)).floor().max(1.0);
    let every = (bars.len() as f64 / fit).ceil().max(1.0) as usize;
    for (n, (name, bar)) in bars.iter().enumerate() {
        let (x, mut below) = (LEFT + slot * (n as f64 + 0.1), 0.0);
        for (which, value) in bar.iter().enumerate().filter(|(_, value)| **value > 0.0) {
            let (from, to) = (y(below), y(below + value));
            put(format_args!(
                "<rect x=\"{x:.1}\" y=\"{to:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"{}\"><title>{} {}: ${value:.6}</title></rect>",
                slot * 0.8,
                from - to,
                COLOURS[which % COLOURS.len()],
                escaped(name),
                escaped(&names[which]),
            ));
            below += value;
        }
        if n % every == 0 {
            let label = short(name);
            let middle = x + slot * 0.4;
            put(format_args!(
                "<text x=\"{middle:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
                HEIGHT - BOTTOM + 18.0,
                escaped(&label)
            ));
        }
    }
    for (n, name) in names.iter().enumerate().filter(|(_, name)| !name.is_empty()) {
        let (x, at) = (WIDTH - RIGHT + 16.0, TOP + 20.0 * n as f64);
        put(format_args!(
            "<rect x=\"{x}\" y=\"{at}\" width=\"12\" height=\"12\" fill=\"{}\"/>",
            COLOURS[n % COLOURS.len()]
        ));
        put(format_args!("<text x=\"{}\" y=\"{}\">{}</text>", x + 18.0, at + 10.0, escaped(&shortened(name))));
    }
    if let Some(unpriced) = report.total.unpriced() {
        put(format_args!("<text x=\"{LEFT}\" y=\"{}\" fill=\"#d55e00\">{}</text>", HEIGHT - 10.0, escaped(&unpriced)));
    }
    text.push_str("</svg>\n");
    Ok(text)
}

/// Each time's bar, in the parts that `names` names: the seven dearest, then the rest.
fn bars(report: &Report) -> (BTreeMap<&str, Vec<f64>>, Vec<String>) {
    let mut by_name: HashMap<String, Decimal> = HashMap::new();
    for row in &report.rows {
        let sum = by_name.entry(row.group[1..].join(" ")).or_default();
        *sum = sum.saturating_add(row.sums.cost);
    }
    let mut names: Vec<_> = by_name.into_iter().collect();
    names.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    let mut names: Vec<String> = names.into_iter().map(|(name, _)| name).collect();
    if names.len() > COLOURS.len() {
        names.truncate(COLOURS.len() - 1);
        names.push(OTHER.to_owned());
    }
    let mut bars: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for row in &report.rows {
        let name = row.group[1..].join(" ");
        let which = names.iter().position(|one| *one == name).unwrap_or(names.len() - 1);
        let bar = bars.entry(&row.group[0]).or_insert_with(|| vec![0.0; names.len()]);
        bar[which] += row.sums.cost.to_f64().unwrap_or_default();
    }
    (bars, names)
}

/// 1, 2 or 5 times a power of ten, so that about five lines fit.
fn step(most: f64) -> f64 {
    if most <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf((most / 5.0).log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|one| one * power).find(|step| most / step <= 5.0).unwrap_or(10.0 * power)
}

fn tick(value: f64, step: f64) -> String {
    let digits = (-step.log10().floor()).clamp(0.0, 12.0) as usize;
    format!("${value:.digits$}")
}

fn shortened(name: &str) -> String {
    match name.char_indices().nth(32) {
        Some((at, _)) => format!("{}…", &name[..at]),
        None => name.to_owned(),
    }
}

/// Text as XML takes it: a tag's value is a caller's. Control characters are not XML at all.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars().filter(|c| !c.is_control()) {
        match c {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '"' => safe.push_str("&quot;"),
            c => safe.push(c),
        }
    }
    safe
}

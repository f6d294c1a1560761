//! Quality over cost, as a picture.

use std::fmt::Write;

use crate::kb::eval::measure::Row;

const PLOT: f64 = 500.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 70.0;
/// What the widest letters of a label take.
const LETTER: f64 = 7.5;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 60.0;

/// A point for each setting: what a thousand questions cost, or where nothing costs anything, how long 95 % take.
pub fn svg(rows: &[Row], verdict: Option<(usize, usize)>) -> String {
    let priced = rows.iter().any(|row| row.dollars.is_some_and(|dollars| dollars > 0.0));
    let x_of = |row: &Row| if priced { row.dollars.unwrap_or(0.0) } else { row.p95 };
    let y_of = |row: &Row| row.each.iter().sum::<f64>() / row.each.len().max(1) as f64;
    let most = rows.iter().map(x_of).fold(0.0, f64::max).max(f64::MIN_POSITIVE) * 1.05;
    let x = |value: f64| LEFT + value / most * (PLOT - LEFT);
    let y = |value: f64| HEIGHT - BOTTOM - value * (HEIGHT - TOP - BOTTOM);
    let longest = rows.iter().map(|row| row.label.chars().count()).max().unwrap_or(0);
    let right = 20.0 + longest as f64 * LETTER;
    let width = PLOT + right;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
    );
    for tick in 0..=5 {
        let share = f64::from(tick) / 5.0;
        let (at, down) = (y(share), x(share * most));
        let _ = writeln!(
            svg,
            "<line x1=\"{LEFT}\" x2=\"{}\" y1=\"{at:.1}\" y2=\"{at:.1}\" stroke=\"#ddd\"/>\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"#444\">{share:.1}</text>\
             <text x=\"{down:.1}\" y=\"{}\" text-anchor=\"middle\" fill=\"#444\">{}</text>",
            PLOT,
            LEFT - 8.0,
            at + 4.0,
            HEIGHT - BOTTOM + 18.0,
            number(share * most),
        );
    }
    let quality = if rows.iter().any(|row| row.f1.is_some()) { "answer F1" } else { "nDCG@10" };
    let cost = if priced { "US dollars for 1,000 questions" } else { "p95, milliseconds (nothing costs anything)" };
    let _ = writeln!(svg, "<text x=\"{LEFT}\" y=\"22\" font-size=\"14\">{quality} over {cost}</text>");
    let mut labels: Vec<(f64, usize)> = rows.iter().enumerate().map(|(n, row)| (y(y_of(row)), n)).collect();
    labels.sort_by(|a, b| a.0.total_cmp(&b.0));
    // Labels stand in a column of their own, apart from one another.
    let mut next = TOP;
    for (at, n) in labels {
        let row = &rows[n];
        let colour = match verdict {
            Some((_, cheapest)) if n == cheapest => "#0a7d33",
            Some((best, _)) if n == best => "#1558c0",
            _ => "#777",
        };
        let (cx, cy) = (x(x_of(row)), at);
        let ly = at.max(next);
        next = ly + 15.0;
        let label = escaped(&row.label);
        let lx = PLOT + 14.0;
        let _ = writeln!(
            svg,
            "<line x1=\"{cx:.1}\" y1=\"{cy:.1}\" x2=\"{:.1}\" y2=\"{ly:.1}\" stroke=\"{colour}\" stroke-width=\"0.5\"/>\
             <circle cx=\"{cx:.1}\" cy=\"{cy:.1}\" r=\"5\" fill=\"{colour}\"/>\
             <text x=\"{lx}\" y=\"{:.1}\" fill=\"{colour}\">{label}</text>",
            lx - 4.0,
            ly + 4.0,
        );
    }
    svg + "</svg>\n"
}

fn number(value: f64) -> String {
    if value >= 10.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_is_a_point() {
        let row = |label: &str, dollars| Row { label: label.into(), dollars, each: vec![0.5], ..Row::default() };
        let picture = svg(&[row("a<b", Some(2.0)), row("c", None)], Some((0, 1)));
        assert_eq!(picture.matches("<circle").count(), 2);
        assert!(picture.contains("a&lt;b") && picture.ends_with("</svg>\n"));
        assert!(!picture.contains("NaN"));
        assert!(!svg(&[Row::default()], None).contains("NaN"));
    }
}

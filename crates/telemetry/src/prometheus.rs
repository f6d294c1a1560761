//! The families of [`Meters`](crate::meters::Meters) as Prometheus reads them: its text format 0.0.4, and OpenMetrics
//! 1.0 where that is asked for.
//!
//! Own lines and no library: those there are keep a registry of their own, write one of the two formats only, and the
//! same numbers go out by OTLP.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt::Write;

use crate::meters::{Family, Histogram, Kind, Value};

/// How it is to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `text/plain`, version 0.0.4.
    Text,
    /// `application/openmetrics-text`, version 1.0.0.
    OpenMetrics,
}

impl Format {
    /// What an `Accept` header asks for: OpenMetrics where it is named at all, as Prometheus itself decides.
    pub fn accepted(accept: Option<&str>) -> Self {
        let named = |range: &str| {
            let mut parameters = range.split(';').map(str::trim);
            let open = parameters.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/openmetrics-text"));
            let other = |p: &str| p.strip_prefix("version=").is_some_and(|v| !v.trim_matches('"').starts_with("1."));
            open && !parameters.any(|p| other(p) || p == "q=0")
        };
        if accept.is_some_and(|accept| accept.split(',').any(named)) { Self::OpenMetrics } else { Self::Text }
    }

    /// The `Content-Type` of it.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// `families` in `format`.
pub fn write(families: &[Family], format: Format) -> String {
    let mut out = String::with_capacity(16 * 1024);
    for family in families {
        one(family, format, &mut out);
    }
    if format == Format::OpenMetrics {
        out.push_str("# EOF\n");
    }
    out
}

fn one(family: &Family, format: Format, out: &mut String) {
    let mut name = name(family.name);
    if !name.ends_with(family.unit.suffix()) {
        name.to_mut().push_str(family.unit.suffix());
    }
    // OpenMetrics names the family without the `_total` that its samples have; the older format knows samples only.
    let total = if family.kind == Kind::Counter { "_total" } else { "" };
    let head = if format == Format::OpenMetrics { "" } else { total };
    let kind = match family.kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
        Kind::Histogram => "histogram",
    };
    // Writing into a string cannot fail.
    let _ = writeln!(out, "# HELP {name}{head} {}", escaped(family.help, false));
    let _ = writeln!(out, "# TYPE {name}{head} {kind}");
    if format == Format::OpenMetrics
        && let Some(unit) = family.unit.suffix().strip_prefix('_')
    {
        let _ = writeln!(out, "# UNIT {name} {unit}");
    }
    for point in &family.points {
        let mut labels = String::new();
        for (key, value) in &point.labels {
            let comma = if labels.is_empty() { "" } else { "," };
            let _ = write!(labels, "{comma}{}=\"{}\"", self::name(key), escaped(value, true));
        }
        match &point.value {
            Value::Number(number) => sample(out, &name, total, &labels, *number),
            Value::Histogram(histogram) => buckets(out, &name, &labels, histogram),
        }
    }
}

fn buckets(out: &mut String, name: &str, labels: &str, histogram: &Histogram) {
    let comma = if labels.is_empty() { "" } else { "," };
    let mut below = 0;
    for (at, count) in histogram.counts.iter().enumerate() {
        below += count;
        let bound = histogram.bounds.get(at).map_or_else(|| "+Inf".to_owned(), |bound| number(*bound));
        let _ = writeln!(out, "{name}_bucket{{{labels}{comma}le=\"{bound}\"}} {below}");
    }
    sample(out, name, "_sum", labels, histogram.sum);
    let braces = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
    let _ = writeln!(out, "{name}_count{braces} {below}");
}

fn sample(out: &mut String, name: &str, suffix: &str, labels: &str, value: f64) {
    let braces = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
    let _ = writeln!(out, "{name}{suffix}{braces} {}", number(value));
}

fn number(value: f64) -> String {
    match value {
        f64::INFINITY => "+Inf".into(),
        f64::NEG_INFINITY => "-Inf".into(),
        value if value.is_nan() => "NaN".into(),
        // Canonical in OpenMetrics: a float has its point.
        value if value == value.trunc() && value.abs() < 1e15 => format!("{value:.1}"),
        value => value.to_string(),
    }
}

/// A name as Prometheus allows it.
fn name(name: &str) -> Cow<'_, str> {
    let fits = |at: usize, c: char| c == '_' || c.is_ascii_alphabetic() || (at > 0 && c.is_ascii_digit());
    if name.chars().enumerate().all(|(at, c)| fits(at, c)) && !name.is_empty() {
        return Cow::Borrowed(name);
    }
    let mut fitting: String = name.chars().map(|c| if fits(1, c) { c } else { '_' }).collect();
    if !fitting.starts_with(|c| fits(0, c)) {
        fitting.insert(0, '_');
    }
    Cow::Owned(fitting)
}

fn escaped(text: &str, quotes: bool) -> Cow<'_, str> {
    if !text.contains(['\\', '\n', '"']) {
        return Cow::Borrowed(text);
    }
    let text = text.replace('\\', "\\\\").replace('\n', "\\n");
    Cow::Owned(if quotes { text.replace('"', "\\\"") } else { text })
}

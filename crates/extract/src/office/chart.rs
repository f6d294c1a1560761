//! Charts: a title, and the numbers behind the picture as rows.

use super::xml::Element;
use crate::{Document, Role};

/// Adds what a chart shows.
pub(super) fn read(part: &Element, document: &mut Document, page: Option<u32>) {
    let Some(chart) = part.child("chart") else { return };
    if let Some(title) = chart.child("title") {
        document.push(Role::Note, title.text(), page);
    }
    let mut series = Vec::new();
    chart.all("ser", &mut series);
    let columns: Vec<(String, Vec<String>)> = series
        .iter()
        .map(|one| {
            let name = one.child("tx").map(|name| points(name).join(" ")).unwrap_or_default();
            (name, one.child("val").or_else(|| one.child("yVal")).map(points).unwrap_or_default())
        })
        .collect();
    let labels =
        series.iter().find_map(|one| one.child("cat").or_else(|| one.child("xVal"))).map(points).unwrap_or_default();
    let height = columns.iter().map(|(_, values)| values.len()).max().unwrap_or(0).max(labels.len());
    if height == 0 {
        return;
    }
    let mut row = |first: &str, rest: Vec<&str>| {
        let cells: Vec<&str> = std::iter::once(first).chain(rest).collect();
        document.push(Role::Row, cells.join(" | "), page);
    };
    row("", columns.iter().map(|(name, _)| name.as_str()).collect());
    for at in 0..height {
        let values = columns.iter().map(|(_, values)| values.get(at).map_or("", String::as_str)).collect();
        row(labels.get(at).map_or("", String::as_str), values);
    }
}

/// The cached points of a reference, or what stands there literally.
fn points(reference: &Element) -> Vec<String> {
    let mut found = Vec::new();
    reference.all("pt", &mut found);
    if found.is_empty() {
        let mut values = Vec::new();
        reference.all("v", &mut values);
        return values.into_iter().map(|value| value.text().trim().to_owned()).collect();
    }
    let mut points = Vec::new();
    for point in found {
        // Points that a chart leaves out keep their place.
        let at = point.attribute("idx").and_then(|at| at.parse::<usize>().ok()).unwrap_or(points.len());
        if at < 10_000 && at >= points.len() {
            points.resize(at, String::new());
            points.push(point.text().trim().to_owned());
        }
    }
    points
}

//! Whether a score means a probability: of the texts that are scored 0.8, four fifths should be what they are said to
//! be. One curve a filter, against the diagonal.

use std::fmt::Write;

use outcrop_guard::content::Category;

const BINS: usize = 10;
const SIZE: f32 = 360.0;
const EDGE: f32 = 40.0;
const COLOURS: [&str; 6] = ["#b5179e", "#d00000", "#7209b7", "#f48c06", "#2a9d8f", "#1d3557"];

/// Scores with their labels, for each of [`Category::ALL`].
pub(super) fn plot(scored: &[Vec<(f32, bool)>]) -> String {
    let place = |x: f32, y: f32| format!("{:.1},{:.1}", EDGE + x * SIZE, EDGE + (1.0 - y) * SIZE);
    let whole = SIZE + 2.0 * EDGE;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {whole}\" font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <rect x=\"{EDGE}\" y=\"{EDGE}\" width=\"{SIZE}\" height=\"{SIZE}\" fill=\"none\" stroke=\"#999\"/>\n\
         <polyline points=\"{} {}\" stroke=\"#999\" stroke-dasharray=\"4\" fill=\"none\"/>\n\
         <text x=\"{EDGE}\" y=\"{}\">score</text><text x=\"{EDGE}\" y=\"{}\">share of texts that are what the score says</text>\n",
        whole + 110.0,
        place(0.0, 0.0),
        place(1.0, 1.0),
        whole - 10.0,
        EDGE - 12.0,
    );
    for (at, (category, scored)) in Category::ALL.iter().zip(scored).enumerate() {
        let colour = COLOURS.get(at).copied().unwrap_or("black");
        let points: Vec<(f32, f32, usize)> = bins(scored).collect();
        let line: Vec<String> = points.iter().map(|(x, y, _)| place(*x, *y)).collect();
        let _ = writeln!(svg, "<polyline points=\"{}\" stroke=\"{colour}\" fill=\"none\"/>", line.join(" "));
        for (point, (_, _, count)) in line.iter().zip(&points) {
            let (x, y) = point.split_once(',').unwrap_or_default();
            let radius = 1.5 + (*count as f32).ln() / 2.0;
            let _ = writeln!(svg, "<circle cx=\"{x}\" cy=\"{y}\" r=\"{radius:.1}\" fill=\"{colour}\"/>");
        }
        let down = EDGE + 14.0 * (at as f32 + 1.0);
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{down}\" fill=\"{colour}\">{}</text>",
            SIZE + EDGE + 8.0,
            category.name()
        );
    }
    svg.push_str("</svg>\n");
    svg
}

/// Mean score, share of positives and number of texts of every bin that has enough of them.
fn bins(scored: &[(f32, bool)]) -> impl Iterator<Item = (f32, f32, usize)> {
    const ENOUGH: usize = 10;
    (0..BINS).filter_map(move |bin| {
        let inside = |score: f32| ((score * BINS as f32) as usize).min(BINS - 1) == bin;
        let some: Vec<&(f32, bool)> = scored.iter().filter(|(score, _)| inside(*score)).collect();
        let count = some.len();
        let mean = some.iter().map(|(score, _)| score).sum::<f32>() / count.max(1) as f32;
        let share = some.iter().filter(|(_, y)| *y).count() as f32 / count.max(1) as f32;
        (count >= ENOUGH).then_some((mean, share, count))
    })
}

/// How far score and share lie apart, weighted by how many texts there are.
pub(super) fn error(scored: &[(f32, bool)]) -> f32 {
    let total: usize = bins(scored).map(|(_, _, count)| count).sum();
    bins(scored).map(|(mean, share, count)| (mean - share).abs() * count as f32).sum::<f32>() / total.max(1) as f32
}

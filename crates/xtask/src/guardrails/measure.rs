//! Figures over scores.

/// The share of `positives` above the threshold that flags `share` of `negatives`.
pub(crate) fn recall_at(share: f32, negatives: &[f32], positives: &[f32]) -> f32 {
    let mut sorted = negatives.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let threshold = sorted.get((share * sorted.len() as f32) as usize).copied().unwrap_or(f32::INFINITY);
    positives.iter().filter(|score| **score > threshold).count() as f32 / positives.len().max(1) as f32
}

/// The area under the curve of scores with their labels: how often a positive stands above a negative.
pub(crate) fn auc(scored: &[(f32, bool)]) -> f32 {
    let mut sorted = scored.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let positives = sorted.iter().filter(|(_, y)| *y).count();
    let (mut below, mut won) = (0usize, 0.0f64);
    // Equal scores win half against each other.
    for group in sorted.chunk_by(|a, b| a.0 == b.0) {
        let above = group.iter().filter(|(_, y)| *y).count();
        let same = group.len() - above;
        won += above as f64 * (below as f64 + same as f64 / 2.0);
        below += same;
    }
    (won / (positives.max(1) as f64 * below.max(1) as f64)) as f32
}

/// Two or three decimals, as the tables have them.
pub(crate) fn percent(value: f32) -> String {
    format!("{value:.3}")
}

#[cfg(test)]
mod tests;

//! Masks in a text.

use std::ops::Range;

/// A stretch of text and what stands for it: `{NAME}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mask<'a> {
    /// Its bytes.
    pub range: Range<usize>,
    /// What is masked.
    pub name: &'a str,
}

/// `text` with `masks`, and all else byte for byte; none where there is nothing to mask.
pub fn mask(text: &str, masks: Vec<Mask<'_>>) -> Option<String> {
    if masks.is_empty() {
        return None;
    }
    let mut masked = String::with_capacity(text.len());
    put(&mut masked, text, 0..text.len(), &merged(masks));
    Some(masked)
}

/// Masks that overlap become the one that begins first, the longer of two at the same place, over all that any of them
/// covers. In order.
pub(crate) fn merged(mut masks: Vec<Mask<'_>>) -> Vec<Mask<'_>> {
    masks.sort_by_key(|mask| (mask.range.start, usize::MAX - mask.range.end));
    let mut merged: Vec<Mask<'_>> = Vec::with_capacity(masks.len());
    for mask in masks {
        match merged.last_mut() {
            Some(last) if mask.range.start < last.range.end => last.range.end = last.range.end.max(mask.range.end),
            _ => merged.push(mask),
        }
    }
    merged
}

/// Appends `range` of `text`, masked by what of `merged` lies in it.
pub(crate) fn put(out: &mut String, text: &str, range: Range<usize>, merged: &[Mask<'_>]) {
    let mut from = range.start;
    for mask in merged.iter().filter(|mask| range.start <= mask.range.start && mask.range.end <= range.end) {
        out.push_str(text.get(from..mask.range.start).unwrap_or_default());
        out.push('{');
        out.push_str(mask.name);
        out.push('}');
        from = mask.range.end;
    }
    out.push_str(text.get(from..range.end).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(text: &str, masks: &[(Range<usize>, &'static str)]) -> Option<String> {
        mask(text, masks.iter().map(|(range, name)| Mask { range: range.clone(), name }).collect())
    }

    #[test]
    fn leaves_the_rest() {
        assert_eq!(masked("abc", &[]), None);
        let text = "To Jöhn at j@x.example, twice: Jöhn.";
        let (name, mail, again) = (3..8, 12..23, 32..37);
        let all = [(mail, "EMAIL"), (again, "NAME"), (name, "NAME")];
        assert_eq!(masked(text, &all).as_deref(), Some("To {NAME} at {EMAIL}, twice: {NAME}."));
    }

    #[test]
    fn overlapping_ones_become_one_that_covers_all() {
        assert_eq!(masked("0123456789", &[(2..5, "A"), (4..8, "B")]).as_deref(), Some("01{A}89"));
        assert_eq!(masked("0123456789", &[(2..4, "A"), (2..8, "B")]).as_deref(), Some("01{B}89"));
        assert_eq!(masked("0123456789", &[(2..4, "A"), (4..6, "B")]).as_deref(), Some("01{A}{B}6789"));
    }
}

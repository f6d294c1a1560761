use super::*;
use proptest::prelude::*;

fn held<'a>(pattern: &str, text: &'a str) -> &'a str {
    let growing = Growing::new(pattern).unwrap();
    assert!(growing.unfinished.is_some(), "{pattern}");
    &text[growing.found(text, 0, false).1..]
}

#[test]
fn only_what_may_become_a_match_is_held() {
    for (pattern, text, left) in [
        (r"T-\d+", "see T", "T"),
        (r"T-\d+", "see T-", "T-"),
        (r"T-\d+", "see T-77", "T-77"),
        (r"T-\d+", "see T-77 ", ""),
        (r"T-\d+", "see TT", "T"),
        (r"\bfoo\b", "a foo", "foo"),
        (r"\bfoo\b", "a food", ""),
        (r"(?i)secret word", "the SECRET W", "SECRET W"),
        (r"a.*b", "xx a whole line", "a whole line"),
        (r"a.*b", "xx a line\nand", "and"),
        (r"[A-Z]{3}-\d{2,4}", "AB ABC-12", "ABC-12"),
        (r"[A-Z]{3}-\d{2,4}", "ABCD", "BCD"),
        (r"(?:ab|abcd)e?", "xabc", "abc"),
        (r"^begin", "x", ""),
        (r"ä+ö", "xää", "ää"),
    ] {
        assert_eq!(held(pattern, text), left, "{pattern} {text}");
    }
}

#[test]
fn the_longest_patterns_compile() {
    let literal = "x".repeat(500);
    assert_eq!(held(&literal, "yxxx"), "xxx");
    assert_eq!(held(r"(?:[a-z]{1,50}\d{1,50}){1,3}Z", "?ab12c"), "ab12c");
}

proptest! {
    /// What stands before the settled point stays as it is, whatever comes.
    #[test]
    fn what_is_settled_stays(
        pattern in r"[ab]{1,2}[+*?]?(\|[abc]|\(b\|ca?\)\{1,2\}|\\b)?[abc]?",
        text in "[abc ]{0,14}",
        cut in 0..15usize,
    ) {
        let Some(growing) = Growing::new(&pattern) else { return Ok(()) };
        let cut = cut.min(text.len());
        let (before, settled) = growing.found(&text[..cut], 0, false);
        let all = growing.found(&text, 0, true).0;
        let after: Vec<_> = all.into_iter().filter(|m| m.start < settled).collect();
        prop_assert_eq!(&before, &after, "{} in {:?} cut at {}, settled at {}", pattern, text, cut, settled);
        prop_assert!(after.iter().all(|m| m.end <= settled));
    }
}

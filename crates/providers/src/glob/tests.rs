use proptest::prelude::*;

use super::Glob;

#[test]
fn a_star_stands_for_anything() {
    for (glob, yes, no) in [
        ("*", "x", None),
        ("anthropic.*", "anthropic.claude-v2", Some("xanthropic.claude")),
        ("*-v1:0", "a-v1:0", Some("a-v1:0:8k")),
        ("a*b*c", "aXbbYc", Some("acb")),
        ("ab*ba", "abba", Some("aba")),
        ("exact", "exact", Some("exactly")),
    ] {
        assert!(Glob::new(glob).matches(yes), "{glob} {yes}");
        assert!(no.is_none_or(|no| !Glob::new(glob).matches(no)), "{glob} {no:?}");
    }
}

/// The definition, slowly.
fn defined(glob: &[u8], text: &[u8]) -> bool {
    match glob.split_first() {
        None => text.is_empty(),
        Some((b'*', rest)) => (0..=text.len()).any(|n| defined(rest, &text[n..])),
        Some((c, rest)) => text.first() == Some(c) && defined(rest, &text[1..]),
    }
}

proptest! {
    #[test]
    fn by_definition(glob in "[ab*]{0,8}", text in "[ab]{0,10}") {
        prop_assert_eq!(Glob::new(glob.clone()).matches(&text), defined(glob.as_bytes(), text.as_bytes()));
    }
}

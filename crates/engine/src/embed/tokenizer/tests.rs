use super::super::tests::{folder, golden};
use super::*;

fn tokenizer() -> Tokenizer {
    Tokenizer::load(&folder().join("vocab.txt")).unwrap()
}

#[test]
fn ids_are_those_of_the_tokenizers_library() {
    let tokenizer = tokenizer();
    for case in golden().ids {
        assert_eq!(tokenizer.encode(&case.text, usize::MAX).ids, case.ids, "{:?}", case.text);
    }
    for case in golden().cases {
        let encoded = tokenizer.encode(&case.text, 256);
        assert_eq!(encoded.ids, case.ids, "{:?}", case.text);
        assert_eq!(encoded.tokens, case.tokens, "{:?}", case.text);
    }
}

#[test]
fn a_limit_keeps_both_marks_and_counts_on() {
    let tokenizer = tokenizer();
    for limit in 0..8 {
        let encoded = tokenizer.encode("one two three four five", limit);
        assert_eq!(encoded.ids.len(), limit.clamp(2, 7));
        assert_eq!((encoded.ids[0], *encoded.ids.last().unwrap(), encoded.tokens), (101, 102, 5));
    }
}

#[test]
fn long_words_are_looked_up_in_linear_time() {
    // Two million characters without a space, of which no piece is known: one unknown, at once.
    assert_eq!(tokenizer().encode(&"\u{2603}".repeat(2_000_000), 256).ids, [101, 100, 102]);
    assert_eq!(tokenizer().encode(&"a".repeat(100), 256).tokens, 50);
}

#[test]
fn a_file_that_is_no_vocabulary_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("vocab.txt");
    assert!(Tokenizer::load(&path).is_err());
    for bytes in [&b""[..], b"a\nb\n", b"\xff\xfe"] {
        std::fs::write(&path, bytes).unwrap();
        assert!(matches!(Tokenizer::load(&path), Err(EmbedError::Model { .. })));
    }
}

proptest::proptest! {
    #[test]
    fn no_text_panics_and_every_id_has_a_row(text in "\\PC{0,40}|[\\x00-\\x{10ffff}]{0,40}") {
        static SHARED: std::sync::LazyLock<Tokenizer> = std::sync::LazyLock::new(tokenizer);
        let encoded = SHARED.encode(&text, 16);
        assert!(encoded.ids.len() <= 16);
        assert!(encoded.ids.iter().all(|id| (*id as usize) < SHARED.vocabulary()));
    }
}

use super::*;

#[test]
fn words_fall_into_the_longest_pieces_that_there_are() {
    let vocabulary = Vocabulary::new(["shop", "##lift", "##lifting", "the", "sh", "."]);
    assert_eq!(vocabulary.pieces("the shoplifting. the"), [(0, 1), (2, 1), (3, 2), (5, 1)]);
    // What begins with a known piece and goes on with an unknown one keeps the known one.
    assert_eq!(vocabulary.pieces("shopping"), [(0, 1)]);
    assert_eq!(vocabulary.pieces("\u{4e2d}\u{6587}"), []);
    assert_eq!(vocabulary.pieces(""), []);
}

#[test]
fn a_text_without_known_words_has_the_constant_values() {
    let weights = include_bytes!("../../../weights/content.safetensors");
    let vectors = Vectors::load(&Tensors::unchecked("content", weights).unwrap()).unwrap();
    let nothing = vectors.logits("");
    assert!(nothing.iter().all(|value| value.is_finite()));
    assert_eq!(vectors.logits("\u{4e2d}"), nothing);
    assert_ne!(vectors.logits("kill"), nothing);
}

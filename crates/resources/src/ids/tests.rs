use std::collections::HashSet;

use super::*;

#[test]
fn ids_have_their_form_and_do_not_repeat() {
    let mut seen = HashSet::new();
    for _ in 0..5_000 {
        let (lower, upper) = (Ids::Lower.generate().unwrap(), Ids::Upper.generate().unwrap());
        assert_eq!((lower.len(), upper.len()), (12, 10));
        assert!(lower.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()), "{lower}");
        assert!(upper.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()), "{upper}");
        assert!(seen.insert(lower) && seen.insert(upper));
    }
    let letters: HashSet<char> = seen.iter().flat_map(|id| id.chars()).collect();
    assert_eq!(letters.len(), 62, "every letter of both alphabets occurs");
}

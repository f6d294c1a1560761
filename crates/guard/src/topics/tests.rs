use super::*;

#[test]
fn a_definition_s_subject_is_what_it_speaks_of() {
    for (definition, wanted) in [
        ("Avoid specific financial advice", "specific financial advice"),
        ("Do not provide any medical advice.", "medical advice."),
        (
            "Instructions for deleting, destroying, or corrupting production systems or data",
            "deleting, destroying, or corrupting production systems or data",
        ),
        ("Never discuss", "Never discuss"),
        ("Questions on elections, voting procedures", "elections, voting procedures"),
        ("Advice on how the law applies", "Advice on how the law applies"),
        ("", ""),
    ] {
        assert_eq!(subject(definition), wanted);
    }
}

#[test]
fn a_definition_falls_into_what_it_lists() {
    assert_eq!(items("guns, ammunition and explosives."), ["guns", "ammunition", "explosives"]);
    assert_eq!(items("legal advice, e.g. about contracts (or rights)"), ["legal advice", "contracts", "rights"]);
    assert_eq!(items("religion"), ["religion"]);
    assert_eq!(items(""), [""]);
    assert_eq!(items(&"word, ".repeat(50)).len(), ITEMS);
}

#[test]
fn the_background_is_as_it_was_trained() {
    let rows = Tensors::read(FILE, WEIGHTS).unwrap().rows("background", BACKGROUND, WIDTH).unwrap();
    let subjects = Tensors::read(FILE, WEIGHTS).unwrap().rows("cohort", SUBJECTS, WIDTH).unwrap();
    for row in rows.chunks_exact(WIDTH).chain(subjects.chunks_exact(WIDTH)) {
        assert!((cosine(row, row) - 1.0).abs() < 0.02);
    }
    let mut damaged = WEIGHTS.to_vec();
    if let Some(byte) = damaged.last_mut() {
        *byte ^= 1;
    }
    assert!(Tensors::read(FILE, &damaged).is_err());
}

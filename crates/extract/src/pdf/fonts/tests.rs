use super::*;

#[test]
fn private_characters_of_symbol_fonts_are_the_letters_in_their_places() {
    let mut all = HashMap::new();
    note(&mut all, GlyphId::new(7), 0xf041);
    note(&mut all, GlyphId::new(8), 0x9);
    assert_eq!(all, HashMap::from([(7, "A".to_owned())]));
}

#[test]
fn a_collection_is_told_by_its_name() {
    assert_eq!(collection(b"\x01\x00\x04\x04AdobeKorea1Copyright"), Some(CidFamily::AdobeKorea1));
    assert_eq!(collection(b"\x01\x00\x04\x04AdobeIdentity"), None);
}

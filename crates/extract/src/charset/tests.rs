use super::*;

fn utf16(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(unit).collect()
}

#[test]
fn byte_order_marks_decide() {
    for (mark, bytes, charset) in [
        (&[0xff, 0xfe][..], utf16("Grüße", u16::to_le_bytes), "utf-16le"),
        (&[0xfe, 0xff], utf16("Grüße", u16::to_be_bytes), "utf-16be"),
        (&[0xef, 0xbb, 0xbf], "Grüße".as_bytes().to_vec(), "utf-8"),
        (&[0xff, 0xfe, 0, 0], "Grüße".chars().flat_map(|c| (c as u32).to_le_bytes()).collect(), "utf-32le"),
        (&[0, 0, 0xfe, 0xff], "Grüße".chars().flat_map(|c| (c as u32).to_be_bytes()).collect(), "utf-32be"),
    ] {
        let whole = [mark, &bytes].concat();
        let read = decode(&whole, Some("windows-1252"));
        assert_eq!((read.text.as_str(), read.charset.as_str()), ("Grüße", charset));
        assert!(is_text(&whole), "{charset}");
    }
}

#[test]
fn a_mark_is_not_needed() {
    let read = decode(&utf16("A whole line of text\n", u16::to_le_bytes), None);
    assert_eq!((read.text.as_str(), read.charset.as_str()), ("A whole line of text\n", "utf-16le"));
    let latin: Vec<u8> = "Où êtes-vous ? Là-bas, à côté du château.".chars().map(|c| c as u8).collect();
    let read = decode(&latin, None);
    assert_eq!(
        (read.text.as_str(), read.charset.as_str()),
        ("Où êtes-vous ? Là-bas, à côté du château.", "windows-1252")
    );
    let (bytes, _, _) = encoding_rs::SHIFT_JIS.encode("これは日本語の文章です。文字コードは宣言されていません。");
    assert_eq!(decode(&bytes, None).charset, "shift_jis");
}

#[test]
fn escapes_are_japanese_where_they_say_so() {
    let bytes = b"ID 7: \x1b$BF|K\\8l\x1b(B ok\n";
    let read = decode(bytes, None);
    assert_eq!((read.text.as_str(), read.charset.as_str()), ("ID 7: 日本語 ok\n", "iso-2022-jp"));
    assert!(is_text(bytes));
    assert_eq!(decode(b"\x1b[31mred\x1b[0m costs \x1b$5", None).charset, "utf-8");
}

#[test]
fn a_declaration_counts_where_the_bytes_allow_it() {
    assert_eq!(decode(b"\xdf\xe0", Some("iso-8859-5")).text, "пр");
    assert_eq!(decode(b"\xdf\xe0", Some("iso-8859-5")).charset, "iso-8859-5");
    assert_eq!(decode("schön".as_bytes(), Some("iso-8859-1")).text, "schön");
}

#[test]
fn line_ends_become_one_and_control_characters_go() {
    assert_eq!(decode(b"a\r\nb\rc\x00\x1b[31md", None).text, "a\nb\ncd");
    assert_eq!(decode(b"\x1b[1;31mERROR\x1b[0m at \x1b7 9\x1b[", None).text, "ERROR at 7 9");
    assert!(is_text(b"DIR *.TXT\x1a") && is_text(b"ding\x07"));
    assert!(!is_text(b"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00"));
}

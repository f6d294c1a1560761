use super::*;

#[test]
fn columns_are_as_wide_as_their_widest_cell() {
    let rows = [["a".into(), "é".into(), String::new()], ["long-name".into(), "text".into(), "x".into()]];
    assert_eq!(table(["NAME", "KIND", "Z"], &rows), "NAME       KIND  Z\na          é\nlong-name  text  x\n");
    assert_eq!(table(["NAME"], &[]), "NAME\n");
}

#[test]
fn sizes_are_read_at_a_glance() {
    for (bytes, text) in [(0, "0 B"), (612, "612 B"), (231_508, "231.51 kB"), (98_362_432, "98.36 MB")] {
        assert_eq!(size(bytes), text);
    }
}

#[test]
fn a_terminal_obeys_nothing_of_a_document() {
    assert_eq!(
        clean("a\u{1b}[2Jb\u{9b}c\u{202e}d\u{7f}\r\n\t\u{fc}"),
        "a\\u001b[2Jb\\u009bc\\u202ed\\u007f\\u000d\n\t\u{fc}"
    );
    assert_eq!(line("a\nb\tc\u{1b}d \u{fc}"), "a\\nb\\tc\\u001bd \u{fc}");
    let json = serde_json::Value::from("a\u{9b}b").to_string();
    assert_eq!(serde_json::from_str::<String>(&clean(&json)).unwrap(), "a\u{9b}b");
}

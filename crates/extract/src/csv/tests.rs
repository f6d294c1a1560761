use super::*;

fn rows(text: &str) -> Vec<Vec<String>> {
    let table = records(text.as_bytes(), None).unwrap();
    std::iter::once(table.columns).chain(table.rows).collect()
}

#[test]
fn the_separator_is_found() {
    for separator in [",", ";", "\t", "|"] {
        let text = ["name", "price", "unit"].join(separator) + "\n" + &["duck", "14.50", "kg"].join(separator) + "\n";
        assert_eq!(rows(&text), [["name", "price", "unit"], ["duck", "14.50", "kg"]], "{separator:?}");
    }
    assert_eq!(
        rows("Year;Revenue;\n2023;143,1;\n2024;215,32;\n"),
        [["Year", "Revenue", ""], ["2023", "143,1", ""], ["2024", "215,32", ""]]
    );
    assert_eq!(rows("one\ntwo, three\n"), [vec!["one"], vec!["two", "three"]]);
}

#[test]
fn quotes_and_line_ends_inside_of_cells() {
    assert_eq!(rows("a,b\r\n\"x, \"\"y\"\"\",\"1\r\n2\"\r\n\r\n , \r\n"), [["a", "b"], ["x, \"y\"", "1\n2"]]);
}

#[test]
fn a_ragged_record_is_kept_and_reported() {
    let document = parse(b"a,b\n1,2,3\n4\n", None).unwrap();
    assert_eq!(document.text(), "a | b\n1 | 2 | 3\n4");
    assert_eq!(document.warnings, ["record 2 and 1 others: not as many cells as the header"]);
    assert_eq!(document.says("columns"), Some("2"));
}

#[test]
fn nothing_is_a_table_without_columns() {
    assert_eq!(rows(""), [Vec::<String>::new()]);
    assert!(parse(b"", None).unwrap().blocks.is_empty());
}

#[test]
fn cells_have_a_bound() {
    let failure = records("1,".repeat(CELLS).as_bytes(), None).unwrap_err();
    assert!(matches!(failure, Failure::Limit(_)), "{failure}");
}

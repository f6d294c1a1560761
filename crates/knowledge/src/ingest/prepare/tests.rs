//! Rows, and names of chunks.

use bytes::Bytes;
use outcrop_extract::Chunking;
use outcrop_vectors::Value;

use super::{Recipe, name, rows};
use crate::ingest::attributes::Records;

fn recipe() -> Recipe {
    let chunking = Chunking::Fixed { max_tokens: 300, overlap_percentage: 20 };
    Recipe {
        source: "ABCDEFGHIJ".into(),
        location: "S3".into(),
        chunking,
        reader: None,
        transform: None,
        managed: false,
    }
}

#[test]
fn rows_have_their_other_columns_as_attributes() {
    let file = Bytes::from_static(b"id,text,team\n1,First row.,a\n\n2,,b\n3,\"Third, row.\",c\n");
    let all = Records { content: "text".into(), ..Records::default() };
    let found = rows(&file, None, &all).unwrap();
    let texts: Vec<&str> = found.iter().map(|(text, _)| text.as_str()).collect();
    assert_eq!(texts, ["First row.", "Third, row."]);
    let columns: Vec<_> = found[1].1.iter().collect();
    assert_eq!(columns[0], (&"id".to_owned(), &Value::String("3".into())));
    assert_eq!(columns[1], (&"team".to_owned(), &Value::String("c".into())));
    let only = Records { include: vec!["team".into()], ..all.clone() };
    assert_eq!(rows(&file, None, &only).unwrap()[0].1.keys().collect::<Vec<_>>(), ["team"]);
    let but = Records { exclude: vec!["team".into()], ..all };
    assert_eq!(rows(&file, None, &but).unwrap()[0].1.keys().collect::<Vec<_>>(), ["id"]);
}

#[test]
fn a_row_has_no_more_attributes_than_a_sidecar() {
    let columns: Vec<String> = (0..3_000).map(|at| format!("column{at}")).collect();
    let file = Bytes::from(format!("text,{}\nFirst.,{}\n", columns.join(","), "x,".repeat(3_000)));
    let all = Records { content: "text".into(), ..Records::default() };
    let failure = rows(&file, None, &all).unwrap_err();
    assert!(failure.to_string().contains("10240 bytes of attributes"), "{failure}");
    let some = Records { include: vec!["column7".into()], ..all };
    assert_eq!(rows(&file, None, &some).unwrap()[0].1.len(), 1);
}

#[test]
fn a_column_that_is_not_there_is_said() {
    let none = Records { content: "body".into(), ..Records::default() };
    let failure = rows(&Bytes::from_static(b"id,text\n1,x\n"), None, &none).unwrap_err();
    assert!(failure.to_string().contains("no column body"), "{failure}");
}

#[test]
fn chunks_have_the_same_name_each_time_and_no_two_the_same() {
    let recipe = recipe();
    let one = name(&recipe, "s3://b/a", "0");
    assert_eq!(one, name(&recipe, "s3://b/a", "0"));
    // What is stored is found by it.
    assert_eq!(one, "965d82e5-abd9-21f6-2664-f6492f9473fd");
    for (document, which) in [("s3://b/a", "1"), ("s3://b/b", "0"), ("s3://b/a0", "")] {
        assert_ne!(one, name(&recipe, document, which));
    }
}

//! Hostile files against the hard wall: each ends as one failure, and the wall reads the next.

// All of this is test: failing is what it is for.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::{Cursor, Write};
use std::time::Duration;

use outcrop_extract::Failure;
use outcrop_extract::wall::{Limits, Wall};

fn wall(limits: Limits) -> Wall {
    Wall::new(env!("CARGO_BIN_EXE_outcrop-extract-child"), Vec::new(), limits)
}

/// A Word document that unpacks to so many megabytes of paragraphs.
fn bomb(megabytes: usize) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file("word/document.xml", zip::write::SimpleFileOptions::default()).unwrap();
    writer.write_all(b"<d><body>").unwrap();
    let paragraphs = "<p><t>x</t></p>".repeat((1 << 20) / 15);
    for _ in 0..megabytes {
        writer.write_all(paragraphs.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

#[tokio::test]
async fn an_honest_file_is_read_and_an_unknown_one_refused() {
    let wall = wall(Limits::default());
    let document = wall.parse(b"# Ducks\n\nThey swim.", "ducks.md", None).await.unwrap();
    assert_eq!(document.text(), "Ducks\n\nThey swim.");
    assert_eq!(wall.parse(b"\x89PNG\r\n\x1a\n\0\0", "duck.png", None).await, Err(Failure::Unsupported));
}

#[tokio::test]
async fn the_parser_gets_nothing_of_the_environment() {
    // A shell stands in for it, and answers with what it was given as the reason of a failure.
    let says = r#"cat >/dev/null; printf '{"Err":{"Damaged":"%s"}}' "$CARGO_MANIFEST_DIR""#;
    let wall = Wall::new("/bin/sh", vec!["-c".into(), says.into()], Limits::default());
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
    let failure = wall.parse(b"x", "x.md", None).await.unwrap_err();
    assert_eq!(failure, Failure::Damaged(String::new()));
}

#[tokio::test]
async fn memory_is_limited_and_the_next_file_is_read() {
    let wall = wall(Limits { memory: 64 << 20, ..Limits::default() });
    let failure = wall.parse(&bomb(100), "bomb.docx", None).await.unwrap_err();
    assert!(matches!(&failure, Failure::Limit(reason) if reason.contains("memory")), "{failure}");
    assert_eq!(wall.parse(b"next", "next.txt", None).await.unwrap().text(), "next");
}

#[tokio::test]
async fn what_unpacks_to_too_much_is_a_limit() {
    let failure = wall(Limits::default()).parse(&bomb(300), "bomb.docx", None).await.unwrap_err();
    assert!(matches!(failure, Failure::Limit(_)), "{failure}");
}

#[tokio::test]
async fn towers_end() {
    let wall = wall(Limits { time: Duration::from_secs(3), ..Limits::default() });
    let html = format!("{}x{}", "<div>".repeat(100_000), "</div>".repeat(100_000));
    match wall.parse(html.as_bytes(), "tower.html", None).await {
        Ok(document) => assert_eq!(document.text(), "x"),
        Err(failure) => assert!(matches!(failure, Failure::Limit(_)), "{failure}"),
    }
    let markdown = format!("{}x", "> ".repeat(100_000));
    let read = wall.parse(markdown.as_bytes(), "tower.md", None).await;
    assert!(matches!(read, Ok(_) | Err(Failure::Limit(_))), "{read:?}");
}

#[tokio::test]
async fn text_and_size_are_limited() {
    let wall = wall(Limits { text: 1000, size: 5000, ..Limits::default() });
    let long = wall.parse("word ".repeat(300).as_bytes(), "long.txt", None).await.unwrap_err();
    assert_eq!(long.to_string(), "the file exceeds a limit: its text has more than 1000 bytes");
    let large = wall.parse(&[b'x'; 6000], "large.txt", None).await.unwrap_err();
    assert_eq!(large.to_string(), "the file exceeds a limit: it has 6000 bytes; at most 5000 are allowed");
}

#[cfg(unix)]
#[tokio::test]
async fn a_child_that_never_answers_and_one_that_never_stops() {
    let limits = Limits { time: Duration::from_millis(300), text: 1000, ..Limits::default() };
    let silent = Wall::new("/bin/sleep", vec!["60".into()], limits);
    let failure = silent.parse(b"x", "x.txt", None).await.unwrap_err();
    assert!(matches!(&failure, Failure::Limit(reason) if reason.contains("seconds")), "{failure}");
    let endless = Wall::new("/usr/bin/yes", Vec::new(), Limits { time: Duration::from_secs(30), ..limits });
    let failure = endless.parse(b"x", "x.txt", None).await.unwrap_err();
    assert!(matches!(&failure, Failure::Limit(reason) if reason.contains("text")), "{failure}");
    let missing = Wall::new("/nowhere/outcrop", Vec::new(), limits);
    assert!(matches!(missing.parse(b"x", "x.txt", None).await, Err(Failure::Damaged(_))));
}

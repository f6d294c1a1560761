use super::*;
use crate::Role;

/// A PDF whose pages draw these content streams with Helvetica.
pub(crate) fn pdf(pages: &[&str], page_extra: &str) -> Vec<u8> {
    let mut objects = vec!["<< /Type /Catalog /Pages 2 0 R >>".to_owned(), String::new()];
    objects.push("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_owned());
    let mut kids = Vec::new();
    for content in pages {
        let number = objects.len() + 1;
        kids.push(format!("{number} 0 R"));
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents {} 0 R {page_extra} /Resources << /Font << /F 3 0 R >> >> >>",
            number + 1
        ));
        objects.push(format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()));
    }
    objects[1] = format!("<< /Type /Pages /Count {} /Kids [{}] >>", kids.len(), kids.join(" "));
    file(&objects)
}

fn file(objects: &[String]) -> Vec<u8> {
    let mut out = "%PDF-1.4\n".to_owned();
    let mut places = Vec::new();
    for (number, object) in objects.iter().enumerate() {
        places.push(out.len());
        out.push_str(&format!("{} 0 obj\n{object}\nendobj\n", number + 1));
    }
    let start = out.len();
    out.push_str(&format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1));
    for place in places {
        out.push_str(&format!("{place:010} 00000 n \n"));
    }
    out.push_str(&format!("trailer << /Size {} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF", objects.len() + 1));
    out.into_bytes()
}

/// Draws texts at places with a size.
fn draw(texts: &[(f64, f64, f64, &str)]) -> String {
    let line = |(x, y, size, text): &(f64, f64, f64, &str)| format!("BT /F {size} Tf {x} {y} Td ({text}) Tj ET\n");
    texts.iter().map(line).collect()
}

fn shown(document: &Document) -> Vec<(Role, &str)> {
    document.blocks.iter().map(|block| (block.role, block.text.as_str())).collect()
}

#[test]
fn paragraphs_headings_hyphens_and_pages() {
    let one = draw(&[
        (50.0, 700.0, 20.0, "A title"),
        (50.0, 660.0, 10.0, "This is the first line of a paragraph that is bro-"),
        (50.0, 648.0, 10.0, "ken at the end of a line and goes on to here."),
        (50.0, 620.0, 10.0, "Another paragraph stands below."),
    ]);
    let two = draw(&[(50.0, 700.0, 10.0, "On page two.")]);
    let document = parse(&pdf(&[&one, &two], "")).unwrap();
    assert_eq!(
        shown(&document),
        [
            (Role::Heading(1), "A title"),
            (
                Role::Paragraph,
                "This is the first line of a paragraph that is broken at the end of a line and goes on to here."
            ),
            (Role::Paragraph, "Another paragraph stands below."),
            (Role::Paragraph, "On page two."),
        ]
    );
    assert_eq!(document.blocks.last().unwrap().page, Some(2));
    assert_eq!(document.pages, Some(2));
}

#[test]
fn columns_are_read_one_after_another_and_rows_kept() {
    let mut texts =
        vec![(50.0, 750.0, 10.0, "A headline that reaches over both of the columns of this page, as they do in print")];
    for line in 0..12 {
        let y = 700.0 - 12.0 * f64::from(line);
        texts.push((50.0, y, 10.0, "left words fill the width of this left column"));
        texts.push((320.0, y, 10.0, "right words fill the width of the other one"));
    }
    texts.push((50.0, 500.0, 10.0, "Name"));
    texts.push((250.0, 500.0, 10.0, "Count"));
    texts.push((50.0, 486.0, 10.0, "Duck"));
    texts.push((250.0, 486.0, 10.0, "12"));
    let text = parse(&pdf(&[&draw(&texts[..25])], "")).unwrap().text();
    let last_left = text.rfind("left words").unwrap();
    assert!(text.find("A headline").unwrap() < text.find("left words").unwrap(), "{text}");
    assert!(last_left < text.find("right words").unwrap(), "{text}");
    let document = parse(&pdf(&[&draw(&texts[25..])], "")).unwrap();
    assert_eq!(shown(&document), [(Role::Row, "Name | Count"), (Role::Row, "Duck | 12")]);
}

#[test]
fn a_turned_page_reads_like_another() {
    let one = draw(&[(50.0, 700.0, 10.0, "First line."), (50.0, 600.0, 10.0, "Second line.")]);
    for turn in [0, 90, 180, 270] {
        let document = parse(&pdf(&[&one], &format!("/Rotate {turn}"))).unwrap();
        assert_eq!(document.text(), "First line.\n\nSecond line.", "turned by {turn}");
    }
}

#[test]
fn a_page_without_text_is_said() {
    let document = parse(&pdf(&[""], "")).unwrap();
    assert!(document.blocks.is_empty());
    assert_eq!(document.no_text(), Some(Failure::NoText(": none of its pages has a text layer".into())));
}

#[test]
fn a_damaged_file_ends() {
    let whole = pdf(&[&draw(&[(50.0, 700.0, 10.0, "Words.")])], "");
    for end in (0..whole.len()).step_by(7) {
        let _ = parse(&whole[..end]);
    }
    assert!(matches!(parse(b"%PDF-1.7\n"), Err(Failure::Damaged(_))));
    // A page tree whose branches hold one another.
    let circle = file(&[
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Count 2 /Kids [3 0 R] >>".to_owned(),
        "<< /Type /Pages /Count 2 /Kids [2 0 R 3 0 R] >>".to_owned(),
    ]);
    assert!(matches!(parse(&circle), Err(Failure::Damaged(_)) | Ok(Document { .. })));
}

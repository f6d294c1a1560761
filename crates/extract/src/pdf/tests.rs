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

#[test]
fn columns_whose_lines_stand_at_other_heights_are_not_mixed() {
    let mut texts = Vec::new();
    for line in 0..12 {
        let y = 700.0 - 12.0 * f64::from(line);
        texts.push((50.0, y, 10.0, "left words fill the width of this left column"));
        texts.push((280.0, y + 2.0, 10.0, "right words fill the width of the other one"));
    }
    let text = parse(&pdf(&[&draw(&texts)], "")).unwrap().text();
    assert_eq!(text.matches("left words fill the width of this left column").count(), 12, "{text}");
    assert!(text.rfind("left words").unwrap() < text.find("right words").unwrap(), "{text}");
}

#[test]
fn a_list_beside_the_text_is_read_apart_and_labels_with_what_they_label() {
    let mut texts = Vec::new();
    for line in 0..6 {
        texts.push((50.0, 700.0 - 17.0 * f64::from(line), 10.0, "Chapter"));
    }
    for line in 0..12 {
        texts.push((150.0, 695.0 - 13.0 * f64::from(line), 10.0, "words of the text fill the width of their column"));
    }
    let text = parse(&pdf(&[&draw(&texts)], "")).unwrap().text();
    assert!(text.rfind("Chapter").unwrap() < text.find("words").unwrap(), "{text}");
    let labels = (0..6).flat_map(|line| {
        let y = 700.0 - 13.0 * f64::from(line);
        [(50.0, y, 10.0, "Label"), (150.0, y, 10.0, "what the label says of it, in words that fill the width")]
    });
    let document = parse(&pdf(&[&draw(&labels.collect::<Vec<_>>())], "")).unwrap();
    assert_eq!(document.blocks.len(), 6, "{:?}", shown(&document));
}

#[test]
fn rules_across_make_a_table_of_what_could_be_columns() {
    let mut texts = Vec::new();
    let mut rules = String::new();
    for line in 0..8 {
        let y = 700.0 - 20.0 * f64::from(line);
        texts.push((50.0, y, 10.0, "one cell that holds about so many words"));
        texts.push((320.0, y, 10.0, "and another that holds about as many"));
        // Borders are drawn cell by cell.
        rules.push_str(&format!("45 {0} m 310 {0} l S 310 {0} m 560 {0} l S\n", y - 6.0));
    }
    let document = parse(&pdf(&[&format!("{rules}{}", draw(&texts))], "")).unwrap();
    let row = (Role::Row, "one cell that holds about so many words | and another that holds about as many");
    assert_eq!(shown(&document), [row; 8]);
}

#[test]
fn full_lines_above_columns_do_not_hide_them() {
    let wide = "an abstract that reaches over both of the columns of this page in all of its many lines";
    let mut texts: Vec<_> = (0..12).map(|line| (50.0, 760.0 - 12.0 * f64::from(line), 10.0, wide)).collect();
    for line in 0..12 {
        let y = 600.0 - 12.0 * f64::from(line);
        texts.push((50.0, y, 10.0, "left words fill the width of this left column"));
        texts.push((320.0, y, 10.0, "right words fill the width of the other one"));
    }
    let text = parse(&pdf(&[&draw(&texts)], "")).unwrap().text();
    assert!(text.rfind("an abstract").unwrap() < text.find("left words").unwrap(), "{text}");
    assert!(text.rfind("left words").unwrap() < text.find("right words").unwrap(), "{text}");
}

#[test]
fn texts_upon_one_another_and_letters_far_apart_stay_words() {
    let content = draw(&[(50.0, 700.0, 10.0, "For digital change"), (50.0, 698.5, 10.0, "A greener planet")])
        + "BT /F 12 Tf 4 Tc 1 0 0 1 50 600 Tm (CONTENTS) Tj 0 Tc ET\n"
        // Drawn out of order: what is missing in the middle comes last.
        + &draw(&[(50.0, 500.0, 10.0, "ab"), (72.5, 500.0, 10.0, "ef"), (61.2, 500.0, 10.0, "cd")]);
    let text = parse(&pdf(&[&content], "")).unwrap().text();
    for phrase in ["For digital change", "A greener planet", "CONTENTS", "abcdef"] {
        assert!(text.contains(phrase), "{phrase}: {text}");
    }
}

#[test]
fn slanted_text_is_read_and_what_lies_off_the_page_is_not() {
    let content = "BT /F 10 Tf 0.866 0.5 -0.5 0.866 100 100 Tm (Not for sale) Tj ET\n".to_owned()
        + &draw(&[
            (50.0, 700.0, 10.0, "All of this can be seen."),
            (50.0, 900.0, 10.0, "Printer's marks."),
            (-400.0, 700.0, 10.0, "Left."),
        ]);
    assert_eq!(parse(&pdf(&[&content], "")).unwrap().text(), "All of this can be seen.\n\nNot for sale");
}

/// A page whose only font draws shapes without names.
fn shapes(content: &str) -> Vec<u8> {
    let names: String = (32..127).map(|code| format!("/shape{code} ")).collect();
    let widths = "500 ".repeat(95);
    file(&[
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Count 1 /Kids [4 0 R] >>".to_owned(),
        format!(
            "<< /Type /Font /Subtype /Type3 /FontBBox [0 0 1000 1000] /FontMatrix [0.001 0 0 0.001 0 0] /CharProcs << >> \
             /Encoding << /Differences [32 {names}] >> /FirstChar 32 /LastChar 126 /Widths [{widths}] >>"
        ),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 5 0 R /Resources << /Font << /F 3 0 R >> >> >>"
            .to_owned(),
        format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()),
    ])
}

#[test]
fn shapes_without_names_are_told_by_their_codes_where_that_is_language() {
    let said = "The quick brown fox jumps over a lazy dog";
    let document = parse(&shapes(&draw(&[(50.0, 700.0, 10.0, said)]))).unwrap();
    assert_eq!(document.text(), said);
    let document = parse(&shapes(&draw(&[(50.0, 700.0, 10.0, "!#$%&ABCDFGHKLMNPQRSTVWXYZ")]))).unwrap();
    assert!(document.blocks.is_empty());
    assert_eq!(document.warnings, ["page 1: most of its characters cannot be told from their shapes"]);
}

/// Characters side by side, or below one another.
fn glyphs(texts: &[(f64, f64, &str)], turn: u16) -> Vec<glyphs::Glyph> {
    let glyph = |x: f64, y: f64, char: char| {
        let text = char.to_string();
        glyphs::Glyph { text, x, y, width: 10.0, size: 10.0, turn, guessed: false }
    };
    let line = |(x, y, text): &(f64, f64, &str)| -> Vec<_> {
        text.chars().enumerate().map(|(at, char)| glyph(x + 10.0 * at as f64, *y, char)).collect()
    };
    texts.iter().flat_map(line).collect()
}

fn read(texts: &[(f64, f64, &str)], turn: u16) -> Vec<String> {
    layout::lines(glyphs(texts, turn), &[]).iter().map(|line| line.text(" | ")).collect()
}

#[test]
fn cells_and_columns_run_from_right_to_left_where_the_text_does() {
    // The order on the page, from left to right: a number, then the Hebrew word for peace, backwards.
    assert_eq!(read(&[(50.0, 100.0, "12"), (200.0, 100.0, "םולש")], 0), ["שלום | 12"]);
    assert_eq!(read(&[(50.0, 100.0, "12"), (200.0, 100.0, "peace")], 0), ["12 | peace"]);
}

#[test]
fn lines_that_run_down_are_read_from_right_to_left() {
    // Downwards is along; further left is further on.
    assert_eq!(
        read(&[(50.0, -300.0, "春は"), (50.0, -500.0, "序"), (50.0, -280.0, "夏")], glyphs::DOWN),
        ["序", "春は", "夏"]
    );
}

use std::io::Write;

use super::*;
use crate::Role;

/// A package of these parts.
pub(crate) fn package(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (path, xml) in parts {
        writer.start_file(*path, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(xml.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn shown(document: &Document) -> Vec<(Role, &str)> {
    document.blocks.iter().map(|block| (block.role, block.text.as_str())).collect()
}

#[test]
fn a_word_document_keeps_its_structure() {
    let body = r#"<w:document xmlns:w="w" xmlns:mc="mc"><w:body>
        <w:p><w:pPr><w:pStyle w:val="My1"/></w:pPr><w:r><w:t>Birds</w:t></w:r></w:p>
        <w:p><w:r><w:t xml:space="preserve">They </w:t></w:r><w:del><w:r><w:delText>cannot</w:delText></w:r></w:del>
            <w:r><w:instrText>HYPERLINK "x"</w:instrText></w:r><w:hyperlink><w:r><w:t>swim &amp; fly</w:t></w:r></w:hyperlink></w:p>
        <w:p><w:pPr><w:numPr><w:ilvl w:val="0"/><w:numId w:val="5"/></w:numPr></w:pPr><w:r><w:t>first</w:t></w:r></w:p>
        <w:p><w:pPr><w:numPr><w:ilvl w:val="0"/><w:numId w:val="5"/></w:numPr></w:pPr><w:r><w:t>second</w:t></w:r></w:p>
        <w:tbl><w:tr><w:tc><w:p><w:r><w:t>a</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>b</w:t></w:r></w:p><w:p><w:r><w:t>c</w:t></w:r></w:p></w:tc></w:tr></w:tbl>
        <w:p><w:r><mc:AlternateContent><mc:Choice><w:drawing><off>12345</off><w:txbxContent><w:p><w:r><w:t>boxed</w:t></w:r></w:p></w:txbxContent></w:drawing></mc:Choice>
            <mc:Fallback><w:pict><w:txbxContent><w:p><w:r><w:t>boxed</w:t></w:r></w:p></w:txbxContent></w:pict></mc:Fallback></mc:AlternateContent></w:r></w:p>
        </w:body></w:document>"#;
    let bytes = package(&[
        ("word/document.xml", body),
        (
            "word/_rels/document.xml.rels",
            r#"<R><r Id="1" Type="t/styles" Target="styles.xml"/><r Id="2" Type="t/numbering" Target="numbering.xml"/>
               <r Id="3" Type="t/footnotes" Target="/word/footnotes.xml"/></R>"#,
        ),
        (
            "word/styles.xml",
            r#"<w:styles><w:style w:styleId="h1"><w:name w:val="heading 1"/></w:style>
               <w:style w:styleId="My1"><w:name w:val="Mine"/><w:basedOn w:val="h1"/></w:style></w:styles>"#,
        ),
        (
            "word/numbering.xml",
            r#"<w:numbering><w:abstractNum w:abstractNumId="7"><w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="decimal"/></w:lvl></w:abstractNum>
               <w:num w:numId="5"><w:abstractNumId w:val="7"/></w:num></w:numbering>"#,
        ),
        (
            "word/footnotes.xml",
            "<w:footnotes><w:footnote><w:p><w:r><w:t>A note.</w:t></w:r></w:p></w:footnote></w:footnotes>",
        ),
    ]);
    let document = crate::parse(&bytes, "birds.docx", None).unwrap();
    assert_eq!(
        shown(&document),
        [
            (Role::Heading(1), "Birds"),
            (Role::Paragraph, "They swim & fly"),
            (Role::Item, "1. first"),
            (Role::Item, "2. second"),
            (Role::Row, "a | b c"),
            (Role::Paragraph, "boxed"),
            (Role::Note, "A note."),
        ]
    );
    assert_eq!(document.title.as_deref(), Some("Birds"));
}

#[test]
fn a_presentation_keeps_slides_notes_groups_and_charts() {
    let slide = r#"<p:sld xmlns:p="p" xmlns:a="a" xmlns:r="r"><p:cSld><p:spTree>
        <p:sp><p:nvSpPr><p:nvPr><p:ph type="title"/></p:nvPr></p:nvSpPr><p:txBody><a:p><a:r><a:t>Ducks</a:t></a:r></a:p></p:txBody></p:sp>
        <p:grpSp><p:grpSp><p:sp><p:txBody><a:p><a:pPr lvl="1"/><a:r><a:t>swim</a:t></a:r></a:p></p:txBody></p:sp></p:grpSp></p:grpSp>
        <p:graphicFrame><a:graphic><a:graphicData><c:chart r:id="c1"/></a:graphicData></a:graphic></p:graphicFrame>
        </p:spTree></p:cSld></p:sld>"#;
    let bytes = package(&[
        (
            "ppt/presentation.xml",
            r#"<p:presentation><p:sldIdLst><p:sldId id="256" r:id="s1"/></p:sldIdLst></p:presentation>"#,
        ),
        ("ppt/_rels/presentation.xml.rels", r#"<R><r Id="s1" Type="t/slide" Target="slides/slide1.xml"/></R>"#),
        ("ppt/slides/slide1.xml", slide),
        (
            "ppt/slides/_rels/slide1.xml.rels",
            r#"<R><r Id="c1" Type="t/chart" Target="../charts/c.xml"/><r Id="n" Type="t/notesSlide" Target="../notes/n.xml"/></R>"#,
        ),
        (
            "ppt/charts/c.xml",
            r#"<c:s><c:chart><c:plot><c:ser><c:tx><c:v>seen</c:v></c:tx><c:cat><c:pt idx="0"><c:v>2022</c:v></c:pt></c:cat>
               <c:val><c:pt idx="0"><c:v>175</c:v></c:pt></c:val></c:ser></c:plot></c:chart></c:s>"#,
        ),
        (
            "ppt/notes/n.xml",
            "<p:notes><p:sp><p:txBody><a:p><a:r><a:t>Say hello.</a:t></a:r></a:p></p:txBody></p:sp></p:notes>",
        ),
    ]);
    let document = crate::parse(&bytes, "d.pptx", None).unwrap();
    assert_eq!(
        shown(&document),
        [
            (Role::Heading(1), "Ducks"),
            (Role::Item, "- swim"),
            (Role::Row, "| seen"),
            (Role::Row, "2022 | 175"),
            (Role::Note, "Say hello."),
        ]
    );
    assert!(document.blocks.iter().all(|block| block.page == Some(1)));
    assert_eq!(document.pages, Some(1));
}

#[test]
fn bombs_and_towers_end_as_limits() {
    let tower = format!("<a>{}{}</a>", "<b>".repeat(100_000), "</b>".repeat(100_000));
    let bytes = package(&[("word/document.xml", &tower)]);
    assert!(matches!(crate::parse(&bytes, "x.docx", None), Err(Failure::Limit(_))));

    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file("word/document.xml", zip::write::SimpleFileOptions::default()).unwrap();
    for _ in 0..=UNPACKED / (1 << 20) {
        writer.write_all(&[b' '; 1 << 20]).unwrap();
    }
    let bytes = writer.finish().unwrap().into_inner();
    assert!(bytes.len() < 1 << 20);
    assert!(matches!(crate::parse(&bytes, "x.docx", None), Err(Failure::Limit(_))));
}

#[test]
fn paths_stay_inside() {
    assert_eq!(resolve("ppt/slides", "../charts/c.xml"), "ppt/charts/c.xml");
    assert_eq!(resolve("a", "../../../etc/passwd"), "etc/passwd");
}

#[test]
fn documents_that_are_one_xml_file_are_read() {
    let head = |program| format!("<?xml version=\"1.0\"?>\n<?mso-application progid=\"{program}\"?>\n");
    let word = head("Word.Document")
        + r#"<w:wordDocument xmlns:w="w" xmlns:wx="x"><w:styles><w:style w:styleId="s"><w:name w:val="heading 2"/></w:style></w:styles>
        <w:docPr><w:x>no</w:x></w:docPr><w:body><wx:sect><w:p><w:pPr><w:pStyle w:val="s"/></w:pPr><w:r><w:t>Birds</w:t></w:r></w:p>
        <w:p><w:r><w:t>fly</w:t></w:r><w:r><w:pict><w:binData>QUJD</w:binData></w:pict></w:r></w:p></wx:sect></w:body></w:wordDocument>"#;
    let document = crate::parse(word.as_bytes(), "a.doc", None).unwrap();
    assert_eq!(shown(&document), [(Role::Heading(2), "Birds"), (Role::Paragraph, "fly")]);

    let package = head("Word.Document")
        + r#"<pkg:package xmlns:pkg="p" xmlns:w="w"><pkg:part pkg:name="/word/document.xml"><pkg:xmlData>
        <w:document><w:body><w:p><w:r><w:t>packed</w:t></w:r></w:p></w:body></w:document></pkg:xmlData></pkg:part></pkg:package>"#;
    assert_eq!(crate::parse(package.as_bytes(), "a.xml", None).unwrap().text(), "packed");

    let excel = head("Excel.Sheet")
        + r#"<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" xmlns:ss="s"><Worksheet ss:Name="Seen"><Table>
        <Row><Cell><Data ss:Type="String">bird</Data></Cell><Cell ss:Index="3"><Data ss:Type="Number">7</Data></Cell></Row>
        </Table></Worksheet></Workbook>"#;
    let document = crate::parse(excel.as_bytes(), "a.xls", None).unwrap();
    assert_eq!(shown(&document), [(Role::Heading(1), "Seen"), (Role::Row, "bird |  | 7")]);
    assert_eq!(document.pages, Some(1));
}

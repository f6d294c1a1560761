use crate::office::tests::package;
use crate::{Document, Role};

fn book(sheet: &str) -> Document {
    let bytes = package(&[
        (
            "[Content_Types].xml",
            r#"<Types><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>"#,
        ),
        (
            "_rels/.rels",
            r#"<Relationships><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#,
        ),
        (
            "xl/workbook.xml",
            r#"<workbook xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Stock" sheetId="1" r:id="r1"/></sheets></workbook>"#,
        ),
        (
            "xl/_rels/workbook.xml.rels",
            r#"<Relationships><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#,
        ),
        ("xl/worksheets/sheet1.xml", &format!("<worksheet><sheetData>{sheet}</sheetData></worksheet>")),
    ]);
    crate::parse(&bytes, "stock.xlsx", None).unwrap()
}

fn shown(document: &Document) -> Vec<(Role, &str)> {
    document.blocks.iter().map(|block| (block.role, block.text.as_str())).collect()
}

#[test]
fn a_stray_cell_at_the_far_end_costs_a_row() {
    let document = book(
        r#"<row r="1"><c r="A1" t="str"><v>near</v></c></row>
           <row r="1048576"><c r="XFD1048576" t="str"><v>far</v></c></row>"#,
    );
    assert_eq!(shown(&document), [(Role::Heading(1), "Stock"), (Role::Row, "near"), (Role::Row, "| far")]);
}

#[test]
fn empty_cells_hold_their_columns_place() {
    let document = book(
        r#"<row r="2"><c r="B2" t="str"><v>item</v></c><c r="C2" t="str"><v>left</v></c><c r="D2" t="str"><v>price</v></c></row>
           <row r="4"><c r="D4"><v>2.5</v></c><c r="B4" t="str"><v>bolt</v></c><c r="F4"/></row>"#,
    );
    assert_eq!(
        shown(&document),
        [(Role::Heading(1), "Stock"), (Role::Row, "item | left | price"), (Role::Row, "bolt |  | 2.5")]
    );
}

#[test]
fn what_cannot_be_read_says_why_for_its_own_kind() {
    let mut old = vec![0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];
    old.resize(2048, 0xff);
    let Err(crate::Failure::Damaged(reason)) = super::parse(&old) else { panic!("it is damaged") };
    assert!(!reason.contains("Cannot detect"), "{reason}");
}

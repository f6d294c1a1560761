//! Office documents of 2003 as one XML file, mostly under the names of the binary formats.

use super::docx;
use super::xml::{self, Element};
use crate::{Document, Failure, Role, workbook};

/// Reads a document of Word or Excel.
pub(crate) fn parse(bytes: &[u8]) -> Result<Document, Failure> {
    let root = xml::parse(bytes)?;
    Ok(match root.name() {
        "Workbook" => sheets(&root),
        _ => docx::flat(&root),
    })
}

fn sheets(root: &Element) -> Document {
    let mut document = Document::default();
    let mut pages = 0;
    for sheet in root.elements().filter(|element| element.name() == "Worksheet") {
        pages += 1;
        let name = sheet.attribute("Name").unwrap_or_default();
        document.attribute("sheet", name);
        document.push(Role::Heading(1), name, Some(pages));
        let rows = sheet.child("Table").into_iter().flat_map(Element::elements);
        for (row, element) in rows.filter(|element| element.name() == "Row").enumerate() {
            document.push(Role::Row, workbook::joined(&cells(element, row as u32), 1), Some(pages));
        }
    }
    document.pages = Some(pages);
    document
}

/// A row's cells; where some are left out, the next says which it is.
fn cells(row: &Element, number: u32) -> Vec<workbook::Cell> {
    let mut column = 0;
    let mut cells = Vec::new();
    for cell in row.elements().filter(|element| element.name() == "Cell") {
        let own = cell.attribute("Index").and_then(|index| index.parse().ok());
        column = own.unwrap_or(column + 1);
        let text = cell.child("Data").map(Element::text).unwrap_or_default();
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if !text.is_empty() {
            cells.push((number, column, text));
        }
    }
    cells
}

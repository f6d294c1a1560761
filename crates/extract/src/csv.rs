//! Records with a separator (RFC 4180), whatever the separator.

use crate::charset;
use crate::{Document, Failure, Role};

/// A table with a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The header.
    pub columns: Vec<String>,
    /// The records below it, each as long as it is written: a ragged one is shorter or longer than the header.
    pub rows: Vec<Vec<String>>,
    separator: u8,
    charset: String,
}

/// Cells that a file may have: each takes some forty bytes, however little stands in it.
const CELLS: usize = 4_000_000;

/// Reads a file of records; its first line is the header. Blank lines are skipped.
pub fn records(bytes: &[u8], charset: Option<&str>) -> Result<Table, Failure> {
    let read = charset::decode(bytes, charset);
    let separator = separator(&read.text);
    let (mut lines, mut count) = (Vec::new(), 0);
    for record in reader(&read.text, separator).records() {
        let record = record.map_err(|error| Failure::Damaged(error.to_string()))?;
        count += record.len();
        if count > CELLS {
            return Err(Failure::Limit(format!("it has more than {CELLS} cells")));
        }
        let cells: Vec<String> = record.iter().map(|cell| cell.trim().to_owned()).collect();
        if cells.iter().any(|cell| !cell.is_empty()) {
            lines.push(cells);
        }
    }
    let mut lines = lines.into_iter();
    let columns = lines.next().unwrap_or_default();
    Ok(Table { columns, rows: lines.collect(), separator, charset: read.charset })
}

/// Reads a file of records as a document: a block a record.
pub(crate) fn parse(bytes: &[u8], charset: Option<&str>) -> Result<Document, Failure> {
    let table = records(bytes, charset)?;
    let mut document = Document::default();
    document.attribute("charset", table.charset.as_str());
    document.attribute("columns", table.columns.len().to_string());
    let mut ragged = Vec::new();
    for (number, row) in std::iter::once(&table.columns).chain(&table.rows).enumerate() {
        if row.len() != table.columns.len() {
            ragged.push(number + 1);
        }
        let cells: Vec<String> = row.iter().map(|cell| cell.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        // One column of long text is prose in a table's clothes; its lines count.
        document.push(Role::Row, cells.join(" | "), None);
    }
    if let [first, ..] = ragged.as_slice() {
        let others = if ragged.len() > 1 { format!(" and {} others", ragged.len() - 1) } else { String::new() };
        document.warnings.push(format!("record {first}{others}: not as many cells as the header"));
    }
    if table.separator != b',' {
        document.attribute(
            "separator",
            if table.separator == b'\t' { "tab".to_owned() } else { (table.separator as char).to_string() },
        );
    }
    Ok(document)
}

fn reader(text: &str, separator: u8) -> ::csv::Reader<&[u8]> {
    ::csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(separator).from_reader(text.as_bytes())
}

/// The separator with which most records have as many cells as the header, and more than one.
fn separator(text: &str) -> u8 {
    let mut end = text.len().min(64 * 1024);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let head = &text[..end];
    let mut best = (b',', 0.0);
    for separator in [b',', b';', b'\t', b'|'] {
        let widths: Vec<usize> =
            reader(head, separator).records().take(200).filter_map(|record| Some(record.ok()?.len())).collect();
        let Some(columns) = widths.first().copied() else { continue };
        if columns < 2 {
            continue;
        }
        let alike = widths.iter().filter(|width| **width == columns).count() as f64 / widths.len() as f64;
        // A tie goes to the one that divides more: a decimal comma agrees with itself as well.
        let score = alike + columns.min(50) as f64 / 1000.0;
        if score > best.1 {
            best = (separator, score);
        }
    }
    best.0
}

#[cfg(test)]
mod tests;

//! Workbooks: a heading a sheet, a row a row.

use std::io::{Cursor, Read, Seek};

use calamine::{Data, ExcelDateTime, Ods, Reader, Sheets, Xls, Xlsb, Xlsx, XlsxError};

use crate::{Document, Failure, Role};

/// A longer run of empty cells holds no column's place.
const GAP: u32 = 64;

#[cfg(test)]
mod tests;

/// Reads a workbook.
pub(crate) fn parse(bytes: &[u8]) -> Result<Document, Failure> {
    let mut book = open(bytes).map_err(|error| {
        let reason = error.to_string();
        if reason.to_ascii_lowercase().contains("password") { Failure::Protected } else { Failure::Damaged(reason) }
    })?;
    let mut document = Document::default();
    let mut pages = 0;
    for name in book.sheet_names() {
        pages += 1;
        document.attribute("sheet", name.as_str());
        let cells = match cells(&mut book, &name) {
            Ok(cells) => cells,
            Err(error) => {
                document.warnings.push(format!("sheet {name}: {error}"));
                continue;
            }
        };
        if !cells.is_empty() {
            document.push(Role::Heading(1), &name, Some(pages));
        }
        let left = cells.iter().map(|(_, column, _)| *column).min().unwrap_or(0);
        for row in cells.chunk_by(|one, other| one.0 == other.0) {
            document.push(Role::Row, joined(row, left), Some(pages));
        }
    }
    document.pages = Some(pages);
    Ok(document)
}

/// Opens a workbook as what it is: trying every kind in turn would lose the reason for which its own cannot be read.
fn open(bytes: &[u8]) -> Result<Sheets<Cursor<&[u8]>>, calamine::Error> {
    let has = |part: &[u8]| memchr::memmem::find(bytes, part).is_some();
    let input = Cursor::new(bytes);
    Ok(if !bytes.starts_with(b"PK") {
        Sheets::Xls(Xls::new(input)?)
    } else if has(b"xl/workbook.bin") {
        Sheets::Xlsb(Xlsb::new(input)?)
    } else if has(b"application/vnd.oasis.opendocument.spreadsheet") {
        Sheets::Ods(Ods::new(input)?)
    } else {
        Sheets::Xlsx(Xlsx::new(input)?)
    })
}

/// Row, column and text.
pub(crate) type Cell = (u32, u32, String);

/// The cells that hold something, row by row. A sheet with one cell at its far end is no table of 17 billion.
fn cells<R: Read + Seek>(book: &mut Sheets<R>, name: &str) -> Result<Vec<Cell>, calamine::Error> {
    let mut cells: Vec<Cell> = Vec::new();
    let mut add = |(row, column): (u32, u32), data: &Data| {
        let text = cell(data);
        if !text.is_empty() {
            cells.push((row, column, text));
        }
    };
    match book {
        Sheets::Xlsx(book) => match book.worksheet_cells_reader(name) {
            Ok(mut reader) => {
                while let Some(cell) = reader.next_cell()? {
                    add(cell.get_position(), &cell.get_value().clone().into());
                }
            }
            // A sheet that is one chart.
            Err(XlsxError::NotAWorksheet(_)) => {}
            Err(error) => return Err(error.into()),
        },
        Sheets::Xlsb(book) => {
            let mut reader = book.worksheet_cells_reader(name)?;
            while let Some(cell) = reader.next_cell()? {
                add(cell.get_position(), &cell.get_value().clone().into());
            }
        }
        // Old sheets have 65,536 rows of 256 cells at most.
        Sheets::Xls(_) | Sheets::Ods(_) => {
            let range = book.worksheet_range(name)?;
            let (top, left) = range.start().unwrap_or_default();
            for (row, column, data) in range.used_cells() {
                add((top + row as u32, left + column as u32), data);
            }
        }
    }
    // Writers may give them in any order; the last of one place holds.
    cells.sort_by_key(|(row, column, _)| (*row, *column));
    Ok(cells)
}

/// A row's cells, empty ones in their places: a column's cells stand behind as many signs in every row.
pub(crate) fn joined(row: &[Cell], left: u32) -> String {
    let mut out = String::new();
    let mut at = left;
    for (place, (_, column, text)) in row.iter().enumerate() {
        if row.get(place + 1).is_some_and(|next| next.1 == *column) {
            continue;
        }
        let empty = column.saturating_sub(at);
        // Far away it is no part of the table.
        for _ in 0..if empty > GAP { 1 } else { empty } {
            out.push_str(" | ");
        }
        out.push_str(text);
        at = *column;
    }
    out
}

fn cell(data: &Data) -> String {
    match data {
        Data::Empty => String::new(),
        Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => {
            text.split_whitespace().collect::<Vec<_>>().join(" ")
        }
        Data::Int(number) => number.to_string(),
        Data::Float(number) => float(*number),
        Data::Bool(value) => if *value { "TRUE" } else { "FALSE" }.to_owned(),
        Data::DateTime(time) => moment(time),
        Data::Error(error) => error.to_string(),
    }
}

/// A number as people see it: 13 and not 13.0, and fifteen digits, which is all that a spreadsheet keeps.
fn float(number: f64) -> String {
    let rounded: f64 = format!("{number:.14e}").parse().unwrap_or(number);
    rounded.to_string()
}

fn moment(time: &ExcelDateTime) -> String {
    if time.is_duration() {
        let seconds = (time.as_f64() * 86_400.0).round() as i64;
        return format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    }
    let (year, month, day, hour, minute, second, _) = time.to_ymd_hms_milli();
    let clock = format!("{hour:02}:{minute:02}:{second:02}");
    match (time.as_f64() < 1.0, clock.as_str()) {
        (true, _) => clock,
        (false, "00:00:00") => format!("{year:04}-{month:02}-{day:02}"),
        (false, _) => format!("{year:04}-{month:02}-{day:02} {clock}"),
    }
}

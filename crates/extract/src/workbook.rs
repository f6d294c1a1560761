//! Workbooks: a heading a sheet, a row a row.

use std::io::Cursor;

use calamine::{Data, ExcelDateTime, Reader, open_workbook_auto_from_rs};

use crate::{Document, Failure, Role};

/// Reads a workbook.
pub(crate) fn parse(bytes: &[u8]) -> Result<Document, Failure> {
    let damaged = |error: calamine::Error| {
        let reason = error.to_string();
        if reason.to_ascii_lowercase().contains("password") { Failure::Protected } else { Failure::Damaged(reason) }
    };
    let mut book = open_workbook_auto_from_rs(Cursor::new(bytes)).map_err(damaged)?;
    let mut document = Document::default();
    let mut pages = 0;
    for name in book.sheet_names() {
        pages += 1;
        document.attribute("sheet", name.as_str());
        let range = match book.worksheet_range(&name) {
            Ok(range) => range,
            Err(error) => {
                document.warnings.push(format!("sheet {name}: {error}"));
                continue;
            }
        };
        let mut titled = false;
        for row in range.rows() {
            let mut cells: Vec<String> = row.iter().map(cell).collect();
            while cells.last().is_some_and(String::is_empty) {
                cells.pop();
            }
            if cells.is_empty() {
                continue;
            }
            if !titled {
                document.push(Role::Heading(1), &name, Some(pages));
                titled = true;
            }
            // Cells that no row of the sheet fills are cut off by the range; others hold a column's place.
            document.push(Role::Row, cells.join(" | "), Some(pages));
        }
    }
    document.pages = Some(pages);
    Ok(document)
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

//! What answers look like: tables, sizes, and writing them where nobody may read to the end.

use std::io::{ErrorKind, Write};

#[cfg(test)]
mod tests;

/// Writes an answer to standard output. A reader that has seen enough (`| head`) is no error.
pub fn say(answer: &str) -> Result<(), String> {
    let mut out = std::io::stdout().lock();
    match out.write_all(clean(answer).as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(format!("cannot write the answer: {error}")),
        _ => Ok(()),
    }
}

/// Text without what a terminal would obey: control characters and those that turn the direction of writing are shown as
/// their escapes, which JSON reads as the same characters.
pub fn clean(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        let obeyed = c.is_control() && !matches!(c, '\n' | '\t');
        if obeyed || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
            shown += &format!("\\u{:04x}", u32::from(c));
        } else {
            shown.push(c);
        }
    }
    shown
}

/// [`clean`] text of one line: a name that has line breaks or tabs in it shows them as escapes.
pub fn line(text: &str) -> String {
    clean(text).replace('\n', "\\n").replace('\t', "\\t")
}

/// Columns as wide as their widest cell, two spaces between them, one line a row.
pub fn table<const N: usize>(head: [&str; N], rows: &[[String; N]]) -> String {
    let mut widths = head.map(str::len);
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    let head = head.map(str::to_owned);
    for row in std::iter::once(&head).chain(rows) {
        let mut line = String::new();
        for (width, cell) in widths.iter().zip(row) {
            line += &format!("{cell:<width$}  ");
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
}

/// The same with columns that are known when it runs. After the first `left` of them, numbers stand to the right; so
/// does not the last, which has words.
pub fn columns(head: &[String], rows: &[Vec<String>], left: usize) -> String {
    let mut widths: Vec<usize> = head.iter().map(|cell| cell.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for row in std::iter::once(head).chain(rows.iter().map(Vec::as_slice)) {
        let mut line = String::new();
        for (n, (width, cell)) in widths.iter().zip(row).enumerate() {
            line += &match n < left || n + 1 == head.len() {
                true => format!("{cell:<width$}  "),
                false => format!("{cell:>width$}  "),
            };
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
}

/// `1 file`, `2 files`.
pub fn counted(n: u64, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// `98.36 MB`: as package indexes count, a thousand at a time.
pub fn size(bytes: u64) -> String {
    indicatif::DecimalBytes(bytes).to_string()
}

//! What a file is: by its first bytes, then its name, then what its sender says.

use std::io::Cursor;

use cfb::CompoundFile;

use crate::charset;

/// A format with a parser, or one that is known to have none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Plain text.
    Text,
    /// XML that is no format of its own.
    Xml,
    /// Subtitles: text with times.
    Subtitles,
    /// Markdown.
    Markdown,
    /// A web page.
    Html,
    /// Records with a separator.
    Csv,
    /// A mail.
    Mail,
    /// PDF.
    Pdf,
    /// Word until 2003.
    Doc,
    /// Rich text.
    Rtf,
    /// A document of Word or Excel as one XML file.
    OfficeXml,
    /// Word since 2007.
    Docx,
    /// PowerPoint since 2007.
    Pptx,
    /// A workbook that calamine reads: `.xlsx`, `.xlsb`, `.xls`, `.ods`.
    Workbook,
    /// An Office container that a password locks.
    Locked,
    /// Anything else.
    Unknown,
}

const ZIP: &[u8] = b"PK\x03\x04";
const RTF: &[u8] = b"{\\rtf";
const OLE: &[u8] = &[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];

/// Tells the format of a file. Magic bytes beat the name, the name beats the media type: names are wrong more often
/// than bytes, and uploads by programs say `application/octet-stream` of everything.
pub fn detect(bytes: &[u8], name: &str, mime: Option<&str>) -> Format {
    let start = &bytes[..bytes.len().min(1024)];
    if start.windows(5).any(|window| window == b"%PDF-") {
        return Format::Pdf;
    }
    if bytes.starts_with(ZIP) {
        return zip(bytes, name);
    }
    if bytes.starts_with(OLE) {
        return ole(bytes, name);
    }
    if bytes.starts_with(RTF) {
        return Format::Rtf;
    }
    if is_office_xml(start) {
        return Format::OfficeXml;
    }
    let named = by_name(name).or_else(|| mime.and_then(by_mime));
    if !charset::is_text(bytes) {
        return Format::Unknown;
    }
    match named {
        Some(
            format @ (Format::Text
            | Format::Markdown
            | Format::Html
            | Format::Csv
            | Format::Mail
            | Format::Xml
            | Format::Subtitles),
        ) => format,
        // Text under the name of an old Office format is an old habit of exporting programs.
        Some(format @ (Format::Doc | Format::Workbook)) => exported(start, format),
        _ if looks_like_html(start) => Format::Html,
        Some(_) => Format::Unknown,
        None if has_extension(name) && mime.is_none_or(|mime| mime == "application/octet-stream") => Format::Unknown,
        None if mime.is_none_or(|mime| mime.starts_with("text/") || mime == "application/octet-stream") => Format::Text,
        None => Format::Unknown,
    }
}

/// The letters and digits behind a name's last dot, in small letters.
pub(crate) fn extension(name: &str) -> Option<String> {
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let (stem, extension) = name.rsplit_once('.')?;
    let plain = !stem.is_empty() && (1..=10).contains(&extension.len());
    (plain && extension.chars().all(|c| c.is_ascii_alphanumeric())).then(|| extension.to_ascii_lowercase())
}

fn has_extension(name: &str) -> bool {
    extension(name).is_some()
}

fn by_name(name: &str) -> Option<Format> {
    Some(match extension(name)?.as_str() {
        "txt" | "text" | "log" | "rst" | "rest" | "adoc" | "asciidoc" | "org" | "tex" | "bib" | "textile" | "wiki"
        | "mediawiki" | "pod" | "rdoc" | "diff" | "patch" => Format::Text,
        "json" | "jsonl" | "ndjson" | "yaml" | "yml" | "toml" | "ini" | "cfg" | "conf" | "properties" | "sql"
        | "py" | "pyi" | "rs" | "js" | "mjs" | "cjs" | "ts" | "tsx" | "jsx" | "vue" | "svelte" | "java" | "kt"
        | "kts" | "go" | "c" | "h" | "cc" | "cpp" | "hpp" | "cs" | "rb" | "php" | "swift" | "scala" | "groovy"
        | "gradle" | "dart" | "zig" | "hs" | "ml" | "ex" | "exs" | "erl" | "clj" | "pl" | "pm" | "sh" | "bash"
        | "zsh" | "fish" | "bat" | "ps1" | "r" | "lua" | "proto" | "graphql" | "tf" | "hcl" | "nix" | "css"
        | "scss" => Format::Text,
        "xml" => Format::Xml,
        "vtt" | "srt" => Format::Subtitles,
        "md" | "markdown" | "mdown" | "mkd" | "mdx" | "rmd" | "qmd" => Format::Markdown,
        "html" | "htm" | "xhtml" => Format::Html,
        "csv" | "tsv" | "tab" => Format::Csv,
        "eml" => Format::Mail,
        "pdf" => Format::Pdf,
        "doc" | "dot" => Format::Doc,
        "rtf" => Format::Rtf,
        "docx" | "docm" | "dotx" => Format::Docx,
        "pptx" | "pptm" | "ppsx" | "potx" => Format::Pptx,
        "xlsx" | "xlsm" | "xlsb" | "xls" | "ods" => Format::Workbook,
        _ => return None,
    })
}

fn by_mime(mime: &str) -> Option<Format> {
    let mime = mime.split(';').next().unwrap_or(mime).trim().to_ascii_lowercase();
    Some(match mime.as_str() {
        "text/plain" | "application/json" => Format::Text,
        "application/xml" | "text/xml" => Format::Xml,
        "text/vtt" => Format::Subtitles,
        "text/markdown" | "text/x-markdown" => Format::Markdown,
        "text/html" | "application/xhtml+xml" => Format::Html,
        "text/csv" | "text/tab-separated-values" => Format::Csv,
        "message/rfc822" => Format::Mail,
        "application/pdf" => Format::Pdf,
        "application/msword" => Format::Doc,
        "application/rtf" | "text/rtf" => Format::Rtf,
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => Format::Docx,
        "application/vnd.openxmlformats-officedocument.presentationml.presentation" => Format::Pptx,
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" | "application/vnd.ms-excel" => {
            Format::Workbook
        }
        _ => return None,
    })
}

/// Office files are ZIPs; which, the names of their parts say. They stand in the central directory, uncompressed.
fn zip(bytes: &[u8], name: &str) -> Format {
    let has = |part: &[u8]| memchr_find(bytes, part);
    if has(b"word/document") {
        Format::Docx
    } else if has(b"ppt/presentation.xml") {
        Format::Pptx
    } else if has(b"xl/workbook.") || has(b"application/vnd.oasis.opendocument.spreadsheet") {
        Format::Workbook
    } else {
        // An odd package under a known name fails in its parser with a reason that says more.
        match by_name(name) {
            Some(format @ (Format::Docx | Format::Pptx | Format::Workbook)) => format,
            _ => Format::Unknown,
        }
    }
}

/// OLE containers hold old Office formats and locked new ones; their directory names its streams. Documents inside of
/// documents have streams of the same names, in storages of their own.
fn ole(bytes: &[u8], name: &str) -> Format {
    match CompoundFile::open(Cursor::new(bytes)) {
        Ok(container) => by_streams(|stream| container.is_stream(stream)),
        Err(_) => {
            // Its own parser says what is damaged, or overcomes it.
            let wide = |stream: &str| stream.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
            match by_streams(|stream| memchr_find(bytes, &wide(stream))) {
                Format::Unknown => by_name(name).filter(|format| *format == Format::Doc).unwrap_or(Format::Unknown),
                format => format,
            }
        }
    }
}

fn by_streams(has: impl Fn(&str) -> bool) -> Format {
    if has("EncryptedPackage") || has("EncryptionInfo") {
        Format::Locked
    } else if has("WordDocument") {
        Format::Doc
    } else if has("Workbook") || has("Book") {
        Format::Workbook
    } else {
        Format::Unknown
    }
}

fn memchr_find(bytes: &[u8], needle: &[u8]) -> bool {
    memchr::memmem::find(bytes, needle).is_some()
}

fn looks_like_html(start: &[u8]) -> bool {
    let start = beginning(start);
    start.starts_with("<!doctype html") || start.starts_with("<html")
}

/// The first characters, in small letters.
fn beginning(start: &[u8]) -> String {
    let text = charset::decode(start, None).text;
    text.trim_start().to_lowercase()
}

/// What text is that bears the name of an old Office format: pages, mails that hold one, tables, or nothing but text.
fn exported(start: &[u8], name: Format) -> Format {
    let start = beginning(start);
    if start.starts_with("mime-version:") {
        Format::Mail
    } else if start.starts_with("<?xml") && !start.contains("<html") {
        Format::Xml
    } else if start.starts_with('<') {
        Format::Html
    } else if name == Format::Workbook {
        Format::Csv
    } else {
        Format::Text
    }
}

/// Whether its first lines say that Word or Excel opens it.
fn is_office_xml(start: &[u8]) -> bool {
    let start = beginning(start);
    let programs = ["progid=\"word.document\"", "progid=\"excel.sheet\""];
    start.starts_with("<?xml")
        && (programs.iter().any(|program| start.contains(program))
            || start.contains("urn:schemas-microsoft-com:office:spreadsheet\"") && start.contains("<workbook"))
}

#[cfg(test)]
mod tests;

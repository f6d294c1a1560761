use super::*;

#[test]
fn bytes_beat_names_and_names_beat_senders() {
    let octets = Some("application/octet-stream");
    for (bytes, name, mime, format) in [
        (&b"%PDF-1.7\n"[..], "report.txt", None, Format::Pdf),
        (b"junk\n%PDF-1.4", "x", None, Format::Pdf),
        (b"plain words", "notes.txt", octets, Format::Text),
        (b"plain words", "notes", None, Format::Text),
        (b"plain words", "notes", Some("text/plain; charset=utf-8"), Format::Text),
        (b"# T", "README.md", Some("text/plain"), Format::Markdown),
        (b"a,b", "path.d/table.CSV", None, Format::Csv),
        (b"Subject: x\n\ny", "m.eml", None, Format::Mail),
        (b"<!DOCTYPE html><p>x", "page", None, Format::Html),
        (b"<html><p>x", "old.xls", None, Format::Html),
        (b"words", "data.xyz", None, Format::Unknown),
        (b"words", "data.xyz", Some("text/plain"), Format::Text),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "photo.png", None, Format::Unknown),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "photo.txt", None, Format::Unknown),
        (b"", "empty.txt", None, Format::Text),
        (b"PK\x03\x04 word/document.xml", "x.zip", None, Format::Docx),
        (b"PK\x03\x04 nothing", "x.zip", None, Format::Unknown),
    ] {
        assert_eq!(detect(bytes, name, mime), format, "{name} {mime:?}");
    }
}

#[test]
fn old_and_locked_office_files_are_told_apart() {
    let stream = |name: &str| {
        let mut bytes = OLE.to_vec();
        bytes.extend(name.encode_utf16().flat_map(u16::to_le_bytes));
        bytes
    };
    assert_eq!(detect(&stream("EncryptedPackage"), "a.xlsx", None), Format::Locked);
    assert_eq!(detect(&stream("Workbook"), "a.xls", None), Format::Workbook);
    assert_eq!(detect(&stream("WordDocument"), "a.doc", None), Format::Unknown);
}

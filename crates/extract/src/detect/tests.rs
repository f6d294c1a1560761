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
        (b"Title\n=====", "guide.rst", octets, Format::Text),
        (b"{}", "table.json", None, Format::Text),
        (b"\\section{One}", "paper.tex", None, Format::Text),
        (b"words", "Main.hs", None, Format::Text),
        (b"# T", "report.qmd", None, Format::Markdown),
        (b"\0\x01\x02", "main.log", None, Format::Unknown),
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
    let file = |streams: &[(&str, &[u8])]| crate::word::tests::container(streams);
    assert_eq!(detect(&file(&[("EncryptedPackage", b"x")]), "a.xlsx", None), Format::Locked);
    assert_eq!(detect(&file(&[("Workbook", b"x")]), "a.doc", None), Format::Workbook);
    assert_eq!(detect(&file(&[("WordDocument", b"x")]), "a", None), Format::Doc);
    assert_eq!(detect(&file(&[("PowerPoint Document", b"x")]), "a.ppt", None), Format::Unknown);
    // A sheet in a letter, and a letter in a sheet.
    assert_eq!(detect(&file(&[("WordDocument", b"x"), ("Embedded/Workbook", b"x")]), "a", None), Format::Doc);
    assert_eq!(detect(&file(&[("Workbook", b"x"), ("Embedded/WordDocument", b"x")]), "a", None), Format::Workbook);
    // Where the directory cannot be read, names count; their parsers say what is damaged.
    let mut torn = OLE.to_vec();
    assert_eq!(detect(&torn, "a.doc", None), Format::Doc);
    assert_eq!(detect(&torn, "a.ppt", None), Format::Unknown);
    torn.extend("Workbook".encode_utf16().flat_map(u16::to_le_bytes));
    assert_eq!(detect(&torn, "a", None), Format::Workbook);
}

#[test]
fn text_under_the_name_of_an_old_format_is_what_it_is() {
    for (bytes, name, format) in [
        (&b"{\\rtf1 x}"[..], "a.doc", Format::Rtf),
        (b"{\\rtf1 x}", "a.txt", Format::Rtf),
        (b"\xef\xbb\xbf<html xmlns:o=\"x\">x", "a.doc", Format::Html),
        (b"<head><title>x", "a.doc", Format::Html),
        (b"<table border=1><tr><td>x", "a.xls", Format::Html),
        (b"<?xml version=\"1.0\"?><html>x", "a.xls", Format::Html),
        (b"MIME-Version: 1.0\nContent-Type: multipart/related\n\nx", "a.doc", Format::Mail),
        (b"a\tb\n1\t2\n", "a.xls", Format::Csv),
        (b"plain words", "a.doc", Format::Text),
        (b"plain words", "a.docx", Format::Unknown),
        (b"<?xml version=\"1.0\"?><a>x</a>", "a.doc", Format::Xml),
        (b"<?xml version=\"1.0\"?>\n<?mso-application progid=\"Word.Document\"?><x>", "a.xml", Format::OfficeXml),
        (
            b"<?xml version=\"1.0\"?><Workbook xmlns=\"urn:schemas-microsoft-com:office:spreadsheet\"><x>",
            "a.xls",
            Format::OfficeXml,
        ),
    ] {
        assert_eq!(detect(bytes, name, None), format, "{name} {}", String::from_utf8_lossy(bytes));
    }
}

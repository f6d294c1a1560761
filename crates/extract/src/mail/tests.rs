use super::*;

const MAIL: &str = "From: Ann Example <ann@example.com>\r\nTo: bob@example.com\r\nSubject: =?utf-8?q?Sch=C3=B6n?=\r\n\
    Date: Tue, 01 Oct 2024 12:34:56 -0500\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n\
    --x\r\nContent-Type: multipart/alternative; boundary=y\r\n\r\n--y\r\nContent-Type: text/plain\r\n\r\nRoses are red.\r\n\
    --y\r\nContent-Type: text/html\r\n\r\n<p>Roses are red.</p>\r\n--y--\r\n\
    --x\r\nContent-Type: text/csv; name=\"t.csv\"\r\nContent-Disposition: attachment; filename=\"t.csv\"\r\n\r\na,b\r\n1,2\r\n\
    --x\r\nContent-Type: message/rfc822\r\n\r\nFrom: carl@example.com\r\nSubject: Inner\r\n\r\nDeep words.\r\n--x--\r\n";

#[test]
fn headers_one_alternative_attachments_and_inner_mails() {
    let document = parse(MAIL.as_bytes(), 0).unwrap();
    let text = document.text();
    assert_eq!(document.says("subject"), Some("Schön"));
    assert_eq!(document.says("from"), Some("Ann Example <ann@example.com>"));
    assert_eq!(document.says("attachment"), Some("t.csv"));
    assert_eq!(text.matches("Roses are red.").count(), 1);
    assert!(text.contains("Attachment t.csv\n\na | b\n1 | 2"), "{text}");
    assert!(text.contains("Inner\n\nFrom: carl@example.com\n\nDeep words."), "{text}");
}

#[test]
fn a_mail_saved_as_wide_text_is_read() {
    let wide: Vec<u8> = "\u{feff}".encode_utf16().chain(MAIL.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    assert_eq!(parse(&wide, 0).unwrap().text(), parse(MAIL.as_bytes(), 0).unwrap().text());
}

#[test]
fn what_has_no_headers_is_no_mail() {
    assert!(matches!(parse(b"", 0), Err(Failure::Damaged(_))));
}

#[test]
fn wide_text_without_a_mark_and_other_character_sets_are_read() {
    let wide: Vec<u8> = MAIL.encode_utf16().flat_map(u16::to_be_bytes).collect();
    assert_eq!(parse(&wide, 0).unwrap().text(), parse(MAIL.as_bytes(), 0).unwrap().text());
    let mut korean = b"Subject: Korean\r\nContent-Type: text/plain; charset=euc-kr\r\n\r\n".to_vec();
    korean.extend(encoding_rs::EUC_KR.encode("제 이름은 다나").0.iter());
    assert!(parse(&korean, 0).unwrap().text().ends_with("제 이름은 다나"));
}

#[test]
fn a_mail_written_as_a_page_is_read_whole() {
    let mail = "Subject: News\r\nContent-Type: text/html\r\n\r\n<p>Dear reader, here is the news of this week.</p>\
        <footer>Call us: 555 0100.</footer>";
    assert!(parse(mail.as_bytes(), 0).unwrap().text().contains("Call us: 555 0100."));
}

#[test]
fn lines_may_end_as_on_old_macintoshes() {
    let mail = b"Subject: Ducks\rContent-Type: multipart/mixed; boundary=x\r\r--x\r\rThey swim.\r--x--\r";
    assert_eq!(crate::parse(mail, "m.eml", None).unwrap().text(), "Ducks\n\nThey swim.");
}

use super::*;

fn texts(document: &Document) -> Vec<&str> {
    document.blocks.iter().map(|block| block.text.as_str()).collect()
}

#[test]
fn empty_lines_divide_paragraphs() {
    let document = parse(b"\n\nOne\nline\r\n \nTwo\n\n\nThree", None);
    assert_eq!(texts(&document), ["One\nline", "Two", "Three"]);
    assert_eq!(document.text(), "One\nline\n\nTwo\n\nThree");
    assert_eq!(document.says("charset"), Some("utf-8"));
    assert!(parse(b" \n\t\n", None).blocks.is_empty());
}

#[test]
fn subtitles_keep_what_is_said() {
    let vtt = b"WEBVTT\n\nintro\n00:01.000 --> 00:04.000 align:start\nNever drink\nliquid nitrogen.\n\n2\n00:05 --> 00:09\nIt spills.";
    assert_eq!(texts(&subtitles(vtt, None)), ["Never drink liquid nitrogen.", "It spills."]);
}

#[test]
fn xml_is_read_without_its_tags() {
    let source = "<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]><!-- no -->\n<manual id='7'>\n  <title>Pumps &amp; valves</title>\n  \
        <para>Turn the <b><i>red</i></b> valve\n    to 5&#176;.</para><para>Then <![CDATA[a < b]]> wait.</para>\n</manual>\n";
    let document = crate::parse(source.as_bytes(), "manual.xml", None).unwrap();
    let texts: Vec<&str> = document.blocks.iter().map(|block| block.text.as_str()).collect();
    assert_eq!(texts, ["Pumps & valves", "Turn the red valve to 5°.", "Then a < b wait."]);
    let broken = crate::parse(b"<a>one</b>", "a.xml", None).unwrap();
    assert_eq!(broken.blocks[0].text, "<a>one</b>");
}

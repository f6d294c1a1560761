use proptest::prelude::*;

use crate::Role::{self, Heading, Item, Note, Paragraph, Row};
use crate::{Document, Failure};

fn read(rtf: &str) -> Document {
    crate::parse(rtf.as_bytes(), "x.rtf", None).unwrap()
}

fn shown(document: &Document) -> Vec<(Role, &str)> {
    document.blocks.iter().map(|block| (block.role, block.text.as_str())).collect()
}

#[test]
fn a_document_keeps_its_structure() {
    let document = read(
        r"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0\fcharset0 Times;}{\f1\fcharset2 Symbol;}}
{\colortbl;\red0\green0\blue0;}{\stylesheet{\s0 Normal;}{\s1\outlinelevel0 \'dcberschrift 1;}{\s2 heading 2;}{\*\cs10 Font;}}
{\info{\title Ducks}{\author An Author}{\operator Nobody}}{\header Head\par}
\pard\s1 Birds\par\pard\s2 \'c4nten\par
\pard They {\deleted cannot }swim\~& {\field{\*\fldinst HYPERLINK x}{\fldrslt fly}}.{\super\chftn}{\footnote\pard A note.}
{\pict\wmetafile8 0123abc}\line Next\-ed{\*\unknown not this}\par
{\listtext\f1\'b7\tab}\pard one\par{\pntext 2.\tab}two\par
\trowd\intbl a\cell b\par c\cell\row\trowd\intbl \cell d\cell\row
\pard between\par\trowd\intbl framed\cell\row\pard{\shp{\*\shpinst{\sp{\sn x}{\sv 7}}{\shptxt boxed\par}}}\'93end\'94\par}",
    );
    assert_eq!(
        shown(&document),
        [
            (Heading(1), "Birds"),
            (Heading(2), "Änten"),
            (Paragraph, "They swim\u{a0}& fly.\nNexted"),
            (Item, "- one"),
            (Item, "2. two"),
            (Row, "a | b c"),
            (Row, "| d"),
            (Paragraph, "between"),
            (Paragraph, "framed"),
            (Paragraph, "“end”"),
            (Paragraph, "boxed"),
            (Note, "Head"),
            (Note, "A note."),
        ]
    );
    assert_eq!(document.title.as_deref(), Some("Ducks"));
    assert_eq!(document.says("author"), Some("An Author"));
}

#[test]
fn characters_have_many_spellings() {
    for (rtf, text) in [
        (r"{\rtf1\ansicpg1251 \'d3\'f2\'ea\'e0}", "Утка"),
        (r"{\rtf1\ansi{\fonttbl{\f3\fcharset128 Mincho;}}\f3 \'8a\'9b\'93c}", "鴨田"),
        (r"{\rtf1\mac caf\'8e}", "café"),
        (r"{\rtf1\u40232?\u-10179 ?\u-8704 ?x}", "鴨😀x"),
        (r"{\rtf1\uc2\u40232\'b0\'a1x{\uc0\u228}y}", "鴨xäy"),
        (r"{\rtf1 a\{b\}\\\emdash\rquote\bin3 }}}c}", "a{b}\\—’c"),
        (r"{\rtf1 a\u8211\'96b}", "a–b"),
        (r"{\rtf1 a\*\cs7 b{\*\cs7 c}}", "ab"),
    ] {
        assert_eq!(read(rtf).text(), text, "{rtf}");
    }
}

#[test]
fn what_is_broken_is_read_as_far_as_it_goes() {
    for (rtf, text) in [(r"{\rtf1 a}}} b", "a b"), (r"{\rtf1 {{a\'z b\", "ab"), ("{\\rtf1 a\\", "a"), ("{\\rtf", "")] {
        assert_eq!(read(rtf).text(), text, "{rtf}");
    }
    let tower = format!("{{\\rtf1 {}", "{".repeat(100_000));
    assert!(matches!(crate::parse(tower.as_bytes(), "x.rtf", None), Err(Failure::Limit(_))));
}

#[test]
fn it_is_told_by_its_bytes() {
    assert_eq!(crate::parse(b"{\\rtf1 words}", "letter.doc", Some("application/msword")).unwrap().text(), "words");
}

proptest! {
    #[test]
    fn any_words_end_in_text(words in prop::collection::vec(prop::sample::select(vec![
        "{", "}", "\\par ", "\\cell ", "\\row ", "\\intbl ", "\\u-1 ", "\\uc9 ", "\\'ff", "\\*", "\\footnote ", "\\shptxt ",
        "\\stylesheet ", "\\s1 ", "\\listtext ", "\\bin99999999999 ", "\\f1 ", "\\fcharset128 ", "x", "é", "\\outlinelevel9 ",
    ]), 0..60)) {
        let read = crate::parse(format!("{{\\rtf1 {}", words.concat()).as_bytes(), "x.rtf", None);
        prop_assert!(read.is_ok(), "{read:?}");
    }
}

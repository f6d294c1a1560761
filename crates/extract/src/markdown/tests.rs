use super::*;

fn blocks(source: &str) -> Vec<(Role, String)> {
    parse(source.as_bytes(), None).blocks.into_iter().map(|block| (block.role, block.text)).collect()
}

fn own(blocks: &[(Role, &str)]) -> Vec<(Role, String)> {
    blocks.iter().map(|(role, text)| (*role, (*text).to_owned())).collect()
}

#[test]
fn structure_is_kept() {
    let source = "---\ntitle: \"Of ducks\"\n---\n# Ducks\n\nA *duck*\nswims [far](http://x).\n\n1. one\n   - deep\n2. two\n\n\
        ```rust\nfn main() {\n}\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nText[^n].\n\n[^n]: Said.\n";
    assert_eq!(
        blocks(source),
        own(&[
            (Role::Heading(1), "Ducks"),
            (Role::Paragraph, "A duck swims far."),
            (Role::Item, "1. one"),
            (Role::Item, "- deep"),
            (Role::Item, "2. two"),
            (Role::Verbatim, "fn main() {\n}"),
            (Role::Row, "a | b"),
            (Role::Row, "1 | 2"),
            (Role::Paragraph, "Text[n]."),
            (Role::Note, "[n] Said."),
        ])
    );
    assert_eq!(parse(source.as_bytes(), None).title.as_deref(), Some("Of ducks"));
}

#[test]
fn loose_items_and_their_paragraphs() {
    assert_eq!(
        blocks("- one\n\n  more of one\n\n- two\n"),
        own(&[(Role::Item, "- one"), (Role::Item, "more of one"), (Role::Item, "- two")])
    );
}

#[test]
fn html_between_markdown_is_read_as_html() {
    assert_eq!(
        blocks("Before.\n\n<ul>\n<li>First</li>\n<li>Second</li>\n</ul>\n\n<!-- not -->\n\nAfter<br>all."),
        own(&[
            (Role::Paragraph, "Before."),
            (Role::Item, "- First"),
            (Role::Item, "- Second"),
            (Role::Paragraph, "After\nall."),
        ])
    );
}

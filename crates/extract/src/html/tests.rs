use super::*;
use crate::Role;

fn read(source: &str) -> Document {
    parse(source.as_bytes(), None)
}

fn shown(document: &Document) -> Vec<(Role, &str)> {
    document.blocks.iter().map(|block| (block.role, block.text.as_str())).collect()
}

const LONG: &str = "Ducks are mostly aquatic birds and may be found in fresh water and in sea water. They are often \
    confused with other water birds of similar shape, such as loons, grebes and coots, which also swim and dive.";

#[test]
fn navigation_is_left_out_and_structure_kept() {
    let source = format!(
        "<!doctype html><title> Ducks </title><meta name=author content=Ann><body>\
         <nav><a href=/>Home</a></nav><div class=menu><ul><li><a>One</a><li><a>Two</a><li><a>Three</a><li><a>Four</a></ul></div>\
         <main><h1>The <em>duck</em></h1><p>{LONG}</p><ul><li>swims<ol start=3><li><p>far</p><li>deep</ol><li>dives</ul>\
         <pre>a\n  b</pre><p>One<br>two<script>no()</script></p><button>Buy</button></main><footer>Imprint</footer>"
    );
    let document = read(&source);
    assert_eq!(
        shown(&document),
        [
            (Role::Heading(1), "The duck"),
            (Role::Paragraph, LONG),
            (Role::Item, "- swims"),
            (Role::Item, "3. far"),
            (Role::Item, "4. deep"),
            (Role::Item, "- dives"),
            (Role::Verbatim, "a\n  b"),
            (Role::Paragraph, "One\ntwo"),
        ]
    );
    assert_eq!(document.title.as_deref(), Some("Ducks"));
    assert_eq!(document.says("author"), Some("Ann"));
}

#[test]
fn a_table_keeps_its_rows_and_a_layout_its_blocks() {
    let document = read(
        "<table><caption>Facts</caption><tr><th>Name<th>Says<tr><td>Mallard<td><ul><li>quack<li>honk</ul></table>\
         <table><tr><td><p>First.</p><p>Second.</p></table>",
    );
    assert_eq!(
        shown(&document),
        [
            (Role::Note, "Facts"),
            (Role::Row, "Name | Says"),
            (Role::Row, "Mallard | quack honk"),
            (Role::Paragraph, "First."),
            (Role::Paragraph, "Second."),
        ]
    );
}

#[test]
fn a_page_of_links_is_read_whole() {
    let document = read("<body><nav><a href=1>Ducks</a></nav><ul><li><a href=2>Geese</a></ul>");
    assert_eq!(shown(&document), [(Role::Item, "- Geese")]);
    let document = read("<body><nav><a href=1>Ducks</a></nav>");
    assert_eq!(shown(&document), [(Role::Paragraph, "Ducks")]);
}

#[test]
fn a_declared_character_set_counts() {
    let mut source = b"<html><head><meta charset=\"ISO-8859-15\"></head><p>15,50 ".to_vec();
    source.push(0xa4);
    assert_eq!(parse(&source, None).text(), "15,50 €");
}

#[test]
fn depth_costs_structure_not_the_stack() {
    let source = format!("{}deep down{}", "<div>".repeat(3000), "</div>".repeat(3000));
    assert_eq!(read(&source).text(), "deep down");
}

#[test]
fn hostile_pages_cost_no_more_than_their_bytes_and_keep_their_text() {
    let million = |tag: &str| tag.repeat(1_000_000 / tag.len());
    let numbered: String = (0..2_000).map(|at| format!("<b id={at}>")).collect();
    for (name, page) in [
        ("open", format!("{}text", million("<div>"))),
        ("closed", format!("{}text{}", "<div>".repeat(90_000), "</div>".repeat(90_000))),
        ("lists", format!("{}text", million("<ul><li>"))),
        ("templates", format!("{}</template>text", million("<template>"))),
        ("behind the body", format!("{}text", million("<div></body>"))),
        ("drawings", format!("{}text", million("<svg><style>"))),
        ("tables", format!("{}text", million("<table><tr><td>"))),
        ("fostered", format!("<table>{}</table>text", million("<i></i>"))),
        ("opened again", format!("{numbered}{}text", million("<p>x"))),
    ] {
        let begun = std::time::Instant::now();
        let document = read(&page);
        let (took, text) = (begun.elapsed(), document.blocks.iter().any(|block| block.text.contains("text")));
        eprintln!("{name}: {took:?}");
        assert!(took.as_secs() < 20, "{name}: {took:?}");
        assert!(text || matches!(name, "templates" | "drawings"), "{name}");
    }
}

#[test]
fn what_stands_too_deep_is_text_and_what_follows_is_whole() {
    let deep = format!("{}<h2>a</h2><p>b<script>no</script>{}", "<div>".repeat(700), "</div>".repeat(700));
    let document = read(&format!("<h1>One</h1>{deep}<h2>Two</h2><p>Three"));
    let shown = shown(&document);
    assert_eq!(shown[0], (Role::Heading(1), "One"));
    assert_eq!(shown[1].1, "a b");
    assert_eq!(shown[2..], [(Role::Heading(2), "Two"), (Role::Paragraph, "Three")]);
}

#[test]
fn what_is_called_a_footer_is_left_out_unless_it_is_the_page() {
    let text = "Ducks swim on the pond, and they dive for what they eat. ".repeat(8);
    let page = format!("<div>{text}</div><div class='site-footer'>Copyright of the pond's keeper.</div>");
    assert_eq!(crate::parse(page.as_bytes(), "a.html", None).unwrap().text(), text.trim());
    let named = format!("<body class='no-sidebar'><div id='comments'>{text}</div></body>");
    assert_eq!(crate::parse(named.as_bytes(), "a.html", None).unwrap().text(), text.trim());
}

#[test]
fn entities_bring_no_control_characters() {
    // HTML reads &#x9b; as the sign that Windows has there.
    let page = "<title>a&#27;[7mb</title><p>Attack &#27;[2J&#27;[31m page, &#x9b;1m and <b>more</b></p>";
    let document = crate::parse(page.as_bytes(), "a.html", None).unwrap();
    assert_eq!(document.text(), "Attack  page, ›1m and more");
    assert_eq!(document.title.as_deref(), Some("ab"));
}

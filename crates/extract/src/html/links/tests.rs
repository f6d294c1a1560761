use super::*;

fn to(page: &str) -> Vec<String> {
    links(page.as_bytes(), None).to
}

#[test]
fn links_are_told_as_they_stand() {
    let page = r##"<!doctype html><base href="/docs/"><a href=" a.html ">A</a><A HREF='b?x=1&amp;y=2'>B</A>
        <map><area href="c.pdf"></map><a href="#here">here</a><a name="x">no</a><a rel="noopener nofollow" href="ad">"##;
    let told = links(page.as_bytes(), None);
    assert_eq!(told.base.as_deref(), Some("/docs/"));
    assert_eq!(told.to, ["a.html", "b?x=1&y=2", "c.pdf"]);
    assert!(!told.no_index && !told.no_follow);
}

#[test]
fn a_page_may_go_on_by_itself() {
    let leading = |content: &str| to(&format!(r#"<meta HTTP-EQUIV="Refresh" content="{content}">"#));
    for content in ["0; url=next.html", "5;URL='next.html'", "0,url = next.html", "0; next.html"] {
        assert_eq!(leading(content), ["next.html"], "{content}");
    }
    assert_eq!(leading("0; urls.html"), ["urls.html"]);
    for content in ["300", "300;", "0; url=", ""] {
        assert_eq!(leading(content), Vec::<String>::new(), "{content}");
    }
}

#[test]
fn what_is_no_markup_has_no_links() {
    let page = r#"<title><a href="t"></title><script>"<a href='s'>"</script><style><a href="c"></style>
        <!-- <a href="comment"> --><textarea><a href="area"></textarea><a href="real">"#;
    assert_eq!(to(page), ["real"]);
}

#[test]
fn a_page_may_ask_to_be_left_alone() {
    let told = links(br#"<meta name="ROBOTS" content="NoIndex, nofollow"><a href="x">"#, None);
    assert!(told.no_index && told.no_follow);
    assert!(links(br#"<meta name=robots content=none>"#, None).no_index);
}

#[test]
fn a_hostile_page_ends() {
    let deep = "<div><a href=x>".repeat(200_000);
    assert_eq!(to(&deep).len(), MOST);
    assert_eq!(to(&format!("<a href=\"{}\">", "y".repeat(3000))), Vec::<String>::new());
    assert_eq!(to("<a href=\"unfinished"), Vec::<String>::new());
    assert_eq!(to("<script><a href=x>"), Vec::<String>::new());
}

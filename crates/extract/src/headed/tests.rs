use crate::Role;

fn read(name: &str, text: &str) -> Vec<(Option<u8>, String)> {
    let level = |role: &Role| match role {
        Role::Heading(level) => Some(*level),
        _ => None,
    };
    let document = crate::parse(text.as_bytes(), name, None).unwrap();
    document.blocks.into_iter().map(|block| (level(&block.role), block.text)).collect()
}

fn expected(blocks: &[(u8, &str)]) -> Vec<(Option<u8>, String)> {
    blocks.iter().map(|(level, text)| ((*level > 0).then_some(*level), (*text).to_owned())).collect()
}

#[test]
fn underlines_are_headings_by_their_order() {
    let text = "=====\n Pump\n=====\n\nWhat it is.\n\nValves\r\n======\r\nThe red one.\n\nSizes\n-----\n\nOil\n===\n\nDaily.\n";
    let blocks =
        [(1, "Pump"), (0, "What it is."), (2, "Valves"), (0, "The red one."), (3, "Sizes"), (2, "Oil"), (0, "Daily.")];
    assert_eq!(read("docs/pump.rst", text), expected(&blocks));
    assert_eq!(crate::parse(text.as_bytes(), "pump.rst", None).unwrap().title.as_deref(), Some("Pump"));
}

#[test]
fn not_every_line_of_one_sign_is_under_a_title() {
    for text in [
        "Two lines\nof a paragraph\n--------------",
        "A transition:\n\n--------\n\nit goes on.",
        "A listing::\n\n    Name\n    ====",
        "=====  =====\nA      B\n=====  =====\n1      2\n=====  =====",
        "a longer line\n---",
        "..\n..",
    ] {
        assert!(read("a.rst", text).iter().all(|(level, _)| level.is_none()), "{text}");
    }
    assert_eq!(read("a.txt", "Name\n===="), expected(&[(0, "Name\n====")]));
}

#[test]
fn signs_before_a_title_count_its_level() {
    let text = "= Guide\n\nOne.\n\n== Setup\n----\n== not one\n----\n=== Deep\n\n==\n\n==none\n";
    let blocks =
        [(1, "Guide"), (0, "One."), (2, "Setup"), (0, "----\n== not one\n----"), (3, "Deep"), (0, "=="), (0, "==none")];
    assert_eq!(read("guide.adoc", text), expected(&blocks));
    let text = "* Work\nNotes.\n** TODO Call\n- *bold* item\n";
    assert_eq!(read("a.org", text), expected(&[(1, "Work"), (0, "Notes."), (2, "TODO Call"), (0, "- *bold* item")]));
}

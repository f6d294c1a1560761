//! XML as a small tree of local names: office parts are read out of order, and prefixes differ between programs.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::{Failure, charset};

/// Office programs nest some dozens deep. Deeper trees are made to exhaust a stack.
const DEPTH: usize = 400;

/// An element.
#[derive(Debug, Default, Clone)]
pub(crate) struct Element {
    name: Box<str>,
    attributes: Vec<(Box<str>, Box<str>)>,
    pub children: Vec<Node>,
}

/// What an element holds.
#[derive(Debug, Clone)]
pub(crate) enum Node {
    Element(Element),
    Text(String),
}

impl Element {
    /// Its name without a prefix.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// An attribute by its name without a prefix.
    pub fn attribute(&self, key: &str) -> Option<&str> {
        let local = |name: &str| name.rsplit(':').next() == Some(key);
        self.attributes.iter().find(|(known, _)| local(known)).map(|(_, value)| &**value)
    }

    /// The relationship that it names: `r:id`, which may stand beside an `id` of its own.
    pub fn relation(&self) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known.ends_with(":id")).map(|(_, value)| &**value)
    }

    /// The elements in it.
    pub fn elements(&self) -> impl Iterator<Item = &Element> {
        self.children.iter().filter_map(|node| if let Node::Element(element) = node { Some(element) } else { None })
    }

    /// The first element of a name in it.
    pub fn child(&self, name: &str) -> Option<&Element> {
        self.elements().find(|element| element.name() == name)
    }

    /// The element at the end of a path of names.
    pub fn at(&self, path: &[&str]) -> Option<&Element> {
        path.iter().try_fold(self, |element, name| element.child(name))
    }

    /// The `val` of a child, the way office formats write properties.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.child(name)?.attribute("val")
    }

    /// All elements of a name at any depth, in order.
    pub fn all<'a>(&'a self, name: &str, into: &mut Vec<&'a Element>) {
        for element in self.elements() {
            if element.name() == name {
                into.push(element);
            } else {
                element.all(name, into);
            }
        }
    }

    /// All text below it.
    pub fn text(&self) -> String {
        let mut out = String::new();
        self.collect(&mut out);
        out
    }

    fn collect(&self, out: &mut String) {
        for node in &self.children {
            match node {
                Node::Text(text) => out.push_str(text),
                Node::Element(element) => element.collect(out),
            }
        }
    }
}

/// Reads a part. Entities that a document type declares are not expanded: office parts have none.
pub(crate) fn parse(bytes: &[u8]) -> Result<Element, Failure> {
    let text = charset::decode(bytes, None).text;
    let mut reader = Reader::from_str(&text);
    reader.config_mut().check_end_names = false;
    let mut open: Vec<Element> = vec![Element::default()];
    loop {
        match reader.read_event() {
            Ok(Event::Start(start)) => {
                if open.len() > DEPTH {
                    return Err(Failure::Limit(format!("its XML nests deeper than {DEPTH}")));
                }
                open.push(element(&start));
            }
            Ok(Event::Empty(start)) => add(&mut open, Node::Element(element(&start))),
            Ok(Event::End(_)) => close(&mut open),
            Ok(Event::Text(text)) => add_text(&mut open, &text),
            Ok(Event::CData(data)) => add_text(&mut open, &data),
            Ok(Event::GeneralRef(reference)) => {
                if let Ok(Some(char)) = reference.resolve_char_ref() {
                    add_text(&mut open, char.encode_utf8(&mut [0; 4]));
                } else if let Some(text) = quick_xml::escape::resolve_xml_entity(&reference) {
                    add_text(&mut open, text);
                }
            }
            Ok(Event::Eof) => break,
            Ok(_) => {}
            Err(error) => return Err(Failure::Damaged(format!("its XML is not well formed: {error}"))),
        }
    }
    while open.len() > 1 {
        close(&mut open);
    }
    let root = open.pop().unwrap_or_default();
    let root =
        root.children.into_iter().find_map(|node| if let Node::Element(root) = node { Some(root) } else { None });
    root.ok_or_else(|| Failure::Damaged("a part of it is empty".into()))
}

fn close(open: &mut Vec<Element>) {
    if open.len() > 1
        && let Some(done) = open.pop()
    {
        add(open, Node::Element(done));
    }
}

fn add(open: &mut [Element], node: Node) {
    if let Some(parent) = open.last_mut() {
        parent.children.push(node);
    }
}

fn add_text(open: &mut [Element], text: &str) {
    let Some(parent) = open.last_mut() else { return };
    if let Some(Node::Text(before)) = parent.children.last_mut() {
        before.push_str(text);
    } else if !text.is_empty() {
        parent.children.push(Node::Text(text.to_owned()));
    }
}

fn element(start: &BytesStart) -> Element {
    let whole = start.name();
    let name: Box<str> = whole.as_ref().rsplit(':').next().unwrap_or_default().into();
    let mut attributes = start.attributes();
    let attributes = attributes.with_checks(false).flatten().map(|attribute| {
        let raw: &str = &attribute.value;
        let value: Box<str> = quick_xml::escape::unescape(raw).map_or_else(|_| raw.into(), |value| (*value).into());
        let key = attribute.key;
        (key.as_ref().into(), value)
    });
    Element { name, attributes: attributes.collect(), children: Vec::new() }
}

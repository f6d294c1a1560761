//! Web pages: the main content, without navigation and what only a screen needs.

mod links;
mod measure;
mod tree;
mod walk;

use markup5ever_rcdom::{Handle, NodeData, RcDom};

use crate::charset;
use crate::{Block, Document};
pub use links::{Links, links};
use measure::Measures;

/// Reads a page.
pub(crate) fn parse(bytes: &[u8], charset: Option<&str>) -> Document {
    let declared = declared(bytes);
    let read = charset::decode(bytes, charset.or(declared.as_deref()));
    let mut document = Document::default();
    document.attribute("charset", read.charset);
    page(&read.text, &mut document);
    document
}

/// Adds a page's title, attributes and main content.
pub(crate) fn page(source: &str, document: &mut Document) {
    let dom = tree::tree(source);
    head(&dom.document, document);
    document.blocks.extend(main_content(&dom));
}

/// The blocks of HTML that stands inside something else, all of it.
pub(crate) fn fragment(source: &str) -> Vec<Block> {
    let dom = tree::tree(source);
    walk::blocks(&dom.document, &Measures::of(&dom.document), false)
}

/// What is left when navigation is left out; all of the page where too little is.
fn main_content(dom: &RcDom) -> Vec<Block> {
    let measures = Measures::of(&dom.document);
    let root = root(&dom.document, &measures);
    let strict = walk::blocks(&root, &measures, true);
    let length = |blocks: &[Block]| blocks.iter().map(|block| block.text.chars().count()).sum::<usize>();
    let kept = length(&strict);
    // A page that is a list of links has links for content.
    if kept >= 200 || kept * 4 >= measures.text(&root) {
        return strict;
    }
    let all = walk::blocks(&dom.document, &measures, false);
    if length(&all) > kept * 4 || kept == 0 { all } else { strict }
}

/// The element that says it holds the main content, or the page.
fn root(document: &Handle, measures: &Measures) -> Handle {
    let whole = measures.text(document);
    let (mut mains, mut articles) = (Vec::new(), Vec::new());
    let mut todo = vec![document.clone()];
    while let Some(node) = todo.pop() {
        match (name(&node), attribute(&node, "role").as_deref()) {
            ("main", _) | (_, Some("main")) => mains.push(node.clone()),
            ("article", _) | (_, Some("article")) => articles.push(node.clone()),
            _ => {}
        }
        todo.extend(node.children.borrow().iter().rev().cloned());
    }
    let enough = |node: &Handle, part: usize| measures.text(node) * part >= whole.min(100_000);
    // Nested mains are one: the outer comes first. Several articles are a list of teasers.
    if let Some(main) = mains.first()
        && enough(main, 5)
    {
        return main.clone();
    }
    match articles.as_slice() {
        [article, rest @ ..] if rest.is_empty() && enough(article, 3) => article.clone(),
        _ => document.clone(),
    }
}

/// Title, author and description.
fn head(document: &Handle, into: &mut Document) {
    let mut todo = vec![document.clone()];
    while let Some(node) = todo.pop() {
        match name(&node) {
            "title" if into.title.is_none() => {
                let title = walk::flat(&node);
                into.title = (!title.is_empty()).then_some(title);
            }
            "meta" => {
                if let (Some(key), Some(content)) = (attribute(&node, "name"), attribute(&node, "content"))
                    && ["author", "description"].contains(&key.to_ascii_lowercase().as_str())
                {
                    into.attribute(&key.to_ascii_lowercase(), content);
                }
            }
            "body" | "svg" => continue,
            _ => {}
        }
        todo.extend(node.children.borrow().iter().rev().cloned());
    }
}

/// An element's name, empty for what is none.
pub(crate) fn name(node: &Handle) -> &str {
    match &node.data {
        NodeData::Element { name, .. } => &name.local,
        _ => "",
    }
}

/// An attribute's value.
pub(crate) fn attribute(node: &Handle, key: &str) -> Option<String> {
    let NodeData::Element { attrs, .. } = &node.data else { return None };
    attrs.borrow().iter().find(|attribute| &*attribute.name.local == key).map(|attribute| attribute.value.to_string())
}

/// The character set that a page's head names. HTML asks for it within the first 1,024 bytes.
fn declared(bytes: &[u8]) -> Option<String> {
    let head: String = bytes.iter().take(2048).map(|byte| byte.to_ascii_lowercase() as char).collect();
    let at = head.find("charset=").map(|at| at + 8).or_else(|| {
        let at = head.find("<?xml")?;
        Some(at + head[at..].find("encoding=")? + 9)
    })?;
    let label = head[at..].trim_start_matches(['"', '\'', ' ']);
    let end = label.find(|c: char| !(c.is_ascii_alphanumeric() || "-_:.".contains(c))).unwrap_or(label.len());
    (end > 0).then(|| label[..end].to_owned())
}

#[cfg(test)]
mod tests;

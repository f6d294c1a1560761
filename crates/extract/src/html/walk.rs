//! A page's elements to blocks.

use markup5ever_rcdom::{Handle, NodeData};

use super::measure::Measures;
use super::{attribute, name};
use crate::{Block, Document, Role};

/// Nobody nests deeper on purpose; below, text is taken without structure, so that the stack stays small.
const DEPTH: usize = 200;

/// The blocks below `root`. A strict walk leaves out what looks like navigation.
pub(super) fn blocks(root: &Handle, measures: &Measures, strict: bool) -> Vec<Block> {
    let mut walk =
        Walk { document: Document::default(), inline: String::new(), role: None, lists: Vec::new(), measures, strict };
    walk.children(root, 0);
    walk.flush();
    walk.document.blocks
}

struct Walk<'a> {
    document: Document,
    /// Text of the block that is being read, white space collapsed.
    inline: String,
    role: Option<Role>,
    /// The lists around, with the next number of the ordered ones.
    lists: Vec<Option<u64>>,
    measures: &'a Measures,
    strict: bool,
}

impl Walk<'_> {
    fn flush(&mut self) {
        let text = std::mem::take(&mut self.inline);
        let role = self.role.take().unwrap_or(if self.lists.is_empty() { Role::Paragraph } else { Role::Item });
        if text.trim() != "-" {
            self.document.push(role, text, None);
        }
    }

    fn children(&mut self, node: &Handle, depth: usize) {
        if depth > DEPTH {
            let text = flat(node);
            add(&mut self.inline, &text);
            return;
        }
        for child in node.children.borrow().iter() {
            self.node(child, depth + 1);
        }
    }

    fn node(&mut self, node: &Handle, depth: usize) {
        match &node.data {
            NodeData::Text { contents } => return add(&mut self.inline, &contents.borrow()),
            NodeData::Element { .. } => {}
            _ => return self.children(node, depth),
        }
        if is_unseen(node) || self.strict && is_around(node, self.measures) {
            return;
        }
        match name(node) {
            "h1" => self.block(node, Role::Heading(1), depth),
            "h2" => self.block(node, Role::Heading(2), depth),
            "h3" => self.block(node, Role::Heading(3), depth),
            "h4" => self.block(node, Role::Heading(4), depth),
            "h5" => self.block(node, Role::Heading(5), depth),
            "h6" => self.block(node, Role::Heading(6), depth),
            "caption" | "figcaption" => self.block(node, Role::Note, depth),
            "dd" => self.block(node, Role::Item, depth),
            "pre" | "listing" | "xmp" => {
                self.flush();
                self.document.push(Role::Verbatim, raw(node), None);
            }
            "br" => {
                let end = self.inline.trim_end_matches(' ').len();
                self.inline.truncate(end);
                self.inline.push('\n');
            }
            "ul" | "menu" => self.list(node, None, depth),
            "ol" => {
                let first = attribute(node, "start").and_then(|start| start.trim().parse().ok());
                self.list(node, Some(first.unwrap_or(1)), depth);
            }
            "li" => self.item(node, depth),
            "table" => self.table(node, depth),
            name if is_block(name) => {
                // A paragraph that opens an item belongs to the item's mark.
                if self.inline.trim() != "-" && !is_number(&self.inline) {
                    self.flush();
                }
                self.children(node, depth);
                self.flush();
            }
            _ => self.children(node, depth),
        }
    }

    fn block(&mut self, node: &Handle, role: Role, depth: usize) {
        self.flush();
        self.role = Some(role);
        match role {
            // Blocks inside of a heading are a matter of style.
            Role::Heading(_) | Role::Note => add(&mut self.inline, &flat(node)),
            _ => self.children(node, depth),
        }
        self.flush();
    }

    fn list(&mut self, node: &Handle, first: Option<u64>, depth: usize) {
        self.flush();
        self.lists.push(first);
        self.children(node, depth);
        self.flush();
        self.lists.pop();
    }

    fn item(&mut self, node: &Handle, depth: usize) {
        self.flush();
        self.role = Some(Role::Item);
        match self.lists.last_mut() {
            Some(Some(number)) => {
                self.inline = format!("{number}. ");
                *number = number.saturating_add(1);
            }
            _ => self.inline.push_str("- "),
        }
        self.children(node, depth);
        if is_number(&self.inline) {
            self.inline.clear();
        }
        self.flush();
    }

    fn table(&mut self, node: &Handle, depth: usize) {
        self.flush();
        let rows = rows(node);
        if is_layout(node, &rows) {
            self.children(node, depth);
            return self.flush();
        }
        for row in rows {
            match row {
                Line::Caption(caption) => self.document.push(Role::Note, flat(&caption), None),
                Line::Row(cells) => {
                    let cells: Vec<String> = cells.iter().map(flat).collect();
                    if cells.iter().any(|cell| !cell.is_empty()) {
                        self.document.push(Role::Row, cells.join(" | "), None);
                    }
                }
            }
        }
    }
}

enum Line {
    Caption(Handle),
    Row(Vec<Handle>),
}

/// A table's own lines, without those of tables inside of it.
fn rows(table: &Handle) -> Vec<Line> {
    let mut rows = Vec::new();
    let mut todo: Vec<Handle> = table.children.borrow().iter().rev().cloned().collect();
    while let Some(node) = todo.pop() {
        match name(&node) {
            "caption" => rows.push(Line::Caption(node)),
            "tr" => {
                let children = node.children.borrow();
                rows.push(Line::Row(children.iter().filter(|c| matches!(name(c), "td" | "th")).cloned().collect()));
            }
            _ => todo.extend(node.children.borrow().iter().rev().cloned()),
        }
    }
    rows
}

/// Whether a table only puts things side by side.
fn is_layout(table: &Handle, rows: &[Line]) -> bool {
    if matches!(attribute(table, "role").as_deref(), Some("presentation" | "none")) {
        return true;
    }
    let cells = || rows.iter().filter_map(|row| if let Line::Row(cells) = row { Some(cells) } else { None });
    let widest = cells().map(Vec::len).max().unwrap_or(0);
    widest <= 1 || cells().flatten().any(|cell| flat(cell).len() > 2000)
}

/// All text below a node in one line.
pub(super) fn flat(node: &Handle) -> String {
    let mut out = String::new();
    let mut todo = vec![node.clone()];
    while let Some(node) = todo.pop() {
        match &node.data {
            NodeData::Text { contents } => add(&mut out, &contents.borrow()),
            NodeData::Element { .. } if is_unseen(&node) => {}
            _ => {
                let name = name(&node);
                if is_block(name) || matches!(name, "br" | "li" | "td" | "th" | "tr" | "dd") {
                    add(&mut out, " ");
                }
                todo.extend(node.children.borrow().iter().rev().cloned());
            }
        }
    }
    out.trim().replace('\n', " ")
}

/// All text below a node as it stands.
fn raw(node: &Handle) -> String {
    let mut out = String::new();
    let mut todo = vec![node.clone()];
    while let Some(node) = todo.pop() {
        match &node.data {
            NodeData::Text { contents } => out.push_str(&contents.borrow()),
            _ if name(&node) == "br" => out.push('\n'),
            _ => todo.extend(node.children.borrow().iter().rev().cloned()),
        }
    }
    out
}

/// Adds text, its white space collapsed.
fn add(out: &mut String, text: &str) {
    for char in text.chars() {
        if char.is_whitespace() {
            if !out.is_empty() && !out.ends_with([' ', '\n']) {
                out.push(' ');
            }
        } else if char != '\u{200b}' && char != '\u{ad}' {
            out.push(char);
        }
    }
}

fn is_number(text: &str) -> bool {
    text.trim().strip_suffix('.').is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

pub(super) fn is_block(name: &str) -> bool {
    matches!(
        name,
        "p" | "div"
            | "section"
            | "article"
            | "main"
            | "aside"
            | "header"
            | "footer"
            | "nav"
            | "address"
            | "blockquote"
            | "center"
            | "details"
            | "summary"
            | "dl"
            | "dt"
            | "fieldset"
            | "figure"
            | "form"
            | "hgroup"
            | "hr"
            | "body"
            | "html"
            | "legend"
            | "tr"
            | "tbody"
            | "td"
            | "th"
    )
}

/// What a browser does not show as text.
fn is_unseen(node: &Handle) -> bool {
    match name(node) {
        "script" | "style" | "noscript" | "template" | "svg" | "head" | "iframe" | "object" | "canvas" | "audio"
        | "video" | "select" | "textarea" | "input" | "button" | "datalist" | "map" | "rp" => return true,
        _ => {}
    }
    attribute(node, "hidden").is_some()
        || attribute(node, "aria-hidden").as_deref() == Some("true")
        || attribute(node, "style").is_some_and(|style| {
            let style: String = style.chars().filter(|c| !c.is_whitespace()).collect();
            style.contains("display:none")
        })
}

/// What stands around the main content on every page of a site.
fn is_around(node: &Handle, measures: &Measures) -> bool {
    match name(node) {
        "nav" | "footer" | "dialog" => return true,
        "aside" if measures.linked(node, 40) => return true,
        "ul" | "ol" | "div" | "section" | "p" | "td" | "header" | "form" if measures.is_link_list(node) => return true,
        _ => {}
    }
    if let Some(role) = attribute(node, "role")
        && matches!(
            role.as_str(),
            "navigation"
                | "banner"
                | "contentinfo"
                | "search"
                | "menu"
                | "menubar"
                | "toolbar"
                | "dialog"
                | "alertdialog"
        )
    {
        return true;
    }
    let classes =
        format!("{} {}", attribute(node, "class").unwrap_or_default(), attribute(node, "id").unwrap_or_default());
    let words = classes.split(|c: char| !c.is_ascii_alphanumeric()).map(str::to_ascii_lowercase);
    for word in words {
        match word.as_str() {
            "noprint" | "navbox" | "editsection" | "breadcrumb" | "breadcrumbs" | "cookie" | "cookies" | "consent"
            | "pagination" | "skiplink" | "sharing" | "jumplink" | "catlinks" => return true,
            "footer" | "sidebar" | "comments" | "respond" | "related" | "newsletter" | "share" | "social"
            | "copyright" | "modal" | "popup"
                if measures.is_minor(node) =>
            {
                return true;
            }
            "nav" | "navbar" | "navigation" | "sidebar" | "menu" | "toc" | "footer" | "share" | "social"
            | "related"
                if measures.linked(node, 40) =>
            {
                return true;
            }
            "reference" if name(node) == "sup" => return true,
            _ => {}
        }
    }
    false
}

//! Word documents: headings by their styles, lists, tables, text boxes, notes, headers and footers.

mod styles;

use std::collections::HashMap;

use super::Package;
use super::xml::{Element, Node};
use crate::numbering::Numbering;
use crate::{Document, Failure, Role};
use styles::Styles;

/// Reads a document.
pub(crate) fn parse(bytes: &[u8]) -> Result<Document, Failure> {
    let mut package = Package::open(bytes)?;
    let main = package.main("word/document.xml")?;
    let root = package.part(&main)?.ok_or_else(|| Failure::Damaged(format!("it has no part {main}")))?;
    let targets = package.targets(&main)?;
    let mut document = Document::default();
    package.properties(&mut document)?;
    let mut parts: HashMap<&str, Vec<String>> = HashMap::new();
    let mut paths: Vec<_> = targets.values().collect();
    paths.sort_by(|a, b| a.path.cmp(&b.path));
    for target in paths {
        parts.entry(target.kind.as_str()).or_default().push(target.path.clone());
    }
    let mut first = |kind: &str| -> Result<Option<Element>, Failure> {
        parts.get(kind).and_then(|paths| paths.first()).map_or(Ok(None), |path| package.part(path))
    };
    let styles = first("styles")?.map(|root| Styles::of(&root)).unwrap_or_default();
    let numbering = first("numbering")?.map(|root| styles::numbering(&root)).unwrap_or_default();
    let mut reader = Reader { document, styles, numbering, note: false };
    if let Some(body) = root.child("body") {
        reader.blocks(body);
    }
    // What stands on every page stands once, behind the text, so that it divides nothing.
    reader.note = true;
    let mut seen = Vec::new();
    for kind in ["footnotes", "endnotes", "comments", "header", "footer"] {
        for path in parts.get(kind).into_iter().flatten() {
            let Some(part) = package.part(path)? else { continue };
            let text = part.text();
            if text.trim().is_empty() || seen.contains(&text) {
                continue;
            }
            seen.push(text);
            reader.blocks(&part);
        }
    }
    Ok(reader.document.titled())
}

/// Reads a document that is one XML file: Word's of 2003, or a package written flat.
pub(crate) fn flat(root: &Element) -> Document {
    let parts = |name: &str| {
        let part = root.elements().find(|part| part.attribute("name") == Some(name))?;
        part.child("xmlData")?.elements().next()
    };
    let (main, styles, numbering) = match root.name() {
        "package" => (parts("/word/document.xml"), parts("/word/styles.xml"), parts("/word/numbering.xml")),
        _ => (Some(root), root.child("styles"), None),
    };
    let mut reader = Reader {
        document: Document::default(),
        styles: styles.map(Styles::of).unwrap_or_default(),
        numbering: numbering.map(styles::numbering).unwrap_or_default(),
        note: false,
    };
    if let Some(body) = main.and_then(|main| main.child("body")) {
        reader.blocks(body);
    }
    reader.document.titled()
}

struct Reader {
    document: Document,
    styles: Styles,
    numbering: Numbering,
    /// Whether this is a part beside the text.
    note: bool,
}

impl Reader {
    fn blocks(&mut self, container: &Element) {
        for element in container.elements() {
            match element.name() {
                "p" => self.paragraph(element),
                "tbl" => self.table(element),
                "sectPr" | "pPr" | "moveFrom" | "del" => {}
                "AlternateContent" => {
                    if let Some(choice) = chosen(element) {
                        self.blocks(choice);
                    }
                }
                _ => self.blocks(element),
            }
        }
    }

    fn paragraph(&mut self, paragraph: &Element) {
        let mut text = String::new();
        let mut boxes = Vec::new();
        run(paragraph, &mut text, &mut boxes);
        let properties = paragraph.child("pPr");
        let style = properties.and_then(|properties| properties.value("pStyle"));
        let outline =
            properties.and_then(|properties| properties.value("outlineLvl")).and_then(|v| v.parse::<u8>().ok());
        let level = outline.filter(|level| *level < 9).map(|level| level + 1).or_else(|| self.styles.heading(style));
        let numbered = properties.and_then(|p| p.child("numPr")).or_else(|| self.styles.numbering(style));
        let text = text.trim();
        if self.note {
            self.document.push(Role::Note, text, None);
        } else if let Some(level) = level {
            self.document.push(Role::Heading(level), text, None);
        } else if let Some((list, depth)) = numbered.and_then(styles::place) {
            let mark = self.numbering.mark(list, depth);
            if !text.is_empty() {
                self.document.push(Role::Item, format!("{mark} {text}"), None);
            }
        } else {
            self.document.push(Role::Paragraph, text, None);
        }
        for text_box in boxes {
            self.blocks(text_box);
        }
    }

    fn table(&mut self, table: &Element) {
        let rows: Vec<Vec<&Element>> = rows(table);
        // One column is a frame around text.
        if rows.iter().all(|row| row.len() <= 1) {
            for cell in rows.into_iter().flatten() {
                self.blocks(cell);
            }
            return;
        }
        for row in rows {
            let cells: Vec<String> = row.into_iter().map(cell).collect();
            if cells.iter().any(|cell| !cell.is_empty()) {
                let role = if self.note { Role::Note } else { Role::Row };
                self.document.push(role, cells.join(" | "), None);
            }
        }
    }
}

fn rows(table: &Element) -> Vec<Vec<&Element>> {
    // Rows and cells may stand inside of content controls.
    fn parts<'a>(element: &'a Element, name: &str, into: &mut Vec<&'a Element>) {
        for child in element.elements() {
            match child.name() {
                found if found == name => into.push(child),
                "sdt" | "sdtContent" | "customXml" | "ins" => parts(child, name, into),
                _ => {}
            }
        }
    }
    let mut rows = Vec::new();
    parts(table, "tr", &mut rows);
    let mut all = Vec::new();
    for row in rows {
        let mut cells = Vec::new();
        parts(row, "tc", &mut cells);
        all.push(cells);
    }
    all
}

/// A cell in one line.
fn cell(cell: &Element) -> String {
    let mut words = Vec::new();
    lines(cell, &mut words);
    words.join(" ")
}

fn lines(container: &Element, into: &mut Vec<String>) {
    for element in container.elements() {
        match element.name() {
            "p" => {
                let (mut text, mut boxes) = (String::new(), Vec::new());
                run(element, &mut text, &mut boxes);
                into.extend(text.split_whitespace().map(str::to_owned));
                for text_box in boxes {
                    lines(text_box, into);
                }
            }
            "pPr" | "tcPr" | "moveFrom" | "del" => {}
            "AlternateContent" => {
                if let Some(choice) = chosen(element) {
                    lines(choice, into);
                }
            }
            _ => lines(element, into),
        }
    }
}

/// The text of runs, and the text boxes that are anchored in them.
fn run<'a>(element: &'a Element, text: &mut String, boxes: &mut Vec<&'a Element>) {
    for child in element.elements() {
        match child.name() {
            "t" => {
                for node in &child.children {
                    if let Node::Text(part) = node {
                        text.push_str(part);
                    }
                }
            }
            "tab" | "ptab" => text.push(' '),
            "br" if child.attribute("type").is_none_or(|kind| kind == "textWrapping") => text.push('\n'),
            "br" => text.push(' '),
            "cr" => text.push('\n'),
            "noBreakHyphen" => text.push('-'),
            "txbxContent" => boxes.push(child),
            // What is not shown: properties, deleted text, field codes, where something was.
            "pPr" | "rPr" | "delText" | "instrText" | "moveFrom" | "del" | "rt" => {}
            "AlternateContent" => {
                if let Some(choice) = chosen(child) {
                    run(choice, text, boxes);
                }
            }
            // Office drawings describe themselves with text that is no text: offsets and sizes.
            "drawing" | "pict" | "object" => {
                let mut found = Vec::new();
                child.all("txbxContent", &mut found);
                let mut twice = Vec::new();
                child.all("Fallback", &mut twice);
                let mut hidden = Vec::new();
                for fallback in twice {
                    fallback.all("txbxContent", &mut hidden);
                }
                found.retain(|content| !hidden.iter().any(|twin| std::ptr::eq(*twin, *content)));
                boxes.extend(found);
            }
            _ => run(child, text, boxes),
        }
    }
}

/// What a program that knows everything shows; the fallback repeats it for older ones.
fn chosen(alternate: &Element) -> Option<&Element> {
    alternate.child("Choice").or_else(|| alternate.child("Fallback"))
}

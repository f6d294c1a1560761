//! Presentations: slides in their order, with tables, charts, groups, speakers' notes and comments.

use std::collections::HashMap;

use super::xml::{Element, Node};
use super::{Package, Target, chart};
use crate::{Document, Failure, Role};

/// Reads a presentation.
pub(crate) fn parse(bytes: &[u8]) -> Result<Document, Failure> {
    let mut package = Package::open(bytes)?;
    let main = package.main("ppt/presentation.xml")?;
    let root = package.part(&main)?.ok_or_else(|| Failure::Damaged(format!("it has no part {main}")))?;
    let targets = package.targets(&main)?;
    let mut document = Document::default();
    package.properties(&mut document)?;
    let slides = root.child("sldIdLst").into_iter().flat_map(Element::elements);
    let paths: Vec<&Target> = slides.filter_map(|slide| targets.get(slide.relation()?)).collect();
    let mut pages = 0;
    for target in paths {
        pages += 1;
        let Some(slide) = package.part(&target.path)? else {
            document.warnings.push(format!("slide {pages} is missing"));
            continue;
        };
        let links = package.targets(&target.path)?;
        let mut reader = Slide { package: &mut package, links: &links, document: &mut document, page: pages };
        if let Some(tree) = slide.at(&["cSld", "spTree"]) {
            reader.shapes(tree)?;
        }
        reader.beside()?;
    }
    document.pages = Some(pages);
    Ok(document)
}

struct Slide<'a, 'b> {
    package: &'a mut Package<'b>,
    links: &'a HashMap<String, Target>,
    document: &'a mut Document,
    page: u32,
}

impl Slide<'_, '_> {
    fn shapes(&mut self, container: &Element) -> Result<(), Failure> {
        for shape in container.elements() {
            match shape.name() {
                "sp" => self.shape(shape),
                "graphicFrame" => self.frame(shape)?,
                "grpSp" => self.shapes(shape)?,
                "AlternateContent" => {
                    if let Some(choice) = shape.child("Choice").or_else(|| shape.child("Fallback")) {
                        self.shapes(choice)?;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn shape(&mut self, shape: &Element) {
        let Some(body) = shape.child("txBody") else { return };
        match placeholder(shape) {
            // The date and the number stand on every slide.
            Some("sldNum" | "dt") => {}
            Some("title" | "ctrTitle") => {
                let title = paragraphs(body).map(text).collect::<Vec<_>>().join(" ");
                self.document.push(Role::Heading(1), title.replace('\n', " "), Some(self.page));
            }
            Some("ftr" | "hdr") => self.body(body, Some(Role::Note)),
            _ => self.body(body, None),
        }
    }

    fn body(&mut self, body: &Element, role: Option<Role>) {
        for paragraph in paragraphs(body) {
            let properties = paragraph.child("pPr");
            let level = properties.and_then(|p| p.attribute("lvl")).is_some_and(|level| level != "0");
            let bullet = properties.is_some_and(|p| p.child("buChar").is_some() || p.child("buAutoNum").is_some());
            let is_item = role.is_none() && (level || bullet);
            let text = text(paragraph);
            if is_item && !text.trim().is_empty() {
                self.document.push(Role::Item, format!("- {}", text.trim()), Some(self.page));
            } else {
                self.document.push(role.unwrap_or(Role::Paragraph), text, Some(self.page));
            }
        }
    }

    fn frame(&mut self, frame: &Element) -> Result<(), Failure> {
        let Some(data) = frame.at(&["graphic", "graphicData"]) else { return Ok(()) };
        for content in data.elements() {
            match content.name() {
                "tbl" => self.table(content),
                "chart" => {
                    let target = content.relation().and_then(|id| self.links.get(id));
                    if let Some(part) = target.map_or(Ok(None), |target| self.package.part(&target.path))? {
                        chart::read(&part, self.document, Some(self.page));
                    }
                }
                "relIds" => self.diagram(content)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn table(&mut self, table: &Element) {
        for row in table.elements().filter(|element| element.name() == "tr") {
            let cells: Vec<String> = row
                .elements()
                .filter(|element| element.name() == "tc")
                .map(|cell| {
                    let lines =
                        cell.child("txBody").map(|body| paragraphs(body).map(text).collect::<Vec<_>>().join(" "));
                    lines.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
                })
                .collect();
            if cells.iter().any(|cell| !cell.is_empty()) {
                self.document.push(Role::Row, cells.join(" | "), Some(self.page));
            }
        }
    }

    /// SmartArt keeps its text in a part of its own.
    fn diagram(&mut self, ids: &Element) -> Result<(), Failure> {
        let target = ids.attribute("dm").and_then(|id| self.links.get(id));
        let Some(part) = target.map_or(Ok(None), |target| self.package.part(&target.path))? else { return Ok(()) };
        let mut points = Vec::new();
        part.all("pt", &mut points);
        for body in points.into_iter().filter_map(|point| point.child("t")) {
            self.body(body, Some(Role::Item));
        }
        Ok(())
    }

    /// Speakers' notes and comments.
    fn beside(&mut self) -> Result<(), Failure> {
        let mut links: Vec<&Target> = self.links.values().collect();
        links.sort_by(|a, b| a.path.cmp(&b.path));
        for link in links {
            match link.kind.as_str() {
                "notesSlide" => {
                    let Some(part) = self.package.part(&link.path)? else { continue };
                    let mut shapes = Vec::new();
                    part.all("sp", &mut shapes);
                    for shape in shapes {
                        if !matches!(placeholder(shape), Some("sldNum" | "dt" | "hdr" | "ftr" | "sldImg"))
                            && let Some(body) = shape.child("txBody")
                        {
                            self.body(body, Some(Role::Note));
                        }
                    }
                }
                "comments" => {
                    let Some(part) = self.package.part(&link.path)? else { continue };
                    let mut comments = Vec::new();
                    part.all("text", &mut comments);
                    part.all("txBody", &mut comments);
                    for comment in comments {
                        self.document.push(Role::Note, comment.text(), Some(self.page));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// What a shape is a place for. A placeholder without a type is for content.
fn placeholder(shape: &Element) -> Option<&str> {
    let properties = shape.elements().find(|element| element.name().starts_with("nv"))?;
    Some(properties.at(&["nvPr", "ph"])?.attribute("type").unwrap_or("obj"))
}

fn paragraphs(body: &Element) -> impl Iterator<Item = &Element> {
    body.elements().filter(|element| element.name() == "p")
}

fn text(paragraph: &Element) -> String {
    let mut out = String::new();
    collect(paragraph, &mut out);
    out
}

fn collect(element: &Element, out: &mut String) {
    for child in element.elements() {
        match child.name() {
            "t" => {
                for node in &child.children {
                    if let Node::Text(text) = node {
                        out.push_str(text);
                    }
                }
            }
            "br" => out.push('\n'),
            "tab" => out.push(' '),
            "pPr" | "rPr" | "endParaRPr" => {}
            "AlternateContent" => {
                if let Some(choice) = child.child("Choice").or_else(|| child.child("Fallback")) {
                    collect(choice, out);
                }
            }
            _ => collect(child, out),
        }
    }
}

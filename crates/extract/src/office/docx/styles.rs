//! What a paragraph's style and numbering say of it.

use std::collections::HashMap;

use crate::numbering::Numbering;
use crate::office::xml::Element;

/// The styles of a document.
#[derive(Default)]
pub(super) struct Styles(HashMap<String, Style>);

#[derive(Default)]
struct Style {
    level: Option<u8>,
    based_on: Option<String>,
    numbering: Option<Element>,
}

impl Styles {
    pub(super) fn of(root: &Element) -> Self {
        let mut all = HashMap::new();
        for style in root.elements().filter(|element| element.name() == "style") {
            let Some(id) = style.attribute("styleId") else { continue };
            let name = style.value("name").unwrap_or_default().to_ascii_lowercase();
            let outline = style.child("pPr").and_then(|p| p.value("outlineLvl")).and_then(|v| v.parse::<u8>().ok());
            let named = match name.as_str() {
                "title" => Some(1),
                name => name.strip_prefix("heading ").and_then(|level| level.trim().parse::<u8>().ok()),
            };
            let level = named.or(outline.filter(|level| *level < 9).map(|level| level + 1));
            let based_on = style.value("basedOn").map(str::to_owned);
            let numbering = style.child("pPr").and_then(|p| p.child("numPr")).cloned();
            all.insert(id.to_owned(), Style { level, based_on, numbering });
        }
        Self(all)
    }

    /// The level of the heading that a paragraph of this style is.
    pub(super) fn heading(&self, style: Option<&str>) -> Option<u8> {
        self.inherited(style?, |style| style.level)
    }

    /// The numbering that comes with a style.
    pub(super) fn numbering(&self, style: Option<&str>) -> Option<&Element> {
        self.inherited(style?, |style| style.numbering.as_ref())
    }

    fn inherited<'a, T>(&'a self, id: &str, get: impl Fn(&'a Style) -> Option<T>) -> Option<T> {
        let mut style = self.0.get(id)?;
        // Styles that are based on one another in a circle are damaged files.
        for _ in 0..20 {
            if let Some(found) = get(style) {
                return Some(found);
            }
            style = self.0.get(style.based_on.as_ref()?)?;
        }
        None
    }
}

/// The numbering of a document, its lists by their numbers.
pub(super) fn numbering(root: &Element) -> Numbering {
    let mut abstracts: HashMap<&str, &Element> = HashMap::new();
    let mut levels = HashMap::new();
    for element in root.elements() {
        match element.name() {
            "abstractNum" => {
                if let Some(id) = element.attribute("abstractNumId") {
                    abstracts.insert(id, element);
                }
            }
            "num" => {
                let (Some(id), Some(shape)) = (element.attribute("numId"), element.value("abstractNumId")) else {
                    continue;
                };
                for level in abstracts.get(shape).into_iter().flat_map(|shape| shape.elements()) {
                    let Some(depth) = level.attribute("ilvl").and_then(|depth| depth.parse().ok()) else {
                        continue;
                    };
                    let counts = matches!(level.value("numFmt"), Some("decimal" | "decimalZero"));
                    let start = level.value("start").and_then(|start| start.parse().ok()).unwrap_or(1);
                    levels.insert((id.to_owned(), depth), counts.then_some(start));
                }
            }
            _ => {}
        }
    }
    Numbering::new(levels)
}

/// The list and the depth that numbering properties name. List 0 means none.
pub(super) fn place(properties: &Element) -> Option<(&str, u32)> {
    let list = properties.value("numId").filter(|list| *list != "0")?;
    Some((list, properties.value("ilvl").and_then(|depth| depth.parse().ok()).unwrap_or(0)))
}

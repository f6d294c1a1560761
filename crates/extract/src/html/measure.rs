//! How much text an element holds, and how much of it is links: navigation is text that is nearly all links.

use std::collections::HashMap;
use std::rc::Rc;

use markup5ever_rcdom::{Handle, Node, NodeData};

use super::name;

/// Of one element: characters that are no white space.
#[derive(Clone, Copy, Default)]
struct Measure {
    text: usize,
    linked: usize,
    links: usize,
}

/// Of every element of a page, taken in one pass: asking at each level again would be quadratic in depth.
pub(super) struct Measures {
    all: HashMap<*const Node, Measure>,
    whole: usize,
}

impl Measures {
    pub(super) fn of(root: &Handle) -> Self {
        let mut order = Vec::new();
        let mut todo = vec![root.clone()];
        while let Some(node) = todo.pop() {
            todo.extend(node.children.borrow().iter().cloned());
            order.push(node);
        }
        let mut all: HashMap<*const Node, Measure> = HashMap::with_capacity(order.len());
        // Parents stand before their children, so that the reverse order finds every child done.
        for node in order.iter().rev() {
            let mut sum = Measure::default();
            if let NodeData::Text { contents } = &node.data {
                sum.text = contents.borrow().chars().filter(|c| !c.is_whitespace()).count();
            } else if !matches!(name(node), "script" | "style" | "noscript" | "template" | "head") {
                for child in node.children.borrow().iter() {
                    let child = all.get(&Rc::as_ptr(child)).copied().unwrap_or_default();
                    sum.text += child.text;
                    sum.linked += child.linked;
                    sum.links += child.links;
                }
            }
            if name(node) == "a" {
                sum.linked = sum.text;
                sum.links = 1;
            }
            all.insert(Rc::as_ptr(node), sum);
        }
        let whole = all.get(&Rc::as_ptr(root)).map_or(0, |measure| measure.text);
        Self { all, whole }
    }

    fn get(&self, node: &Handle) -> Measure {
        self.all.get(&Rc::as_ptr(node)).copied().unwrap_or_default()
    }

    /// How many characters.
    pub(super) fn text(&self, node: &Handle) -> usize {
        self.get(node).text
    }

    /// Whether a share of the text, in percent, stands in links.
    pub(super) fn linked(&self, node: &Handle, percent: usize) -> bool {
        let measure = self.get(node);
        measure.linked * 100 >= measure.text * percent
    }

    /// Whether it holds less than a third of the page: what does not is the page, whatever it is called.
    pub(super) fn is_minor(&self, node: &Handle) -> bool {
        self.text(node) * 3 < self.whole
    }

    /// Whether it is a bundle of short links.
    pub(super) fn is_link_list(&self, node: &Handle) -> bool {
        let measure = self.get(node);
        measure.links >= 4 && measure.text <= measure.links * 40 && self.linked(node, 80)
    }
}

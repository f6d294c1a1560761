//! The broken constraints of one request, in AWS's words.

use std::fmt::Write as _;

use crate::shape::Shape;

/// How many problems are spelled out; the count names them all.
const SPELLED: usize = 50;
/// How much of an offending value an error repeats.
const SHOWN: usize = 256;

/// Collects what a request breaks, with the path to it.
#[derive(Debug, Default)]
pub struct Problems {
    /// `a.1.member.b`, lists counted from 1 as AWS does.
    path: String,
    /// The parts that were entered.
    marks: Vec<Mark>,
    lines: Vec<String>,
    count: usize,
    /// The first text that stands alone, outside the counted form.
    alone: Option<String>,
}

#[derive(Debug)]
struct Mark {
    /// Where the part begins in the path.
    at: usize,
    /// The part is this element of a list, counted from 0. A map's key may look the same.
    element: Option<usize>,
}

impl Problems {
    /// Enters member `name`.
    pub fn enter(&mut self, name: &str) {
        self.marks.push(Mark { at: self.path.len(), element: None });
        if !self.path.is_empty() {
            self.path.push('.');
        }
        self.path.push_str(name);
    }

    /// Enters element `index`, counted from 0; two levels, to be left twice.
    pub(super) fn enter_element(&mut self, index: usize) {
        self.marks.push(Mark { at: self.path.len(), element: Some(index) });
        let _ = write!(self.path, ".{}", index + 1);
        self.enter("member");
    }

    /// Enters the value under `key`; two levels, to be left twice.
    pub(super) fn enter_key(&mut self, key: &str) {
        self.enter(&key.chars().take(64).collect::<String>());
        self.enter("member");
    }

    /// Leaves what was entered last.
    pub fn leave(&mut self) {
        if let Some(mark) = self.marks.pop() {
            self.path.truncate(mark.at);
        }
    }

    /// Where the reader stands.
    pub fn path(&self) -> &str {
        if self.path.is_empty() { "body" } else { &self.path }
    }

    fn add(&mut self, line: impl FnOnce(&str) -> String) {
        self.count += 1;
        if self.lines.len() < SPELLED {
            let line = line(self.path());
            self.lines.push(line);
        }
    }

    /// The required member `name` of the present structure is absent.
    pub(super) fn null(&mut self, name: &str) {
        self.enter(name);
        self.null_here();
        self.leave();
    }

    /// The present element is null.
    pub(super) fn null_here(&mut self) {
        self.add(|path| format!("Value null at '{path}' failed to satisfy constraint: Member must not be null"));
    }

    /// The path's label `name` is empty, which no resource can be called.
    pub fn empty_label(&mut self, name: &str) {
        self.enter(name);
        self.broken(Some(""), false, "have length greater than or equal to 1");
        self.leave();
    }

    /// The present value breaks a constraint: "Member must {must}".
    pub(super) fn broken(&mut self, value: Option<&str>, sensitive: bool, must: &str) {
        self.add(|path| match value {
            Some(value) if !sensitive => {
                let short: String = value.chars().take(SHOWN).collect();
                let more = if short.len() < value.len() { "..." } else { "" };
                format!("Value '{short}{more}' at '{path}' failed to satisfy constraint: Member must {must}")
            }
            _ => format!("Value at '{path}' failed to satisfy constraint: Member must {must}"),
        });
    }

    /// A union without a member, or with several. Paths in these texts count lists from 0.
    pub(super) fn union(&mut self, shape: &Shape, several: bool) {
        if self.alone.is_some() {
            return;
        }
        let mut path = String::new();
        let mut marks = self.marks.iter().peekable();
        while let Some(mark) = marks.next() {
            if let Some(index) = mark.element {
                let _ = write!(path, ".{index}");
                // Its `member`, which this form leaves out.
                marks.next();
            } else {
                let end = marks.peek().map_or(self.path.len(), |next| next.at);
                path.push_str(&self.path[mark.at..end]);
            }
        }
        let keys = shape.members.iter().map(|m| m.name).collect::<Vec<_>>().join(", ");
        let one = if several { "only one" } else { "one" };
        self.alone = Some(format!(
            "The {} object at {path} must set {one} of the following keys: {keys}.",
            shape.name.trim_end_matches("Union"),
        ));
    }

    /// The message of the `ValidationException`, or `None` where nothing is broken.
    pub fn message(&self) -> Option<String> {
        if self.count == 0 {
            return self.alone.clone();
        }
        let s = if self.count == 1 { "" } else { "s" };
        Some(format!("{} validation error{s} detected: {}", self.count, self.lines.join("; ")))
    }
}

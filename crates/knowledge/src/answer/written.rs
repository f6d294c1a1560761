//! What a model wrote, read as it comes: parts of an answer with the numbers of their sources.
//!
//! Models forget marks: text outside of them is taken as it is, a source that does not exist is dropped, and a part that
//! is not closed ends with the answer. What a part says is checked elsewhere (`cited`).

#[cfg(test)]
mod tests;

/// A part of an answer as its model wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Written {
    pub text: String,
    /// Places of passages, from 0.
    pub sources: Vec<usize>,
}

/// Reads parts from pieces of text.
#[derive(Debug)]
pub(super) struct Reader {
    kept: String,
    passages: usize,
    marked: bool,
}

impl Reader {
    /// For an answer from so many passages.
    pub fn new(passages: usize) -> Self {
        Self { kept: String::new(), passages, marked: false }
    }

    /// Takes a piece; answers the parts that are whole now.
    pub fn push(&mut self, piece: &str) -> Vec<Written> {
        self.kept.push_str(piece);
        let mut parts = Vec::new();
        while let Some(end) = self.kept.find("</answer_part>") {
            let part = self.kept[..end].to_owned();
            self.kept.drain(..end + "</answer_part>".len());
            self.marked = true;
            let part = part.rsplit_once("<answer_part>").map_or(part.as_str(), |(_, part)| part);
            parts.extend(self.part(part));
        }
        parts
    }

    /// What is left when the answer has ended.
    pub fn finish(self) -> Vec<Written> {
        let open = self.kept.rsplit_once("<answer_part>").map(|(_, part)| part.to_owned());
        if let Some(open) = open {
            return self.part(&open).into_iter().collect();
        }
        if self.marked {
            return Vec::new();
        }
        let text = tidy(&self.kept);
        // Paragraphs are parts where no marks are.
        let parts = text.split("\n\n").map(str::trim).filter(|part| !part.is_empty());
        parts.map(|part| Written { text: part.to_owned(), sources: Vec::new() }).collect()
    }

    fn part(&self, part: &str) -> Option<Written> {
        let text = match part.split_once("<text>") {
            Some((_, text)) => text.split("</text>").next().unwrap_or_default(),
            None => part.split("<sources>").next().unwrap_or_default(),
        };
        let mut sources = Vec::new();
        for source in part.split("<source>").skip(1) {
            let number = source.split("</source>").next().unwrap_or_default().trim();
            let place = number.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
            if let Some(place) = place.filter(|place| *place < self.passages && !sources.contains(place)) {
                sources.push(place);
            }
        }
        let text = tidy(text);
        (!text.is_empty()).then_some(Written { text, sources })
    }
}

/// Without marks and with the signs that were written out.
fn tidy(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    const MARKS: [&str; 10] = [
        "<answer>",
        "</answer>",
        "<text>",
        "</text>",
        "<sources>",
        "</sources>",
        "<source>",
        "</source>",
        "<answer_part>",
        "</answer_part>",
    ];
    while let Some(at) = rest.find('<') {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        match MARKS.iter().find(|mark| rest.starts_with(*mark)) {
            Some(mark) => rest = &rest[mark.len()..],
            None => {
                plain.push('<');
                rest = &rest[1..];
            }
        }
    }
    plain.push_str(rest);
    plain.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").trim().to_owned()
}

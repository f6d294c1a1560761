//! Where parts stand in the answer, in code points: parts are joined by one space; the end is inclusive in a whole
//! answer and exclusive in a stream, as recorded from Bedrock.

#[cfg(test)]
mod tests;

use outcrop_api::bedrock_agent_runtime::{Citation, GeneratedResponsePart, RetrievedReference, Span, TextResponsePart};

/// Counts characters as parts are told.
#[derive(Debug, Default)]
pub(super) struct Spans {
    /// Where the next part begins.
    at: usize,
    begun: bool,
}

impl Spans {
    /// The text by which the next part is told, with the space before it, and its place: begin and exclusive end.
    pub fn next(&mut self, part: &str) -> (String, usize, usize) {
        let told = if self.begun { format!(" {part}") } else { part.to_owned() };
        let start = self.at + usize::from(self.begun);
        let end = start + part.chars().count();
        (self.at, self.begun) = (end, true);
        (told, start, end)
    }
}

/// The citation of a part. `end` is as the answer tells it.
pub(super) fn citation(text: &str, start: usize, end: usize, references: Vec<RetrievedReference>) -> Citation {
    let number = |at: usize| i32::try_from(at).ok();
    told(text, Span { start: number(start), end: number(end) }, references)
}

/// The citation of an answer that there is not: Bedrock tells its text and an empty span.
pub(super) fn none(text: &str) -> Citation {
    told(text, Span::default(), Vec::new())
}

fn told(text: &str, span: Span, references: Vec<RetrievedReference>) -> Citation {
    Citation {
        generated_response_part: Some(GeneratedResponsePart {
            text_response_part: Some(TextResponsePart { span: Some(span), text: Some(text.to_owned()) }),
        }),
        retrieved_references: Some(references),
    }
}

//! Text whose headings are lines of their own: reStructuredText, AsciiDoc, Org. Everything else of it stays as it stands.

use crate::detect::extension;
use crate::text::paragraphs;
use crate::{Document, Role, charset};

/// How headings are marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Markup {
    /// reStructuredText: a line under the title.
    Rest,
    /// AsciiDoc: `==` before it.
    AsciiDoc,
    /// Org: `**` before it.
    Org,
}

/// A heading, and how many lines it takes.
struct Heading<'a> {
    level: u8,
    title: &'a str,
    lines: usize,
}

/// The deepest level that is told.
const DEEPEST: u8 = 6;

impl Markup {
    /// The markup of a file of that name, if it has one.
    pub(crate) fn of(name: &str) -> Option<Self> {
        match extension(name)?.as_str() {
            "rst" => Some(Self::Rest),
            "adoc" | "asciidoc" => Some(Self::AsciiDoc),
            "org" => Some(Self::Org),
            _ => None,
        }
    }
}

/// Reads a text file of that markup.
pub(crate) fn parse(bytes: &[u8], charset: Option<&str>, markup: Markup) -> Document {
    let read = charset::decode(bytes, charset);
    let mut document = Document::default();
    document.attribute("charset", read.charset);
    let text = read.text.as_str();
    // Kinds of underlines, the outermost first.
    let mut kinds = Vec::new();
    // What ends the listing that is being read.
    let mut fence = None;
    // Whether a paragraph may begin here.
    let mut begins = true;
    let (mut from, mut at) = (0, 0);
    while at < text.len() {
        let rest = &text[at..];
        let line = rest.lines().next().unwrap_or_default().trim_end();
        let heading = match markup {
            Markup::Rest if begins => underlined(rest, &mut kinds),
            Markup::Rest => None,
            Markup::AsciiDoc if fence.is_some() || is_fence(line) => {
                fence = match fence {
                    None => Some(line),
                    Some(open) if open == line => None,
                    open => open,
                };
                None
            }
            Markup::AsciiDoc => marked(line, '='),
            Markup::Org => marked(line, '*'),
        };
        begins = heading.is_some() || line.is_empty();
        let taken = heading.as_ref().map_or(1, |heading| heading.lines);
        let next = at + rest.split_inclusive('\n').take(taken).map(str::len).sum::<usize>();
        if let Some(heading) = heading {
            paragraphs(&mut document, &text[from..at], None);
            document.push(Role::Heading(heading.level), heading.title, None);
            from = next;
        }
        at = next;
    }
    paragraphs(&mut document, &text[from..], None);
    document.titled()
}

/// A title with a line of one sign under it, or with one above and one under it. Which kind of lines is which level, the
/// order says in which they come ("Sections" of the reStructuredText specification).
fn underlined<'a>(text: &'a str, kinds: &mut Vec<(u8, bool)>) -> Option<Heading<'a>> {
    let mut lines = text.lines();
    let first = lines.next()?;
    let over = adornment(first);
    let title = if over.is_some() { lines.next()? } else { first };
    let line = lines.next()?.trim_end();
    let under = adornment(line)?;
    let fits = line.len() >= 4 || line.len() >= title.trim_end().chars().count();
    let begins = match over {
        Some(over) => over == under && adornment(title).is_none(),
        None => !title.starts_with(char::is_whitespace),
    };
    if !fits || !begins || title.trim().is_empty() {
        return None;
    }
    let kind = (under, over.is_some());
    let level = kinds.iter().position(|known| *known == kind).unwrap_or_else(|| {
        kinds.push(kind);
        kinds.len() - 1
    });
    Some(Heading { level: told(level + 1), title: title.trim(), lines: 2 + usize::from(over.is_some()) })
}

/// The sign of a line that has but one, from its beginning.
fn adornment(line: &str) -> Option<u8> {
    let line = line.trim_end().as_bytes();
    let sign = *line.first().filter(|sign| sign.is_ascii_punctuation())?;
    let one = line.len() > 1 && line.iter().all(|byte| *byte == sign);
    // A comment, and what begins a literal block.
    (one && line != b".." && line != b"::").then_some(sign)
}

/// A title behind as many signs as it lies deep.
fn marked(line: &str, sign: char) -> Option<Heading<'_>> {
    let title = line.trim_start_matches(sign);
    let level = line.len() - title.len();
    let is = level > 0 && title.starts_with(' ') && !title.trim().is_empty();
    is.then(|| Heading { level: told(level), title: title.trim(), lines: 1 })
}

fn told(level: usize) -> u8 {
    u8::try_from(level).unwrap_or(DEEPEST).min(DEEPEST)
}

/// What begins and ends a listing, a literal, a passage that is passed through, or a comment in AsciiDoc.
fn is_fence(line: &str) -> bool {
    line.starts_with("```") || line.len() >= 4 && adornment(line).is_some_and(|sign| b"-.+/".contains(&sign))
}

#[cfg(test)]
mod tests;

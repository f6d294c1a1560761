//! Markdown: CommonMark with tables, footnotes and a front matter.

use pulldown_cmark::{CodeBlockKind, Event, MetadataBlockKind, Options, Parser, Tag, TagEnd};

use crate::charset;
use crate::html;
use crate::{Document, Role};

/// Reads a Markdown file.
pub(crate) fn parse(bytes: &[u8], charset: Option<&str>) -> Document {
    let read = charset::decode(bytes, charset);
    let mut document = Document::default();
    document.attribute("charset", read.charset);
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_HEADING_ATTRIBUTES
        | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS
        | Options::ENABLE_PLUSES_DELIMITED_METADATA_BLOCKS;
    let mut reader = Reader { document, ..Reader::default() };
    for event in Parser::new_ext(&read.text, options) {
        reader.event(event);
    }
    reader.flush();
    let mut document = reader.document;
    if document.title.is_none() {
        let first = document.blocks.iter().find(|block| matches!(block.role, Role::Heading(1)));
        document.title = first.map(|block| block.text.clone());
    }
    document
}

#[derive(Default)]
struct Reader {
    document: Document,
    /// Text of the block that is being read.
    text: String,
    /// The role that it will have.
    role: Option<Role>,
    /// The lists around, with the next number of the ordered ones.
    lists: Vec<Option<u64>>,
    /// Cells of the row that is being read.
    cells: Vec<String>,
    /// Raw HTML that stands between Markdown.
    html: String,
    /// Inside of the front matter.
    front: bool,
    /// Just behind an item's mark.
    marked: bool,
}

impl Reader {
    fn flush(&mut self) {
        let text = std::mem::take(&mut self.text);
        let role = self.role.take().unwrap_or(if self.lists.is_empty() { Role::Paragraph } else { Role::Item });
        self.document.push(role, text, None);
        let html = std::mem::take(&mut self.html);
        if !html.trim().is_empty() {
            self.document.blocks.extend(html::fragment(&html));
        }
    }

    fn event(&mut self, event: Event) {
        let marks = matches!(event, Event::Start(Tag::Item | Tag::FootnoteDefinition(_)));
        self.read(event);
        self.marked = marks;
    }

    fn read(&mut self, event: Event) {
        match event {
            Event::Html(html) => self.html.push_str(&html),
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) if self.front => self.title(&text),
            Event::Text(text) | Event::Code(text) | Event::InlineMath(text) | Event::DisplayMath(text) => {
                self.text.push_str(&text);
            }
            Event::InlineHtml(tag) if tag.starts_with("<br") => self.text.push('\n'),
            Event::SoftBreak => self.text.push(' '),
            Event::HardBreak => self.text.push('\n'),
            Event::FootnoteReference(name) => {
                self.text.push('[');
                self.text.push_str(&name);
                self.text.push(']');
            }
            Event::TaskListMarker(done) => self.text.push_str(if done { "[x] " } else { "[ ] " }),
            Event::InlineHtml(_) | Event::Rule => {}
        }
    }

    fn start(&mut self, tag: Tag) {
        match tag {
            Tag::Heading { level, .. } => {
                self.flush();
                self.role = Some(Role::Heading(level as u8));
            }
            // A loose item's first paragraph belongs to the mark before it.
            Tag::Paragraph if self.marked => {}
            Tag::Paragraph => self.flush(),
            Tag::CodeBlock(kind) => {
                self.flush();
                self.role = Some(Role::Verbatim);
                if let CodeBlockKind::Fenced(info) = kind
                    && info.contains("title=")
                {
                    self.text.push_str(&info);
                    self.text.push('\n');
                }
            }
            Tag::List(first) => {
                self.flush();
                self.lists.push(first);
            }
            Tag::Item => {
                self.flush();
                self.role = Some(Role::Item);
                match self.lists.last_mut() {
                    Some(Some(number)) => {
                        self.text = format!("{number}. ");
                        *number += 1;
                    }
                    _ => self.text.push_str("- "),
                }
            }
            Tag::FootnoteDefinition(name) => {
                self.flush();
                self.role = Some(Role::Note);
                self.text = format!("[{name}] ");
            }
            Tag::Table(_) | Tag::HtmlBlock | Tag::BlockQuote(_) => self.flush(),
            Tag::MetadataBlock(MetadataBlockKind::YamlStyle | MetadataBlockKind::PlusesStyle) => {
                self.flush();
                self.front = true;
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::TableCell => self.cells.push(std::mem::take(&mut self.text).trim().replace('\n', " ")),
            TagEnd::TableHead | TagEnd::TableRow => {
                let row = std::mem::take(&mut self.cells);
                if row.iter().any(|cell| !cell.is_empty()) {
                    self.document.push(Role::Row, row.join(" | "), None);
                }
            }
            TagEnd::List(_) => {
                self.flush();
                self.lists.pop();
            }
            TagEnd::MetadataBlock(_) => self.front = false,
            TagEnd::Heading(_)
            | TagEnd::Paragraph
            | TagEnd::CodeBlock
            | TagEnd::Item
            | TagEnd::FootnoteDefinition
            | TagEnd::HtmlBlock => self.flush(),
            _ => {}
        }
    }

    /// The front matter's title; its other members are for the site that it was written for.
    fn title(&mut self, front: &str) {
        for line in front.lines() {
            if let Some((key, value)) = line.split_once([':', '='])
                && key.trim() == "title"
            {
                self.document.title = Some(value.trim().trim_matches(['"', '\'']).to_owned());
            }
        }
    }
}

#[cfg(test)]
mod tests;

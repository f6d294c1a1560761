//! Documents: PDF as it is, everything that is text as text.

use outcrop_api::bedrock_runtime::*;

use super::request::Body;
use crate::DialectError;
use crate::request::no_place;

type Result<T> = std::result::Result<T, DialectError>;

/// Whether a document that is a file is taken as it is.
pub fn reads(document: &DocumentBlock) -> bool {
    use DocumentFormat as Format;
    matches!(document.format, Some(Format::Pdf | Format::Txt | Format::Md | Format::Csv | Format::Html))
}

impl Body {
    pub(super) fn document(&mut self, document: &DocumentBlock, at: &str) -> Result<()> {
        self.text("type", "document");
        self.text("title", &document.name);
        if let Some(context) = &document.context {
            self.text("context", context);
        }
        self.citing(document.citations.as_ref());
        self.out.key("source");
        self.out.begin_object();
        match &document.source {
            DocumentSource::Bytes(bytes) => self.file(bytes, document.format.as_ref(), at)?,
            DocumentSource::Text(text) => self.plain_text(text),
            DocumentSource::Content(parts) => {
                self.text("type", "content");
                self.out.key("content");
                self.out.begin_array();
                for part in parts {
                    let DocumentContentBlock::Text(text) = part else { continue };
                    self.out.begin_object();
                    self.text("type", "text");
                    self.text("text", text);
                    self.out.end_object();
                }
                self.out.end_array();
            }
            DocumentSource::S3Location(_) => return Err(no_place(format!("{at}.document.source.s3Location"))),
            DocumentSource::Unset => return Err(no_place(format!("{at}.document.source"))),
        }
        self.out.end_object();
        Ok(())
    }

    fn file(&mut self, bytes: &[u8], format: Option<&DocumentFormat>, at: &str) -> Result<()> {
        use DocumentFormat as Format;
        let pdf = match format {
            Some(format) => *format == Format::Pdf,
            None => bytes.starts_with(b"%PDF-"),
        };
        if pdf {
            self.text("type", "base64");
            self.text("media_type", "application/pdf");
            self.out.key("data");
            self.out.blob(bytes);
            return Ok(());
        }
        let text = match format {
            None | Some(Format::Txt | Format::Md | Format::Csv | Format::Html) => std::str::from_utf8(bytes).ok(),
            Some(_) => None,
        };
        match (text, format) {
            (Some(text), _) => self.plain_text(text),
            (None, Some(format)) => {
                return Err(no_place(format!("a document of the format {} at {at}", format.as_str())));
            }
            (None, None) => return Err(no_place(format!("the document at {at}, which is neither PDF nor text"))),
        }
        Ok(())
    }

    fn plain_text(&mut self, text: &str) {
        self.text("type", "text");
        self.text("media_type", "text/plain");
        self.text("data", text);
    }
}

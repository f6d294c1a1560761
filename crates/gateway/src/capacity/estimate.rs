//! What a call may take, before it is known.

use outcrop_api::bedrock_runtime::{
    ContentBlock, ConverseRequest, DocumentBlock, DocumentContentBlock, DocumentSource, SystemContentBlock,
    ToolResultContentBlock,
};
use outcrop_models::Model;

/// Bytes of text that a token stands for, on the average of English and code.
const BYTES_PER_TOKEN: u64 = 4;
/// Tokens of an image, a page or a moment of film: what Anthropic's documentation has for an image of full size.
const PER_IMAGE: u64 = 1_600;
/// Tokens of an answer where neither the caller nor the catalogue has a bound.
const ANSWER: u64 = 4_096;

/// Tokens that a call may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Estimate {
    /// To read.
    pub input: u64,
    /// To write, at most.
    pub output: u64,
}

impl Estimate {
    /// Of a conversation with `model`.
    pub fn of(request: &ConverseRequest, model: &Model) -> Self {
        let mut size = Size::default();
        for block in request.system.iter().flatten() {
            if let SystemContentBlock::Text(text) = block {
                size.text(text);
            }
        }
        for block in request.messages.iter().flatten().flat_map(|message| &message.content) {
            size.block(block);
        }
        if let Some(tools) = &request.tool_config {
            size.bytes += outcrop_wire::encode::body(tools, Vec::new()).len() as u64;
        }
        let asked = request.inference_config.as_ref().and_then(|config| config.max_tokens);
        let asked = asked.and_then(|tokens| u64::try_from(tokens).ok());
        let most = model.max_output.map(u64::from);
        let output = match (asked, most) {
            (Some(asked), Some(most)) => asked.min(most),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => ANSWER,
        };
        Self { input: size.tokens(), output }
    }

    /// Of texts to be embedded.
    pub fn of_texts(texts: &[String]) -> Self {
        let mut size = Size::default();
        texts.iter().for_each(|text| size.text(text));
        Self { input: size.tokens(), output: 0 }
    }

    /// All of it.
    pub fn tokens(self) -> u64 {
        self.input.saturating_add(self.output)
    }
}

#[derive(Default)]
struct Size {
    bytes: u64,
    images: u64,
}

impl Size {
    fn tokens(&self) -> u64 {
        self.bytes.div_ceil(BYTES_PER_TOKEN) + self.images * PER_IMAGE
    }

    fn text(&mut self, text: &str) {
        self.bytes += text.len() as u64;
    }

    fn block(&mut self, block: &ContentBlock) {
        match block {
            ContentBlock::Text(text) => self.text(text),
            ContentBlock::ToolUse(tool) => self.bytes += tool.input.to_string().len() as u64,
            ContentBlock::ToolResult(result) => {
                for part in &result.content {
                    match part {
                        ToolResultContentBlock::Text(text) => self.text(text),
                        ToolResultContentBlock::Json(json) => self.bytes += json.to_string().len() as u64,
                        ToolResultContentBlock::Document(document) => self.document(document),
                        _ => self.images += 1,
                    }
                }
            }
            ContentBlock::Document(document) => self.document(document),
            ContentBlock::Image(_) | ContentBlock::Video(_) | ContentBlock::Audio(_) => self.images += 1,
            _ => {}
        }
    }

    fn document(&mut self, document: &DocumentBlock) {
        match &document.source {
            DocumentSource::Text(text) => self.text(text),
            DocumentSource::Content(parts) => {
                for part in parts {
                    if let DocumentContentBlock::Text(text) = part {
                        self.text(text);
                    }
                }
            }
            _ => self.images += 1,
        }
    }
}

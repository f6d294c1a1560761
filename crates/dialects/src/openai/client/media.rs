//! Images, sound, video and documents as parts of a message.

use std::borrow::Cow;

use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD;
use outcrop_api::bedrock_runtime::*;
use serde::Serialize;
use serde::ser::Serializer;

use super::{Pdf, Quirks};
use crate::DialectError;
use crate::converse::paper;
use crate::request::no_place;

/// A part of a message's content.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Part<'a> {
    Text { text: Cow<'a, str> },
    ImageUrl { image_url: Url<'a> },
    VideoUrl { video_url: Url<'a> },
    InputAudio { input_audio: Audio<'a> },
    File { file: File<'a> },
    DocumentUrl { document_url: Data<'a>, document_name: &'a str },
}

#[derive(Serialize)]
pub(super) struct Url<'a> {
    url: Data<'a>,
}

#[derive(Serialize)]
pub(super) struct Audio<'a> {
    data: Data<'a>,
    format: &'a str,
}

#[derive(Serialize)]
pub(super) struct File<'a> {
    filename: String,
    file_data: Data<'a>,
}

/// Bytes in base64, as a data URL where they have a type. Written straight into the body: they may be large.
pub(super) struct Data<'a> {
    kind: Option<(&'static str, &'a str)>,
    bytes: &'a [u8],
}

impl Serialize for Data<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let data = Base64Display::new(self.bytes, &STANDARD);
        match self.kind {
            Some((class, name)) => serializer.collect_str(&format_args!("data:{class}/{name};base64,{data}")),
            None => serializer.collect_str(&data),
        }
    }
}

impl<'a> Part<'a> {
    pub(super) fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self::Text { text: text.into() }
    }

    /// A guarded image: its format is another type.
    pub(super) fn picture(format: &'a str, bytes: &'a [u8]) -> Self {
        Self::ImageUrl { image_url: Url { url: Data { kind: Some(("image", format)), bytes } } }
    }
}

/// The image at `at`.
pub(super) fn image<'a>(at: &dyn Fn() -> String, image: &'a ImageBlock) -> Result<Part<'a>, DialectError> {
    match &image.source {
        ImageSource::Bytes(bytes) => Ok(Part::picture(image.format.as_str(), bytes)),
        ImageSource::S3Location(_) => Err(no_place(format!("{}.source.s3Location", at()))),
        ImageSource::Unset => Err(no_place(at())),
    }
}

/// The sound at `at`.
pub(super) fn audio<'a>(
    quirks: &Quirks,
    at: &dyn Fn() -> String,
    audio: &'a AudioBlock,
) -> Result<Part<'a>, DialectError> {
    let format = audio.format.as_str();
    match &audio.source {
        AudioSource::Bytes(bytes) if quirks.av || matches!(format, "wav" | "mp3") => {
            Ok(Part::InputAudio { input_audio: Audio { data: Data { kind: None, bytes }, format } })
        }
        AudioSource::S3Location(_) => Err(no_place(format!("{}.source.s3Location", at()))),
        _ => Err(no_place(at())),
    }
}

/// The video at `at`.
pub(super) fn video<'a>(
    quirks: &Quirks,
    at: &dyn Fn() -> String,
    video: &'a VideoBlock,
) -> Result<Part<'a>, DialectError> {
    match &video.source {
        VideoSource::Bytes(bytes) if quirks.av => {
            let url = Data { kind: Some(("video", video.format.as_str())), bytes };
            Ok(Part::VideoUrl { video_url: Url { url } })
        }
        VideoSource::S3Location(_) => Err(no_place(format!("{}.source.s3Location", at()))),
        _ => Err(no_place(at())),
    }
}

/// The document at `at`: its text between tags that name it, or its file where that is a PDF.
pub(super) fn document<'a>(
    quirks: &Quirks,
    at: &dyn Fn() -> String,
    document: &'a DocumentBlock,
) -> Result<Part<'a>, DialectError> {
    if document.citations.as_ref().is_some_and(|citations| citations.enabled) {
        return Err(no_place(format!("{}.citations", at())));
    }
    if let Some(text) = paper(document) {
        return Ok(Part::text(text));
    }
    let format = document.format.as_ref().map_or("txt", DocumentFormat::as_str);
    match &document.source {
        DocumentSource::Bytes(bytes) if format == "pdf" && quirks.reads(document) => {
            let file_data = Data { kind: Some(("application", "pdf")), bytes };
            if quirks.pdf == Pdf::Url {
                return Ok(Part::DocumentUrl { document_url: file_data, document_name: &document.name });
            }
            Ok(Part::File { file: File { filename: format!("{}.pdf", document.name), file_data } })
        }
        DocumentSource::S3Location(_) => Err(no_place(format!("{}.source.s3Location", at()))),
        DocumentSource::Bytes(_) if matches!(format, "txt" | "md" | "csv" | "html") => {
            Err(no_place(format!("{}.source.bytes that is not UTF-8", at())))
        }
        _ => Err(no_place(format!("{} of the format {format}", at()))),
    }
}

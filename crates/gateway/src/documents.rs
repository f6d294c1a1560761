//! What a conversation shows beside its text: objects of buckets become bytes, and files become text for those who
//! cannot read files.
//!
//! An object is read with the caller's own rights. A file is read behind the wall, once for all targets; who reads it
//! natively gets it as it is. Citations of documents that nobody else makes are found in the answer ([`cite`]).

mod cite;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use bytes::Bytes;
use outcrop_access::Context;
use outcrop_api::bedrock_runtime::{
    AudioSource, ContentBlock, ConverseRequest, DocumentBlock, DocumentFormat, DocumentSource, ImageSource, S3Location,
    ToolResultContentBlock, VideoSource,
};
use outcrop_api::{AwsError, Fault, Kind};
use outcrop_buckets::{BucketError, Buckets};
use outcrop_extract::wall::Wall;
use outcrop_extract::{Document, Format, detect};
use outcrop_models::{Invocation, Resolved};
use outcrop_providers::{Answer, Call, Failure, Provider};

use crate::Gateway;
use crate::options::Options;
use crate::routing::{Plan, Target};
use cite::Cited;

/// The most documents of a request, and bytes of each; bytes of an image (Converse API reference).
const DOCUMENTS: usize = 5;
const DOCUMENT: usize = 4_500_000;
const IMAGE: u64 = 3_750_000;
/// Bytes of a video or of sound: what AWS takes of one in a request.
const FILM: u64 = 25_000_000;

/// Where shown things lie, and what reads them.
#[derive(Clone)]
pub struct Papers {
    /// What `s3Location` names.
    pub buckets: Buckets,
    /// What reads files.
    pub wall: Arc<Wall>,
}

/// A conversation's documents as those who answer get them.
#[derive(Default)]
pub(crate) struct Ready {
    /// The conversation as it was, for those who read its files themselves.
    native: Option<Arc<ConverseRequest>>,
    /// What was read of a document, by its place among all of them.
    read: Vec<(usize, Document)>,
}

/// Something that is shown.
enum Shown<'a> {
    Image(&'a mut ImageSource),
    Video(&'a mut VideoSource),
    Audio(&'a mut AudioSource),
    Document(&'a mut DocumentBlock),
}

/// All that is shown, with its path.
fn shown(request: &mut ConverseRequest) -> Vec<(String, Shown<'_>)> {
    let mut all = Vec::new();
    for (i, message) in request.messages.iter_mut().flatten().enumerate() {
        for (j, block) in message.content.iter_mut().enumerate() {
            let at = |name: &str| format!("messages.{i}.content.{j}.{name}");
            match block {
                ContentBlock::Image(image) => all.push((at("image"), Shown::Image(&mut image.source))),
                ContentBlock::Video(video) => all.push((at("video"), Shown::Video(&mut video.source))),
                ContentBlock::Audio(audio) => all.push((at("audio"), Shown::Audio(&mut audio.source))),
                ContentBlock::Document(document) => all.push((at("document"), Shown::Document(document))),
                ContentBlock::ToolResult(result) => {
                    for (k, part) in result.content.iter_mut().enumerate() {
                        let at = |name: &str| format!("messages.{i}.content.{j}.toolResult.content.{k}.{name}");
                        match part {
                            ToolResultContentBlock::Image(it) => all.push((at("image"), Shown::Image(&mut it.source))),
                            ToolResultContentBlock::Video(it) => all.push((at("video"), Shown::Video(&mut it.source))),
                            ToolResultContentBlock::Document(it) => all.push((at("document"), Shown::Document(it))),
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
    }
    all
}

/// The documents that may be changed, with their paths.
fn documents_mut(request: &mut ConverseRequest) -> Vec<(String, &mut DocumentBlock)> {
    let all = shown(request).into_iter();
    all.filter_map(|(at, one)| if let Shown::Document(document) = one { Some((at, document)) } else { None }).collect()
}

/// The documents, in the same order.
fn documents(request: &ConverseRequest) -> Vec<&DocumentBlock> {
    let mut all = Vec::new();
    for block in request.messages.iter().flatten().flat_map(|message| &message.content) {
        match block {
            ContentBlock::Document(document) => all.push(document),
            ContentBlock::ToolResult(result) => all.extend(result.content.iter().filter_map(|part| match part {
                ToolResultContentBlock::Document(document) => Some(document),
                _ => None,
            })),
            _ => {}
        }
    }
    all
}

/// Whether its citations are asked for.
fn is_cited(document: &DocumentBlock) -> bool {
    document.citations.as_ref().is_some_and(|citations| citations.enabled)
}

/// Holds Converse's documents to its limits. Models' own formats have others.
pub(crate) fn limits(request: &ConverseRequest) -> Result<(), Fault> {
    let all = documents(request);
    if all.len() > DOCUMENTS {
        return Err(Fault::validation(format!(
            "The request has {} documents; at most {DOCUMENTS} are allowed. Remove documents and try again.",
            all.len()
        )));
    }
    for document in all {
        let size = match &document.source {
            DocumentSource::Bytes(bytes) => bytes.len(),
            DocumentSource::Text(text) => text.len(),
            _ => 0,
        };
        if size > DOCUMENT {
            return Err(Fault::validation(format!(
                "The document {:?} has {size} bytes; a document has at most 4.5 MB. Send a smaller document and try again.",
                document.name
            )));
        }
    }
    Ok(())
}

/// Reads what lies in buckets, with the caller's rights.
pub(crate) async fn fetch(papers: Option<&Papers>, cx: &Context, request: &mut ConverseRequest) -> Result<(), Fault> {
    for (at, one) in shown(request) {
        match one {
            Shown::Image(source) => {
                if let ImageSource::S3Location(place) = source {
                    *source = ImageSource::Bytes(object(papers, cx, &at, place, IMAGE).await?);
                }
            }
            Shown::Video(source) => {
                if let VideoSource::S3Location(place) = source {
                    *source = VideoSource::Bytes(object(papers, cx, &at, place, FILM).await?);
                }
            }
            Shown::Audio(source) => {
                if let AudioSource::S3Location(place) = source {
                    *source = AudioSource::Bytes(object(papers, cx, &at, place, FILM).await?);
                }
            }
            Shown::Document(document) => {
                if let DocumentSource::S3Location(place) = &document.source {
                    document.source = DocumentSource::Bytes(object(papers, cx, &at, place, DOCUMENT as u64).await?);
                }
            }
        }
    }
    Ok(())
}

async fn object(
    papers: Option<&Papers>,
    cx: &Context,
    at: &str,
    place: &S3Location,
    most: u64,
) -> Result<Bytes, Fault> {
    let Some(papers) = papers else {
        return Err(Fault::validation(format!(
            "The s3Location at {at}.source can't be read: this server has no buckets. Send the bytes and try again."
        )));
    };
    let parts = place.uri.strip_prefix("s3://").and_then(|rest| rest.split_once('/'));
    let Some((bucket, key)) = parts.filter(|(bucket, key)| !bucket.is_empty() && !key.is_empty()) else {
        return Err(Fault::validation(format!("{} at {at}.source.s3Location is no S3 URI of an object.", place.uri)));
    };
    // A bucket of another account opens to nobody, so that the only owner who can be right is the caller's own account.
    if place.bucket_owner.as_ref().is_some_and(|owner| *owner != cx.caller.account) {
        let text =
            format!("Access Denied: the bucket of {} is not owned by the bucketOwner at {at}.source.", place.uri);
        return Err(Fault::new(Kind::AccessDenied, text));
    }
    let read = papers.buckets.get(cx, bucket, key, most).await;
    read.map(|content| content.bytes).map_err(|error| match &error {
        BucketError::Denied(_) | BucketError::Failed(_) => Fault::of(&error),
        // Converse has no error of its own for what does not exist beside the model.
        other => Fault::validation(format!("{} at {at}.source can't be read: {}", place.uri, other.message())),
    })
}

/// Whether `provider` is sent a document as it is.
fn as_is(document: &DocumentBlock, provider: &dyn Provider, resolved: &Resolved) -> bool {
    let DocumentSource::Bytes(bytes) = &document.source else { return true };
    use DocumentFormat as File;
    let plain = matches!(document.format, Some(File::Txt | File::Md | File::Csv | File::Html));
    if plain && std::str::from_utf8(bytes).is_err() {
        return false;
    }
    let citable = provider.cites() || matches!(document.format, Some(File::Txt | File::Md | File::Csv));
    provider.reads(document) && (plain || resolved.model.family.documents) && (citable || !is_cited(document))
}

fn all_as_is(request: &ConverseRequest, provider: &dyn Provider, resolved: &Resolved) -> bool {
    documents(request).into_iter().all(|document| as_is(document, provider, resolved))
}

/// Makes text of the files in `request` that somebody of `plan` cannot read. Where the call has guardrails, everybody
/// gets the text, since they judge that.
pub(crate) async fn read(
    papers: Option<&Papers>,
    plan: &Plan,
    resolved: &Resolved,
    request: &mut ConverseRequest,
    guarded: bool,
) -> Result<Ready, Fault> {
    let mut ready = Ready::default();
    for (_, document) in documents_mut(request) {
        if let (DocumentSource::Bytes(bytes), None) = (&document.source, &document.format) {
            document.format = format(bytes);
        }
    }
    let native = |target: &Target| all_as_is(request, target.provider(), resolved);
    if plan.all(native) {
        return Ok(ready);
    }
    let some = !guarded && !plan.all(|target| !native(target));
    ready.native = some.then(|| Arc::new(request.clone()));
    for (index, (at, document)) in documents_mut(request).into_iter().enumerate() {
        let DocumentSource::Bytes(bytes) = &document.source else { continue };
        if plan.all(|target| as_is(document, target.provider(), resolved)) {
            continue;
        }
        let Some(papers) = papers else {
            return Err(Fault::validation(format!(
                "This model doesn't support the document content block that you provided. Update the content block \
                 and try again. (The block at {at}, the model {}.)",
                resolved.model.id
            )));
        };
        let kind = document.format.as_ref().map_or("", DocumentFormat::as_str);
        let read = papers.wall.read(bytes.clone(), format!("document.{kind}"), None).await;
        let read = read.and_then(|read| read.no_text().map_or(Ok(read), Err)).map_err(|failure| {
            Fault::validation(format!("The document {:?} at {at} could not be read: {failure}.", document.name))
        })?;
        document.source = DocumentSource::Text(read.text());
        document.format = Some(DocumentFormat::Txt);
        ready.read.push((index, read));
    }
    Ok(ready)
}

/// What a file is that comes without its format.
fn format(bytes: &[u8]) -> Option<DocumentFormat> {
    match detect(bytes, "", None) {
        Format::Pdf => Some(DocumentFormat::Pdf),
        Format::Doc => Some(DocumentFormat::Doc),
        Format::Docx => Some(DocumentFormat::Docx),
        Format::Workbook => Some(DocumentFormat::Xlsx),
        Format::Html => Some(DocumentFormat::Html),
        Format::Text | Format::Markdown | Format::Csv => Some(DocumentFormat::Txt),
        _ => None,
    }
}

impl Gateway {
    /// Whether whoever may answer `request` reads its files with eyes of its own, so that none gets the text alone.
    pub async fn reads_files(&self, cx: &Context, request: &ConverseRequest) -> Result<bool, Fault> {
        let resolved = self.resolve(cx, Invocation::new("bedrock:InvokeModel"), &request.model_id).await?;
        let plan = self.plan_conversation(cx, &resolved, request, &Options::of(request), false)?;
        Ok(plan.all(|target| all_as_is(request, target.provider(), &resolved)))
    }
}

impl Ready {
    /// Has `target` answer `call`.
    pub(crate) async fn converse(&self, target: &Target, resolved: &Resolved, call: Call) -> Result<Answer, Failure> {
        let (call, cited) = self.fit(target, resolved, call);
        let answer = target.provider().converse(call).await?;
        Ok(match cited {
            Some(cited) => cited.watch(answer),
            None => answer,
        })
    }

    /// Has `target` count the tokens of `call`.
    pub(crate) async fn count(&self, target: &Target, resolved: &Resolved, call: Call) -> Result<u32, Failure> {
        let (call, _) = self.fit(target, resolved, call);
        target.provider().count_tokens(call).await
    }

    /// `call` as `target` takes it, and what finds the citations that it will not make.
    fn fit(&self, target: &Target, resolved: &Resolved, mut call: Call) -> (Call, Option<Cited>) {
        let provider = target.provider();
        if let Some(native) = self.native.as_ref().filter(|native| all_as_is(native, provider, resolved)) {
            call.request = Arc::clone(native);
        }
        let documents = documents(&call.request);
        if provider.cites() || !documents.iter().any(|document| is_cited(document)) {
            return (call, None);
        }
        let cited = Cited::of(&documents, &self.read);
        let mut request = (*call.request).clone();
        for (_, document) in documents_mut(&mut request) {
            document.citations = None;
        }
        call.request = Arc::new(request);
        (call, Some(cited))
    }
}

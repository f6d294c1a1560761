use futures_util::StreamExt;
use outcrop_api::bedrock_runtime::{
    CitationsConfig, ContentBlock, ContentBlockStopEvent, ConverseStreamMetadataEvent, MessageStopEvent,
};
use outcrop_dialects::converse::Fold;

use super::*;

fn document(source: DocumentSource) -> DocumentBlock {
    let citations = Some(CitationsConfig { enabled: true });
    DocumentBlock { name: "Handbook".into(), source, citations, ..DocumentBlock::default() }
}

fn delta(text: &str, content_block_index: i32) -> ConverseStreamOutput {
    let delta = ContentBlockDelta::Text(text.to_owned());
    ConverseStreamOutput::ContentBlockDelta(ContentBlockDeltaEvent { delta, content_block_index })
}

/// The blocks of an answer that came in these pieces, beside `documents`.
async fn told(documents: &[&DocumentBlock], read: &[(usize, Document)], pieces: &[&str]) -> Vec<ContentBlock> {
    let mut events: Vec<_> = pieces.iter().map(|piece| Ok(delta(piece, 0))).collect();
    events.push(Ok(ConverseStreamOutput::ContentBlockStop(ContentBlockStopEvent { content_block_index: 0 })));
    events.push(Ok(ConverseStreamOutput::MessageStop(MessageStopEvent::default())));
    events.push(Ok(ConverseStreamOutput::Metadata(ConverseStreamMetadataEvent::default())));
    let answer = Answer::Stream { prompt: TokenUsage::default(), events: futures_util::stream::iter(events).boxed() };
    let Answer::Stream { mut events, .. } = Cited::of(documents, read).watch(answer) else { unreachable!() };
    let mut fold = Fold::new();
    while let Some(event) = events.next().await {
        fold.push(event.unwrap());
    }
    fold.into_content()
}

/// What a block says and what it cites.
fn said(block: &ContentBlock) -> (String, Option<(CitationLocation, String)>) {
    match block {
        ContentBlock::Text(text) => (text.clone(), None),
        ContentBlock::CitationsContent(cited) => {
            let text = outcrop_dialects::converse::plain(block).unwrap().into_owned();
            let citation = &cited.citations.as_ref().unwrap()[0];
            let source = citation.source_content.as_ref().unwrap().iter().map(|part| match part {
                outcrop_api::bedrock_runtime::CitationSourceContent::Text(text) => text.clone(),
                outcrop_api::bedrock_runtime::CitationSourceContent::Unset => String::new(),
            });
            assert_eq!(citation.title.as_deref(), Some("Handbook"));
            (text, Some((citation.location.clone().unwrap(), source.collect())))
        }
        other => panic!("{other:?}"),
    }
}

const TEXT: &str = "Käse first.  The office in Lisbon opened in 2011. It has forty-two desks. Lunch is at noon.";

#[tokio::test]
async fn sentences_cite_the_characters_that_support_them() {
    let text = document(DocumentSource::Text(TEXT.into()));
    // However the pieces fall.
    let answer = ["Good quest", "ion. The Lisbon off", "ice opened in 2011. In 2015 it bu", "rned down."];
    let blocks: Vec<_> = told(&[&text], &[], &answer).await.iter().map(said).collect();
    assert_eq!(blocks.len(), 3, "{blocks:?}");
    assert_eq!((blocks[0].0.as_str(), blocks[0].1.is_none()), ("Good question. ", true));
    let (said, Some((CitationLocation::DocumentChar(at), source))) = &blocks[1] else { panic!("{blocks:?}") };
    assert_eq!(said, "The Lisbon office opened in 2011. ");
    let range = at.start.unwrap() as usize..at.end.unwrap() as usize;
    let cited: String = TEXT.chars().skip(range.start).take(range.len()).collect();
    assert_eq!((cited.as_str(), at.document_index), (source.as_str(), Some(0)));
    assert_eq!(cited, "The office in Lisbon opened in 2011.");
    // A number that no document has is nobody's.
    assert_eq!((blocks[2].0.as_str(), blocks[2].1.is_none()), ("In 2015 it burned down.", true));
}

#[tokio::test]
async fn blocks_of_text_and_pages_are_cited_by_their_number() {
    let part = |text: &str| DocumentContentBlock::Text(text.into());
    let other = DocumentBlock { name: "Other".into(), ..DocumentBlock::default() };
    let parts = document(DocumentSource::Content(vec![part("Nothing here."), part("Tea costs 3 euros a cup.")]));
    let blocks: Vec<_> =
        told(&[&other, &parts], &[], &["A cup of tea costs 3 euros."]).await.iter().map(said).collect();
    let (_, Some((CitationLocation::DocumentChunk(at), source))) = &blocks[0] else { panic!("{blocks:?}") };
    assert_eq!((at.document_index, at.start, at.end), (Some(1), Some(1), Some(2)));
    assert_eq!(source, "Tea costs 3 euros a cup.");

    let block = |text: &str, page| outcrop_extract::Block {
        role: outcrop_extract::Role::Paragraph,
        text: text.into(),
        page: Some(page),
    };
    let read = Document {
        blocks: vec![block("The pump is blue.", 1), block("Tea costs 3 euros a cup.", 2)],
        pages: Some(2),
        ..Document::default()
    };
    let paged = document(DocumentSource::Text(read.text()));
    let blocks: Vec<_> =
        told(&[&paged], &[(0, read.clone())], &["A cup of tea costs 3 euros."]).await.iter().map(said).collect();
    let (_, Some((CitationLocation::DocumentPage(at), _))) = &blocks[0] else { panic!("{blocks:?}") };
    assert_eq!((at.document_index, at.start, at.end), (Some(0), Some(2), Some(3)));
    // What a guardrail masked is not told by way of a citation.
    let masked = document(DocumentSource::Text("The pump is blue.\n\nTea costs {PRICE} a cup.".into()));
    let blocks: Vec<_> =
        told(&[&masked], &[(0, read)], &["A cup of tea costs 3 euros."]).await.iter().map(said).collect();
    assert!(blocks.iter().all(|(_, citation)| citation.is_none()), "{blocks:?}");
}

#[tokio::test]
async fn other_blocks_keep_their_order() {
    let text = document(DocumentSource::Text(TEXT.into()));
    let start = outcrop_api::bedrock_runtime::ContentBlockStart::ToolUse(Default::default());
    let start = outcrop_api::bedrock_runtime::ContentBlockStartEvent { start, content_block_index: 1 };
    let stop =
        |content_block_index| Ok(ConverseStreamOutput::ContentBlockStop(ContentBlockStopEvent { content_block_index }));
    let events = vec![
        Ok(delta("The Lisbon office opened in 2011. Shall I look?", 0)),
        stop(0),
        Ok(ConverseStreamOutput::ContentBlockStart(start)),
        stop(1),
    ];
    let answer = Answer::Stream { prompt: TokenUsage::default(), events: futures_util::stream::iter(events).boxed() };
    let Answer::Stream { events, .. } = Cited::of(&[&text], &[]).watch(answer) else { unreachable!() };
    let events: Vec<_> = events.map(Result::unwrap).collect().await;
    let shape: Vec<(&str, i32)> = events
        .iter()
        .map(|event| match event {
            ConverseStreamOutput::ContentBlockStart(event) => ("start", event.content_block_index),
            ConverseStreamOutput::ContentBlockDelta(event) => ("delta", event.content_block_index),
            ConverseStreamOutput::ContentBlockStop(event) => ("stop", event.content_block_index),
            _ => ("other", -1),
        })
        .collect();
    let told = [("delta", 0), ("delta", 0), ("stop", 0), ("delta", 1), ("stop", 1), ("start", 2), ("stop", 2)];
    assert_eq!(shape, told);
}

//! How documents are cut, as callers say it.

use outcrop_api::bedrock_agent::{
    ChunkingConfiguration, ChunkingStrategy, HierarchicalChunkingConfiguration, HierarchicalChunkingLevelConfiguration,
    SemanticChunkingConfiguration,
};
use outcrop_extract::Chunking;

use super::{bucket_of, chunking, cut};

fn hierarchical(parent: i32, child: i32, overlap_tokens: i32) -> ChunkingConfiguration {
    let level = |max_tokens| HierarchicalChunkingLevelConfiguration { max_tokens };
    ChunkingConfiguration {
        chunking_strategy: ChunkingStrategy::Hierarchical,
        hierarchical_chunking_configuration: Some(HierarchicalChunkingConfiguration {
            level_configurations: vec![level(parent), level(child)],
            overlap_tokens,
        }),
        ..ChunkingConfiguration::default()
    }
}

#[test]
fn nothing_said_is_three_hundred_tokens_with_a_fifth_of_overlap() {
    assert_eq!(chunking(None).unwrap(), Chunking::Fixed { max_tokens: 300, overlap_percentage: 20 });
    assert_eq!(chunking(None).unwrap(), Chunking::default(), "as the crate that cuts has it");
}

#[test]
fn every_strategy_has_its_block() {
    assert_eq!(
        cut(&hierarchical(1500, 300, 60)).unwrap(),
        Chunking::Hierarchical { parent: 1500, child: 300, overlap: 60 }
    );
    let semantic = ChunkingConfiguration {
        chunking_strategy: ChunkingStrategy::Semantic,
        semantic_chunking_configuration: Some(SemanticChunkingConfiguration {
            max_tokens: 300,
            buffer_size: 1,
            breakpoint_percentile_threshold: 95,
        }),
        ..ChunkingConfiguration::default()
    };
    assert_eq!(cut(&semantic).unwrap(), Chunking::Semantic { max_tokens: 300, buffer: 1, percentile: 95 });
    for (strategy, block) in [
        (ChunkingStrategy::FixedSize, "fixedSizeChunkingConfiguration"),
        (ChunkingStrategy::Hierarchical, "hierarchicalChunkingConfiguration"),
        (ChunkingStrategy::Semantic, "semanticChunkingConfiguration"),
    ] {
        let bare = ChunkingConfiguration { chunking_strategy: strategy, ..ChunkingConfiguration::default() };
        let error = cut(&bare).unwrap_err().to_string();
        assert_eq!(error, format!("{block} is required when chunking strategy is {}", bare.chunking_strategy.as_str()));
    }
}

#[test]
fn levels_descend_and_overlap_less_than_a_child() {
    let error = cut(&hierarchical(300, 300, 60)).unwrap_err().to_string();
    assert_eq!(error, "Max tokens for each level in hierarchical chunking must be in descending order");
    let error = cut(&hierarchical(1500, 300, 300)).unwrap_err().to_string();
    assert_eq!(error, "Overlap tokens 300 must be smaller than the bottom level max tokens");
}

#[test]
fn a_bucket_is_what_stands_before_the_key() {
    assert_eq!(bucket_of("s3://one"), Some("one"));
    assert_eq!(bucket_of("s3://one/two/three"), Some("one"));
    assert_eq!(bucket_of("https://one"), None);
}

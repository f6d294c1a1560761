use outcrop_api::bedrock_agent_runtime::{
    FieldForReranking, FilterAttribute, ManagedSearchConfiguration, MetadataConfigurationForReranking,
    RerankingMetadataSelectionMode, RerankingMetadataSelectiveModeConfiguration, RerankingModelType, RetrievalFilter,
};
use outcrop_vectors::Mode;

use super::{Fields, Settings, fields, keep};

#[test]
fn managed_knowledge_bases_rerank_unless_told_not_to() {
    let settings = Settings::managed(None).expect("settings");
    assert_eq!((settings.number, settings.mode), (5, Mode::Hybrid));
    assert!(settings.reranking.is_some_and(|reranking| reranking.model.is_none() && reranking.keep == 5));
    let declined = ManagedSearchConfiguration {
        reranking_model_type: Some(RerankingModelType::None),
        number_of_results: Some(7),
        ..Default::default()
    };
    let settings = Settings::managed(Some(&declined)).expect("settings");
    assert!(settings.reranking.is_none() && settings.number == 7);
    let custom =
        ManagedSearchConfiguration { reranking_model_type: Some(RerankingModelType::Custom), ..Default::default() };
    assert!(Settings::managed(Some(&custom)).is_err());
    let prefix = RetrievalFilter::StartsWith(FilterAttribute { key: "a".into(), value: "b".into() });
    let filtered = ManagedSearchConfiguration { filter: Some(prefix), ..Default::default() };
    assert!(Settings::managed(Some(&filtered)).is_err());
}

#[test]
fn a_reranker_reads_the_attributes_it_is_shown() {
    assert_eq!(fields(None).expect("fields"), Fields::Text);
    let of = |mode, selective| MetadataConfigurationForReranking {
        selection_mode: mode,
        selective_mode_configuration: selective,
    };
    assert_eq!(fields(Some(&of(RerankingMetadataSelectionMode::All, None))).expect("fields"), Fields::All);
    assert!(fields(Some(&of(RerankingMetadataSelectionMode::Selective, None))).is_err());
    let year = || vec![FieldForReranking { field_name: "year".into() }];
    let only = RerankingMetadataSelectiveModeConfiguration::FieldsToInclude(year());
    let only = of(RerankingMetadataSelectionMode::Selective, Some(only));
    let only = fields(Some(&only)).expect("fields");
    assert!(only.has("year") && !only.has("team"));
    let without = RerankingMetadataSelectiveModeConfiguration::FieldsToExclude(year());
    let without = of(RerankingMetadataSelectionMode::Selective, Some(without));
    let without = fields(Some(&without)).expect("fields");
    assert!(!without.has("year") && without.has("team"));
}

#[test]
fn no_more_is_kept_than_was_found() {
    assert_eq!((keep(None, 5), keep(Some(3), 5), keep(Some(50), 5)), (5, 3, 5));
}

use outcrop_api::bedrock_agent::DeletionProtectionConfiguration;
use serde_json::json;

use super::*;

fn told(parameters: Value) -> DataSourceConfiguration {
    DataSourceConfiguration {
        r#type: DataSourceType::ManagedKnowledgeBaseConnector,
        managed_knowledge_base_connector_configuration: Some(ManagedKnowledgeBaseConnectorConfiguration {
            connector_parameters: Some(parameters),
            ..Default::default()
        }),
        ..Default::default()
    }
}

#[test]
fn a_connector_to_a_bucket_is_a_bucket() {
    let parameters = json!({
        "type": "S3", "version": "1", "aclEnabled": false,
        "connectionConfiguration": {"bucketName": "docs", "bucketOwnerAccountId": "123456789012"},
        "filterConfiguration": {"inclusionPrefixes": ["a/"], "maxFileSizeInMegaBytes": "500"},
    });
    for parameters in [parameters.clone(), json!(parameters.to_string())] {
        let configuration = told(parameters);
        let s3 = plain(&configuration).unwrap().s3_configuration.clone().unwrap();
        assert_eq!((s3.bucket_arn.as_str(), s3.inclusion_prefixes), ("arn:aws:s3:::docs", Some(vec!["a/".to_owned()])));
    }
    let custom = told(json!({"type": "CUSTOM", "version": "1"}));
    assert_eq!(plain(&custom).unwrap().r#type, DataSourceType::Custom);
}

#[test]
fn what_is_not_understood_is_named() {
    for (parameters, said) in [
        (json!({"type": "S3"}), "version"),
        (json!({"version": "1"}), "type is required"),
        (json!({"type": "S3", "version": "1"}), "bucketName"),
        (json!({"type": "S3", "version": "1", "aclEnabled": true}), "aclEnabled"),
        (json!({"type": "GOOGLE_DRIVE", "version": "1"}), "GOOGLE_DRIVE"),
        (
            json!({"type": "S3", "version": "1", "connectionConfiguration": {"bucketName": "b"},
                "filterConfiguration": {"exclusionPrefixes": ["x/"]}}),
            "exclusionPrefixes",
        ),
    ] {
        let refused = plain(&told(parameters)).unwrap_err().to_string();
        assert!(refused.contains(said), "{refused}");
    }
}

#[test]
fn deletion_protection_has_a_threshold() {
    let mut source = DataSource {
        description: None,
        configuration: crate::kept::Told(told(json!({}))),
        ingestion: None,
        retain: false,
        kms_key: None,
        state: crate::kept::State::Ready,
        failures: Vec::new(),
        synced: false,
    };
    assert_eq!(source.deletes_at_most(), None);
    let mut protect = |status, deletion_protection_threshold| {
        let connector = source.configuration.0.managed_knowledge_base_connector_configuration.as_mut().unwrap();
        connector.deletion_protection_configuration =
            Some(DeletionProtectionConfiguration { deletion_protection_status: status, deletion_protection_threshold });
        source.deletes_at_most()
    };
    assert_eq!(protect(EnabledOrDisabledState::Enabled, None), Some(15));
    assert_eq!(protect(EnabledOrDisabledState::Enabled, Some(0)), Some(0));
    assert_eq!(protect(EnabledOrDisabledState::Disabled, Some(3)), None);
}

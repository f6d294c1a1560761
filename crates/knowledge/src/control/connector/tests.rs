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
    let largest = |size: Value| {
        let mut parameters = parameters.clone();
        parameters["filterConfiguration"]["maxFileSizeInMegaBytes"] = size;
        plain(&told(parameters.clone())).map(|_| largest(&parameters).unwrap()).map_err(|error| error.to_string())
    };
    assert_eq!((largest(json!("500")), largest(json!(2))), (Ok(Some(500 << 20)), Ok(Some(2 << 20))));
    assert_eq!(largest(Value::Null), Ok(None));
    for bad in [json!("many"), json!(0), json!(-1), json!(1.5), json!([1])] {
        assert!(largest(bad).unwrap_err().contains("maxFileSizeInMegaBytes must be a whole number"));
    }
    let custom = told(json!({"type": "CUSTOM", "version": "1"}));
    assert_eq!(plain(&custom).unwrap().r#type, DataSourceType::Custom);
}

#[test]
fn a_connector_to_web_pages_is_a_crawl_with_bounds() {
    let configuration = told(json!({
        "type": "WEB", "version": "1",
        "connectionConfiguration": {"seedUrls": ["https://docs.example.com"], "authType": "NO_AUTH"},
        "crawlConfiguration": {"crawlDepth": 3, "maxCrawledUrlsPerMinute": 50, "syncScope": "SUB_DOMAINS",
            "crawlAttachments": false},
        "filterConfiguration": {"exclusionPatterns": ["/private/.*"]},
    }));
    let plain = plain(&configuration).unwrap();
    assert_eq!(plain.r#type, DataSourceType::Web);
    let web = plain.web_configuration.clone().unwrap();
    let crawler = web.crawler_configuration.clone().unwrap();
    assert_eq!(crawler.crawler_limits.clone().unwrap().rate_limit, Some(50));
    assert_eq!(crawler.exclusion_filters.as_ref().map(Vec::len), Some(2));
    assert_eq!(bounds(&configuration), Some(Bounds { sitemaps: Vec::new(), depth: 3, links: 100 }));
    let rules = crate::ingest::sources::web::Rules::read(&web, None).unwrap();
    let takes = |url: &str| rules.takes(&url::Url::parse(url).unwrap());
    assert!(takes("https://docs.example.com/a"));
    assert!(!takes("https://docs.example.com/private/a") && !takes("https://docs.example.com/a.PDF?v=1"));
}

#[test]
fn connectors_to_services_read_what_they_are_told_to() {
    let secret = "arn:aws:secretsmanager:us-east-1:123456789012:secret:s-AbCdEf";
    let confluence = told(json!({
        "type": "CONFLUENCE", "version": "1", "aclEnabled": false,
        "connectionConfiguration": {"secretArn": secret, "type": "SAAS", "authType": "BASIC",
            "hostUrl": "https://example.atlassian.net"},
        "dataEntityConfiguration": {"crawlPage": true, "crawlBlog": false},
        "filterConfiguration": {"inclusionSpaceKeys": ["ENG"]},
    }));
    let confluence = plain(&confluence).unwrap().confluence_configuration.clone().unwrap();
    let filters = confluence.crawler_configuration.unwrap().filter_configuration.unwrap();
    let filters = crate::ingest::sources::connector::Filters::read(
        Some(&filters),
        &["Space", "Page", "Blog", "Comment", "Attachment"],
    )
    .unwrap();
    assert!(filters.take("Page", "any") && filters.take("Attachment", "any") && filters.take("Space", "ENG"));
    for (object, name) in [("Blog", "any"), ("Comment", ""), ("Space", "ENGINE"), ("Space", "~ann")] {
        assert!(!filters.take(object, name), "{object} {name}");
    }

    let share_point = told(json!({
        "type": "SHAREPOINT", "version": "1", "aclEnabled": false,
        "connectionConfiguration": {"secretArn": secret, "tenantId": "12345678-1234-1234-1234-123456789012",
            "authType": "OAUTH2_APP"},
        "dataEntityConfiguration": {"siteUrls": ["https://contoso.sharepoint.com/sites/engineering"], "crawlPages": false},
    }));
    let share_point = plain(&share_point).unwrap().share_point_configuration.clone().unwrap();
    assert_eq!(share_point.source_configuration.domain, "contoso.sharepoint.com");
    crate::ingest::sources::connector::sharepoint::SharePoint::read(&share_point).unwrap();

    let salesforce = told(json!({
        "type": "SALESFORCE", "connectorType": "SALESFORCE", "version": "1",
        "connectionConfiguration": {"secretArn": secret, "authType": "OAUTH2",
            "hostUrl": "https://example.my.salesforce.com"},
        "dataEntityConfiguration": {"crawlKnowledgeArticles": true, "crawlKnowledgeArticleAttachments": false,
            "crawlArchiveKnowledgeArticleItems": false, "crawlDocuments": false},
    }));
    let salesforce = plain(&salesforce).unwrap().salesforce_configuration.clone().unwrap();
    let filters = salesforce.crawler_configuration.unwrap().filter_configuration.unwrap();
    let filters = crate::ingest::sources::connector::Filters::read(Some(&filters), &salesforce::names()).unwrap();
    let read: Vec<_> = salesforce::names().into_iter().filter(|object| filters.take(object, "any")).collect();
    assert_eq!(read, ["Knowledge__kav"]);
}

#[test]
fn what_is_not_understood_is_named() {
    for (parameters, said) in [
        (json!({"type": "S3"}), "version"),
        (json!({"version": "1"}), "type is required"),
        (json!({"type": "S3", "version": "1"}), "bucketName"),
        (json!({"type": "S3", "version": "1", "aclEnabled": true}), "aclEnabled"),
        (json!({"type": "S3", "version": "1", "aclEnabled": "true"}), "must be true or false"),
        (json!({"type": "GOOGLE_DRIVE", "version": "1"}), "GOOGLE_DRIVE"),
        (
            json!({"type": "WEB", "version": "1", "connectionConfiguration": {"seedUrls": ["https://a.example"],
                "authType": "FORM"}}),
            "authentication other than NO_AUTH",
        ),
        (
            json!({"type": "WEB", "version": "1", "connectionConfiguration": {"authType": "NO_AUTH"}}),
            "must name 1 to 10 seedUrls or siteMapUrls",
        ),
        (
            json!({"type": "WEB", "version": "1", "connectionConfiguration": {"seedUrls": ["https://a.example"],
                "authType": "NO_AUTH"}, "crawlConfiguration": {"crawlDepth": 11}}),
            "crawlDepth must be a number from 0 to 10",
        ),
        // Who leaves it out asks for lists of who may see what.
        (
            json!({"type": "CONFLUENCE", "version": "1", "connectionConfiguration": {"authType": "BASIC"}}),
            "aclEnabled must be false",
        ),
        (
            json!({"type": "SHAREPOINT", "version": "1", "connectionConfiguration": {"authType": "ENTRA_ID_APP_ONLY"}}),
            "OAUTH2_APP",
        ),
        (
            json!({"type": "SALESFORCE", "version": "1", "filterConfiguration": {"documentFilter": {"folderIds": ["1"]}}}),
            "filterConfiguration.documentFilter",
        ),
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

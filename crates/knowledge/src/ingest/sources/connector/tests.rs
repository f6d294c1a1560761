use outcrop_api::bedrock_agent::{
    CrawlFilterConfiguration, PatternObjectFilter, PatternObjectFilterConfiguration, SharePointAuthType,
    SharePointDataSourceConfiguration,
};

use super::sharepoint::SharePoint;
use super::*;

fn filter(object: &str, include: &[&str], exclude: &[&str]) -> PatternObjectFilter {
    let all = |told: &[&str]| (!told.is_empty()).then(|| told.iter().map(|one| (*one).to_owned()).collect());
    PatternObjectFilter {
        object_type: object.to_owned(),
        inclusion_filters: all(include),
        exclusion_filters: all(exclude),
    }
}

fn filters(told: Vec<PatternObjectFilter>) -> Result<Filters, String> {
    let pattern_object_filter = Some(PatternObjectFilterConfiguration { filters: told });
    let told = CrawlFilterConfiguration { pattern_object_filter, ..Default::default() };
    Filters::read(Some(&told), &["Page", "File"])
}

#[test]
fn a_filter_chooses_among_the_objects_of_its_type() {
    let all = filters(vec![filter("Page", &["^Guide"], &["Draft"])]).unwrap();
    assert!(all.take("Page", "Guide to the dome") && !all.take("Page", "Notes"));
    assert!(!all.take("Page", "Guide: Draft"), "exclusion wins");
    assert!(all.take("File", "Notes.pdf"), "a type without patterns is read whole");
    assert!(Filters::read(None, &["Page"]).unwrap().take("Page", "x"));
}

#[test]
fn filters_that_cannot_be_are_refused() {
    assert!(filters(vec![filter("Spaceship", &["x"], &[])]).unwrap_err().contains("Page, File"));
    assert!(filters(vec![filter("Page", &["(?=x)"], &[])]).unwrap_err().contains("regular expression"));
    assert!(filters(vec![filter("Page", &["a"], &[]), filter("Page", &["b"], &[])]).is_err());
    let none = CrawlFilterConfiguration::default();
    assert!(Filters::read(Some(&none), &["Page"]).unwrap_err().contains("patternObjectFilter"));
}

#[test]
fn microsofts_ended_login_is_said_to_be_ended() {
    let mut told = SharePointDataSourceConfiguration::default();
    told.source_configuration.auth_type = SharePointAuthType::Oauth2SharepointAppOnlyClientCredentials;
    assert!(SharePoint::read(&told).err().unwrap().contains("has ended"));
    told.source_configuration.auth_type = SharePointAuthType::Oauth2ClientCredentials;
    assert!(SharePoint::read(&told).err().unwrap().contains("tenantId is required"));
}

#[test]
fn times_of_all_services_are_read() {
    for told in ["2024-01-02T03:04:05Z", "2024-01-02T03:04:05.000+0000"] {
        let mut attributes = Metadata::new();
        modified(Some(told), &mut attributes);
        assert_eq!(attributes.get("epoch_modification_time"), Some(&Value::Number(1_704_164_645.0)), "{told}");
    }
    let mut attributes = Metadata::new();
    modified(Some("yesterday"), &mut attributes);
    assert!(attributes.is_empty());
}

#[test]
fn queries_hold_any_text() {
    assert_eq!(encoded("a b='ü'&c"), "a%20b%3D%27%C3%BC%27%26c");
}

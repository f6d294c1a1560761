use outcrop_api::bedrock_agent::{
    CustomTransformationConfiguration, IntermediateStorage, S3Location, Transformation, TransformationFunction,
    TransformationLambdaConfiguration,
};

use super::*;

const ARN: &str = "arn:aws:lambda:us-east-1:111122223333:function:chunker";

fn transform(uri: &str) -> Transform {
    let function = TransformationFunction {
        transformation_lambda_configuration: TransformationLambdaConfiguration { lambda_arn: ARN.into() },
    };
    let told = VectorIngestionConfiguration {
        custom_transformation_configuration: Some(CustomTransformationConfiguration {
            intermediate_storage: IntermediateStorage { s3_location: S3Location { uri: uri.into() } },
            transformations: vec![Transformation { transformation_function: function, ..Default::default() }],
        }),
        ..Default::default()
    };
    Transform::of(Some(&told), "KB", "DS", "JOB").unwrap()
}

#[test]
fn keys_lie_below_the_prefix_and_tell_documents_apart() {
    let key = transform("s3://between/steps/").key("s3://docs/a/r\u{e9}port v1.pdf", 2);
    assert!(key.starts_with("steps/temp/aws/bedrock/knowledge_bases/KB/DS/JOB/"), "{key}");
    assert!(key.ends_with("/r_port_v1.pdf_2.JSON"), "{key}");
    let whole = transform("s3://between");
    assert!(whole.key("x", 1).starts_with("temp/"));
    assert_ne!(whole.key("s3://docs/a/x.md", 1), whole.key("s3://docs/b/x.md", 1));
}

#[test]
fn the_event_is_as_the_guide_has_it() {
    let attributes = Metadata::from([("team".to_owned(), Value::String("ops".into()))]);
    let event = transform("s3://between/").event("s3://docs/x.md", &attributes, &["temp/x_1.JSON".to_owned()]);
    let told = json!({
        "version": "1.0", "knowledgeBaseId": "KB", "dataSourceId": "DS", "ingestionJobId": "JOB",
        "bucketName": "between", "priorTask": "CHUNKING",
        "inputFiles": [{
            "originalFileLocation": {"type": "S3", "s3_location": {"uri": "s3://docs/x.md"}},
            "fileMetadata": {"team": "ops"},
            "contentBatches": [{"key": "temp/x_1.JSON"}],
        }],
    });
    assert_eq!(event, told);
}

#[test]
fn reserved_names_are_not_a_functions_to_give() {
    let told = json!({
        "year": 2024, "open": true, "team": "ops", "tags": ["a", "b"], "none": null,
        "x-amz-bedrock-kb-source-uri": "s3://else/where", "outcrop:start": 3,
        "x-amz-bedrock-kb-document-page-number": 7,
    });
    let found = attributes(&serde_json::from_value(told).unwrap());
    let names: Vec<&str> = found.keys().map(String::as_str).collect();
    assert_eq!(names, ["open", "tags", "team", "x-amz-bedrock-kb-document-page-number", "year"]);
    assert_eq!(found["tags"], Value::List(vec!["a".into(), "b".into()]));
}

use outcrop_api::bedrock_agent::{RdsConfiguration, RdsFieldMapping, S3VectorsConfiguration};

use super::*;

struct Nowhere;

impl Store for Nowhere {
    fn at(&self, _: Option<Place>) -> Arc<dyn Engine> {
        unreachable!("nothing is opened here")
    }
}

fn bound(name: &str, types: &[&str], endpoints: &[&str]) -> Bound {
    let owned = |of: &[&str]| of.iter().map(|one| (*one).to_owned()).collect();
    let (types, endpoints) = (owned(types), owned(endpoints));
    Bound { name: name.to_owned(), kind: Kind::Postgres, types, endpoints, store: Arc::new(Nowhere) }
}

fn rds(arn: &str) -> StorageConfiguration {
    StorageConfiguration {
        r#type: Storage::Rds,
        rds_configuration: Some(RdsConfiguration {
            resource_arn: arn.to_owned(),
            database_name: "main".to_owned(),
            table_name: "bedrock_integration.bedrock_kb".to_owned(),
            field_mapping: RdsFieldMapping {
                primary_key_field: "id".to_owned(),
                vector_field: "embedding".to_owned(),
                text_field: "chunks".to_owned(),
                metadata_field: "metadata".to_owned(),
                custom_metadata_field: Some("custom".to_owned()),
            },
            ..RdsConfiguration::default()
        }),
        ..StorageConfiguration::default()
    }
}

#[test]
fn an_endpoint_that_is_named_goes_before_a_type() {
    let stores = [bound("any", &["RDS", "PINECONE"], &[]), bound("one", &["RDS"], &["arn:one", "arn:two"])];
    let name = |stores: &[Bound], storage: &StorageConfiguration| chosen(stores, storage).map(|one| one.name.clone());
    assert_eq!(name(&stores, &rds("arn:two")).as_deref(), Some("one"));
    assert_eq!(name(&stores, &rds("arn:three")).as_deref(), Some("any"));
    assert_eq!(name(&stores[1..], &rds("arn:three")), None);
    let s3 = StorageConfiguration {
        r#type: Storage::S3Vectors,
        s3_vectors_configuration: Some(S3VectorsConfiguration {
            index_arn: Some("arn:one".to_owned()),
            ..S3VectorsConfiguration::default()
        }),
        ..StorageConfiguration::default()
    };
    assert_eq!(name(&stores, &s3), None);
}

#[test]
fn a_table_is_honoured_where_it_is_one() {
    let declared = rds("arn:one");
    let place = place(Kind::Postgres, &declared).unwrap();
    assert_eq!((place.name.as_str(), place.database.as_deref()), ("bedrock_integration.bedrock_kb", Some("main")));
    assert_eq!((place.vector.as_str(), place.attributes.as_deref()), ("embedding", Some("custom")));
    assert_eq!(super::place(Kind::Qdrant, &declared), None);
}

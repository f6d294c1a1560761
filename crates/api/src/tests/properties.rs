//! Whatever comes, decoding answers; and what was decoded says the same again.

use outcrop_wire::decode::{self, Problems};
use outcrop_wire::encode;
use outcrop_wire::shape::{Location, Shape, TypeKind};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::{Operation, bedrock, bedrock_agent, bedrock_agent_runtime, bedrock_runtime};

/// Decodes `text` as the request of `O`; if it can be read, its JSON must be a fixed point.
fn survives<O: Operation>(text: &[u8]) -> Result<(), TestCaseError> {
    let (mut first, mut problems) = (O::Input::default(), Problems::default());
    let read = decode::body(text, &mut first, &mut problems);
    let _ = (problems.message(), format!("{first:?}"));
    if read.is_err() {
        return Ok(());
    }
    let once = encode::body(&first, Vec::new());
    let (mut second, mut problems) = (O::Input::default(), Problems::default());
    let again = decode::body(&once, &mut second, &mut problems);
    prop_assert!(again.is_ok(), "{again:?} of {}", String::from_utf8_lossy(&once));
    let twice = encode::body(&second, Vec::new());
    prop_assert_eq!(String::from_utf8_lossy(&once), String::from_utf8_lossy(&twice));
    Ok(())
}

/// JSON of about the form of `shape`: mostly the right members with mostly the right types.
fn like(shape: &'static Shape, depth: u32) -> BoxedStrategy<Value> {
    let members: Vec<_> = shape
        .members
        .iter()
        .filter(|m| m.at == Location::Body)
        .map(|m| (m.name, prop::option::weighted(0.4, of_kind(&m.ty.kind, depth))))
        .collect();
    let (names, values): (Vec<_>, Vec<_>) = members.into_iter().unzip();
    values
        .prop_map(move |values| {
            let set = names.iter().zip(values).filter_map(|(name, value)| Some(((*name).to_owned(), value?)));
            Value::Object(set.collect::<Map<_, _>>())
        })
        .boxed()
}

fn of_kind(kind: &'static TypeKind, depth: u32) -> BoxedStrategy<Value> {
    let right = match kind {
        TypeKind::Enum(values) => prop::sample::select(*values).prop_map(Value::from).boxed(),
        TypeKind::Integer | TypeKind::Long => any::<i64>().prop_map(Value::from).boxed(),
        TypeKind::Float | TypeKind::Double => any::<f64>().prop_map(Value::from).boxed(),
        TypeKind::Boolean => any::<bool>().prop_map(Value::from).boxed(),
        TypeKind::Timestamp { .. } => (0i64..4_000_000_000).prop_map(|s| json!(s as f64 / 8.0)).boxed(),
        TypeKind::Blob => prop::sample::select(vec!["", "aGk=", "AAECAw=="]).prop_map(Value::from).boxed(),
        TypeKind::Structure(shape) if depth > 0 => like(shape, depth - 1),
        TypeKind::List(of) if depth > 0 => {
            prop::collection::vec(of_kind(&of.kind, depth - 1), 0..3).prop_map(Value::from).boxed()
        }
        TypeKind::Map(_, of) if depth > 0 => {
            let key = prop::sample::select(vec!["0", "1", "a.0", "key", ""]);
            prop::collection::btree_map(key, of_kind(&of.kind, depth - 1), 0..3)
                .prop_map(|map| Value::Object(map.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()))
                .boxed()
        }
        TypeKind::Structure(_) | TypeKind::Map(..) => Just(json!({})).boxed(),
        TypeKind::List(_) => Just(json!([])).boxed(),
        TypeKind::String | TypeKind::Document => "[a-z\u{0}\"\\\\é]{0,8}".prop_map(Value::from).boxed(),
    };
    let wrong =
        prop::sample::select(vec![Value::Null, json!([null]), json!({ "": [] }), json!("2026-01-01T00:00:00Z")]);
    prop_oneof![30 => right, 1 => wrong].boxed()
}

macro_rules! requests {
    ($($name:ident: $operation:ty;)*) => {
        proptest! {
            #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]
            $(
                #[test]
                fn $name(value in like(<$operation as Operation>::SPEC.input, 4), cut in 0usize..200, byte: u8) {
                    let text = value.to_string().into_bytes();
                    survives::<$operation>(&text)?;
                    survives::<$operation>(&text[..cut.min(text.len())])?;
                    let mut spoilt = text;
                    if let Some(at) = spoilt.get_mut(cut) {
                        *at = byte;
                    }
                    survives::<$operation>(&spoilt)?;
                }
            )*
        }
    };
}

requests! {
    converse: bedrock_runtime::Converse;
    count_tokens: bedrock_runtime::CountTokens;
    create_inference_profile: bedrock::CreateInferenceProfile;
    create_guardrail: bedrock::CreateGuardrail;
    create_evaluation_job: bedrock::CreateEvaluationJob;
    create_flow: bedrock_agent::CreateFlow;
    create_data_source: bedrock_agent::CreateDataSource;
    retrieve_and_generate: bedrock_agent_runtime::RetrieveAndGenerate;
}

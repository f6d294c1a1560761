//! What stands around a conversation in both protocols: headers, ids, the two forms of a Converse request.

use bytes::Bytes;
use http::HeaderMap;
use outcrop_api::Fault;
use outcrop_api::bedrock_runtime::{
    ConverseRequest, ConverseStreamRequest, GuardrailConfiguration, GuardrailStreamConfiguration,
    GuardrailStreamProcessingMode, GuardrailTrace,
};
use outcrop_dialects::{DialectError, Head};
use outcrop_gateway::guard::{Config, take};

/// Converse tells the sequence that ended an answer only where it is asked for.
const STOP_SEQUENCE: &str = "/stop_sequence";

/// A body without what it says of its guardrail, and that.
pub(super) fn taken(body: &Bytes) -> Result<(Bytes, Option<Config>), Fault> {
    let mut body = body.clone();
    let config = take(&mut body)?;
    Ok((body, config))
}

/// Fills in what the body does not carry: the model and the guardrail, which Bedrock's own headers name. `config` is
/// what the body says of that: its tags become the marks of Converse.
pub(super) fn complete(
    request: &mut ConverseRequest,
    model: &str,
    headers: &HeaderMap,
    config: Option<&Config>,
) -> Result<(), Fault> {
    request.model_id = model.to_owned();
    request.additional_model_response_field_paths = Some(vec![STOP_SEQUENCE.to_owned()]);
    let version = header(headers, "x-amzn-bedrock-guardrailversion")?;
    let trace = header(headers, "x-amzn-bedrock-trace")?;
    if let Some(identifier) = header(headers, "x-amzn-bedrock-guardrailidentifier")? {
        request.guardrail_config = Some(GuardrailConfiguration {
            guardrail_identifier: Some(identifier.to_owned()),
            guardrail_version: version.map(str::to_owned),
            trace: trace.map(|trace| GuardrailTrace::from(trace.to_ascii_lowercase().as_str())),
        });
        if let Some(config) = config {
            config.mark(request);
        }
    } else if config.is_some() {
        let text = "amazon-bedrock-guardrailConfig needs a guardrail identifier and version in the headers.";
        return Err(Fault::validation(text));
    } else if version.is_some() {
        let text = "X-Amzn-Bedrock-GuardrailVersion needs X-Amzn-Bedrock-GuardrailIdentifier beside it.";
        return Err(Fault::validation(text));
    }
    Ok(())
}

/// The value of a header that may come once.
pub(super) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Fault> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    match (value.to_str(), values.next()) {
        (Ok(value), None) => Ok(Some(value)),
        _ => Err(Fault::validation(format!("The header {name} must come once, in ASCII."))),
    }
}

/// What is known of an answer before its first event.
pub(super) fn head(model: &str) -> Head {
    Head {
        model_id: model.to_owned(),
        message_id: uuid::Uuid::new_v4().simple().to_string(),
        created: jiff::Timestamp::now().as_second(),
        ..Head::default()
    }
}

/// The same as a streamed call: the two differ in their guardrail's mode only.
pub(super) fn streamed(r: ConverseRequest, config: Option<&Config>) -> ConverseStreamRequest {
    let asynchronous = config.is_some_and(|config| config.asynchronous);
    ConverseStreamRequest {
        model_id: r.model_id,
        messages: r.messages,
        system: r.system,
        inference_config: r.inference_config,
        tool_config: r.tool_config,
        guardrail_config: r.guardrail_config.map(|g| GuardrailStreamConfiguration {
            guardrail_identifier: g.guardrail_identifier,
            guardrail_version: g.guardrail_version,
            trace: g.trace,
            stream_processing_mode: asynchronous.then_some(GuardrailStreamProcessingMode::Async),
        }),
        additional_model_request_fields: r.additional_model_request_fields,
        prompt_variables: r.prompt_variables,
        additional_model_response_field_paths: r.additional_model_response_field_paths,
        request_metadata: r.request_metadata,
        performance_config: r.performance_config,
        service_tier: r.service_tier,
        output_config: r.output_config,
    }
}

/// The place in a body that an error is about, and what is wrong there. Bedrock's words around both stay away.
pub(super) fn place(error: &DialectError) -> (Vec<String>, String) {
    let DialectError::Malformed(text) = error else { return (Vec::new(), told(error)) };
    match text.strip_prefix('#').and_then(|text| text.split_once(": ")) {
        Some((pointer, why)) => (pointer.split('/').skip(1).map(str::to_owned).collect(), why.to_owned()),
        None => (Vec::new(), text.clone()),
    }
}

fn told(error: &DialectError) -> String {
    match error {
        DialectError::NotJson => "The body is not a JSON object.".to_owned(),
        other => other.to_string(),
    }
}

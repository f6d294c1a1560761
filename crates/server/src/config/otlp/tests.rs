use super::*;

fn with(variables: &[(&'static str, &str)]) -> Result<Otlp, ConfigError> {
    let mut otlp = Otlp::default();
    let get = |name: &'static str| {
        variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (name, (*value).to_owned()))
    };
    otlp.override_from(get)?;
    otlp.check()?;
    Ok(otlp)
}

#[test]
fn nothing_is_sent_unless_somebody_says_where() {
    assert!(with(&[]).unwrap().settings().unwrap().is_none());
    assert!(with(&[("OTEL_SERVICE_NAME", "x")]).unwrap().settings().unwrap().is_none());
    let off = [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318"), ("OTEL_SDK_DISABLED", "TRUE")];
    assert!(with(&off).unwrap().settings().unwrap().is_none());
}

#[test]
fn the_usual_variables_are_known() {
    let otlp = with(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=se%20cret, x-tenant = a"),
        ("OTEL_RESOURCE_ATTRIBUTES", "service.name=lost,deployment.environment.name=staging"),
        ("OTEL_SERVICE_NAME", "gateway"),
        ("OTEL_TRACES_SAMPLER", "traceidratio"),
        ("OTEL_TRACES_SAMPLER_ARG", "0.25"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "1000"),
        ("OTEL_TRACES_EXPORTER", "otlp"),
    ]);
    let otlp = otlp.unwrap();
    assert!(!format!("{otlp:?}").contains("se cret"));
    let settings = otlp.settings().unwrap().unwrap();
    assert_eq!(settings.headers["api-key"], "se cret");
    assert!(!format!("{settings:?}").contains("se cret"));
    assert_eq!(settings.sampler, Sampler { ratio: 0.25, parent_based: false });
    assert_eq!((settings.interval, settings.timeout), (Duration::from_secs(1), Duration::from_secs(10)));
    let resource: BTreeMap<_, _> = settings.resource.into_iter().collect();
    assert_eq!((&*resource["service.name"], &*resource["deployment.environment.name"]), ("gateway", "staging"));
}

#[test]
fn what_cannot_be_is_refused_and_no_secret_repeated() {
    for (name, value) in [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_TRACES_SAMPLER", "jaeger_remote"),
        ("OTEL_TRACES_SAMPLER_ARG", "2"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "secret"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "key=%secret"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "key=secret%0a"),
        ("OTEL_METRICS_EXPORTER", "prometheus"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "0"),
    ] {
        let error = with(&[(name, value)]).unwrap_err().to_string();
        assert!(!error.contains("secret"), "{error}");
    }
}

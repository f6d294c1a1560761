use super::*;
use crate::meters::{Meters, Point, Unit};

fn families() -> Vec<Family> {
    let mut usage = Family::new("gen_ai.client.token.usage", Kind::Histogram, Unit::Of("{token}"), "Tokens.");
    let mut histogram = Histogram::new(&[1.0, 16.5]);
    [1.0, 2.0, 100.0].into_iter().for_each(|value| histogram.record(value));
    let labels = vec![("gen_ai.request.model".into(), "a\"b\\c\nd".to_owned())];
    usage.points.push(Point { labels, value: Value::Histogram(histogram) });
    let mut cost = Family::counter("outcrop.cost", Unit::Dollars, "Money \\ more\nmoney.");
    cost.push([("9lives", "x")], 0.25);
    vec![usage, cost, Family::gauge("process.threads", Unit::Of("{thread}"), "Threads.").of(7.0)]
}

#[test]
fn the_text_format() {
    let expected = r##"# HELP gen_ai_client_token_usage Tokens.
# TYPE gen_ai_client_token_usage histogram
gen_ai_client_token_usage_bucket{gen_ai_request_model="a\"b\\c\nd",le="1.0"} 1
gen_ai_client_token_usage_bucket{gen_ai_request_model="a\"b\\c\nd",le="16.5"} 2
gen_ai_client_token_usage_bucket{gen_ai_request_model="a\"b\\c\nd",le="+Inf"} 3
gen_ai_client_token_usage_sum{gen_ai_request_model="a\"b\\c\nd"} 103.0
gen_ai_client_token_usage_count{gen_ai_request_model="a\"b\\c\nd"} 3
# HELP outcrop_cost_dollars_total Money \\ more\nmoney.
# TYPE outcrop_cost_dollars_total counter
outcrop_cost_dollars_total{_9lives="x"} 0.25
# HELP process_threads Threads.
# TYPE process_threads gauge
process_threads 7.0
"##;
    assert_eq!(write(&families(), Format::Text), expected);
}

#[test]
fn open_metrics_names_units_and_ends() {
    let text = write(&families(), Format::OpenMetrics);
    let counter = "# TYPE outcrop_cost_dollars counter\n# UNIT outcrop_cost_dollars dollars\n\
                   outcrop_cost_dollars_total{_9lives=\"x\"} 0.25\n";
    assert!(text.contains(counter) && text.ends_with("\n# EOF\n"), "{text}");
    assert_eq!(write(&Meters::default().gather(), Format::OpenMetrics), "# EOF\n");
}

#[test]
fn open_metrics_only_for_those_who_name_it() {
    // What Prometheus itself sends.
    let prometheus = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1";
    assert_eq!(Format::accepted(Some(prometheus)), Format::OpenMetrics);
    for plain in [None, Some("*/*"), Some("text/plain"), Some("application/openmetrics-text;q=0"), Some("")] {
        assert_eq!(Format::accepted(plain), Format::Text, "{plain:?}");
    }
}

#[test]
fn numbers_that_are_none() {
    assert_eq!(
        [f64::NAN, f64::INFINITY, -1e-9, 1e18].map(number),
        ["NaN", "+Inf", "-0.000000001", "1000000000000000000"]
    );
}

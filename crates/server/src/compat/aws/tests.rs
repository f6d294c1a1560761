use async_trait::async_trait;
use http::Request;
use http_body_util::BodyExt;
use outcrop_access::{Caller, CallerKind};
use serde_json::json;

use super::*;

/// Answers what it was asked.
struct Echo;

#[async_trait]
impl Slice for Echo {
    fn signing_name(&self) -> &'static str {
        "monitoring"
    }
    fn target_prefix(&self) -> &'static str {
        "GraniteServiceVersion20100801"
    }
    async fn call(&self, _: &Context, operation: &str, input: Value) -> Result<Value, SliceError> {
        match operation {
            "PutMetricData" => Ok(Value::Null),
            "DeleteAlarms" => Err(SliceError { code: "InvalidFormatFault", message: "no & never".into(), status: 400 }),
            _ => Ok(input),
        }
    }
    fn operations(&self) -> &'static [&'static str] {
        &["ListMetrics", "PutMetricData", "DeleteAlarms"]
    }
    fn timestamps(&self) -> &'static [&'static str] {
        &["StartTime", "Timestamps"]
    }
}

struct Seen {
    status: u16,
    headers: HeaderMap,
    body: Bytes,
}

impl Seen {
    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

fn cx() -> Context {
    let caller = Caller {
        kind: CallerKind::User,
        account: "111122223333".into(),
        arn: "arn:aws:iam::111122223333:root".into(),
        user_id: "111122223333".into(),
        access_key_id: None,
        api_key_id: None,
    };
    Context { request_id: "req-1".into(), ..Context::new(caller, "us-east-1", "monitoring") }
}

async fn seen(response: Response<Body>) -> Seen {
    let (parts, body) = response.into_parts();
    Seen { status: parts.status.as_u16(), headers: parts.headers, body: body.collect().await.unwrap().to_bytes() }
}

/// What a request with these headers and this body is answered.
async fn ask(path: &str, service: &str, headers: &[(&str, &str)], body: &[u8]) -> Seen {
    let mut request = Request::builder().method("POST").uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (parts, ()) = request.body(()).unwrap().into_parts();
    let (door, id) = Door::at(path).unwrap();
    let wire = Wire::of(door, id, &parts);
    let slices = Slices::new(vec![Arc::new(Echo)]);
    seen(match slices.aim(wire.clone(), service, &parts.headers, body, 1000) {
        Ok(aimed) => Slices::run(aimed, &cx()).await,
        Err(fault) => wire.refusal(&fault, "req-1"),
    })
    .await
}

const LIST: (&str, &str) = ("x-amz-target", "GraniteServiceVersion20100801.ListMetrics");
const CBOR: (&str, &str) = ("smithy-protocol", "rpc-v2-cbor");

async fn json_asked(target: &str, body: &str) -> Seen {
    let headers = [("x-amz-target", target), ("content-type", "application/x-amz-json-1.0")];
    ask("/", "monitoring", &headers, body.as_bytes()).await
}

#[tokio::test]
async fn json_goes_in_and_out() {
    let seen = json_asked(LIST.1, r#"{"StartTime":1.5,"N":[1,{"a":null}]}"#).await;
    assert_eq!((seen.status, seen.text()), (200, r#"{"StartTime":1.5,"N":[1,{"a":null}]}"#));
    assert_eq!(seen.header("content-type"), "application/x-amz-json-1.0");
    assert_eq!(seen.header("x-amzn-requestid"), "req-1");
    let seen = json_asked("GraniteServiceVersion20100801.PutMetricData", "").await;
    assert_eq!((seen.status, seen.text()), (200, "{}"));
}

#[tokio::test]
async fn refusals_in_json_carry_the_exception_and_the_old_code() {
    let seen = json_asked("GraniteServiceVersion20100801.DeleteAlarms", "{}").await;
    assert_eq!(seen.text(), r#"{"__type":"InvalidFormatFault","message":"no & never"}"#);
    assert_eq!((seen.status, seen.header("x-amzn-query-error")), (400, "InvalidFormat;Sender"));
    let seen = json_asked("GraniteServiceVersion20100801.PutDashboard", "{}").await;
    assert_eq!((seen.status, seen.header("x-amzn-query-error")), (501, "NotImplemented;Receiver"));
    assert!(seen.text().contains("PutDashboard"), "{}", seen.text());
    let seen = json_asked("Logs_20140328.PutLogEvents", "{}").await;
    assert_eq!((seen.status, seen.header("x-amzn-errortype")), (404, "UnknownOperationException"));
    for (target, body) in [(LIST.1, "{"), (LIST.1, "[]"), (LIST.1, "\u{0}"), ("x", "{}"), ("", "{}")] {
        let seen = json_asked(target, body).await;
        assert!((400..500).contains(&seen.status) && seen.text().contains("__type"), "{target} {body}");
    }
}

#[tokio::test]
async fn a_credential_for_another_service_opens_nothing() {
    let seen = ask("/", "cloudtrail", &[LIST], b"{}").await;
    assert_eq!((seen.status, seen.header("x-amzn-errortype")), (403, "InvalidSignatureException"));
    assert!(seen.text().contains("'monitoring', not 'cloudtrail'"));
}

#[tokio::test]
async fn compressed_bodies_are_read_within_the_limit() {
    use std::io::Write;
    let gzip = |text: &str| {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        out.write_all(text.as_bytes()).unwrap();
        out.finish().unwrap()
    };
    let encoding = ("content-encoding", "gzip");
    let seen = ask("/", "monitoring", &[LIST, encoding], &gzip(r#"{"a":1}"#)).await;
    assert_eq!((seen.status, seen.text()), (200, r#"{"a":1}"#));
    let bomb = format!(r#"{{"a":"{}"}}"#, "x".repeat(5000));
    assert_eq!(ask("/", "monitoring", &[LIST, encoding], &gzip(&bomb)).await.status, 413);
    assert_eq!(ask("/", "monitoring", &[LIST, encoding], b"{}").await.status, 400);
}

/// By hand, after RFC 8949: `{"StartTime": 1(1.5), "Dimensions": [{"Name": "M"}], "n": -7}` with lengths that are not
/// known before, as some SDKs write them.
const BODY: &[u8] = b"\xbf\x69StartTime\xc1\xfb\x3f\xf8\0\0\0\0\0\0\x6aDimensions\x81\xa1\x64Name\x61M\x61n\x26\xff";
const CBOR_PATH: &str = "/service/GraniteServiceVersion20100801/operation/ListMetrics";

#[tokio::test]
async fn cbor_goes_in_and_out() {
    let seen = ask(CBOR_PATH, "monitoring", &[CBOR], BODY).await;
    assert_eq!((seen.status, seen.header("content-type")), (200, "application/cbor"));
    assert_eq!(seen.header("smithy-protocol"), "rpc-v2-cbor");
    // Numbers leave in the shortest form that holds them.
    let known = b"\xa3\x69StartTime\xc1\xf9\x3e\x00\x6aDimensions\x81\xa1\x64Name\x61M\x61n\x26";
    assert_eq!(seen.body[..], known[..]);
    // Half precision, whole seconds, null members and members of lists.
    let body = b"\xa3\x69StartTime\xc1\x01\x6aTimestamps\x82\xc1\xf9\x3c\x00\xc1\x02\x61x\xf6";
    let seen = ask(CBOR_PATH, "monitoring", &[CBOR], body).await;
    let (one, two) = (b"\xc1\xf9\x3c\x00", b"\xc1\xf9\x40\x00");
    assert_eq!(seen.body[..], [&b"\xa2\x69StartTime"[..], one, b"\x6aTimestamps\x82", one, two].concat());
    let seen = ask("/service/GraniteServiceVersion20100801/operation/PutMetricData", "monitoring", &[CBOR], b"").await;
    assert_eq!((seen.status, seen.body.len(), seen.header("content-type")), (200, 0, ""));
}

#[tokio::test]
async fn refusals_in_cbor_are_cbor() {
    let seen =
        ask("/service/GraniteServiceVersion20100801/operation/DeleteAlarms", "monitoring", &[CBOR], b"\xa0").await;
    assert_eq!((seen.status, seen.header("x-amzn-query-error")), (400, "InvalidFormat;Sender"));
    assert_eq!(seen.body[..], b"\xa2\x66__type\x72InvalidFormatFault\x67message\x6ano & never"[..]);
    let deep = [&[0x81; 10_000][..], &[0xf6]].concat();
    let long = b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff\x01";
    for body in [&b"\xff"[..], b"\xa1", b"\x01", b"\xa0\x00", b"\xa1\x01\x01", b"\xbf\x61a", &deep, long] {
        let seen = ask(CBOR_PATH, "monitoring", &[CBOR], body).await;
        assert_eq!((seen.status, seen.header("x-amzn-errortype")), (400, "SerializationException"), "{body:?}");
    }
    assert_eq!(ask(CBOR_PATH, "monitoring", &[], BODY).await.status, 400);
    assert_eq!(ask("/service/x", "monitoring", &[CBOR], BODY).await.status, 404);
}

async fn form(form: &str) -> Seen {
    ask("/", "monitoring", &[], format!("{form}&Version=2010-08-01").as_bytes()).await
}

#[tokio::test]
async fn a_form_becomes_the_same_values() {
    let read = |text: &str| query::Form::read(text.as_bytes()).unwrap().input(&["Timestamp"]);
    let value = read(
        "Action=PutMetricData&Version=2010-08-01&Namespace=a%2Fb&MetricData.member.1.MetricName=m&\
         MetricData.member.1.Value=1.5&MetricData.member.1.Timestamp=1970-01-01T00%3A00%3A10Z&\
         MetricData.member.1.Dimensions.member.2.Name=b&MetricData.member.1.Dimensions.member.2.Value=2&\
         MetricData.member.1.Dimensions.member.1.Name=a&MetricData.member.1.Dimensions.member.1.Value=1&\
         MetricData.member.10.Values.member.1=2&MetricData.member.2.Dimensions=",
    );
    let first = json!({
        "Dimensions": [{ "Name": "a", "Value": "1" }, { "Name": "b", "Value": "2" }],
        "MetricName": "m", "Timestamp": 10.0, "Value": 1.5,
    });
    assert_eq!(value["MetricData"], json!([first, { "Dimensions": [] }, { "Values": [2.0] }]));
    assert_eq!(value["Namespace"], "a/b");
    assert_eq!(read("Period=60&ActionsEnabled=false"), json!({ "ActionsEnabled": false, "Period": 60 }));
    assert_eq!(read("Period=x"), json!({ "Period": "x" }));
    for broken in ["a=1&a.b=2", "a.b=1&a=2", &"a.".repeat(40), "\u{fffd}.=&.="] {
        let _ = query::Form::read(broken.as_bytes());
    }
    assert!(query::Form::read(b"a=1&a.b=2").is_err());
}

#[tokio::test]
async fn a_form_is_answered_in_xml() {
    let seen = form("Action=ListMetrics&StartTime=1970-01-01T00:00:10Z&Statistics.member.1=Sum&Name=a%26b").await;
    assert_eq!((seen.status, seen.header("content-type")), (200, "text/xml"));
    let known = "<ListMetricsResponse xmlns=\"http://monitoring.amazonaws.com/doc/2010-08-01/\">\n<ListMetricsResult>\n\
                 <Name>a&amp;b</Name>\n<StartTime>1970-01-01T00:00:10Z</StartTime>\n<Statistics>\n<member>Sum</member>\n\
                 </Statistics>\n</ListMetricsResult>\n<ResponseMetadata>\n<RequestId>req-1</RequestId>\n\
                 </ResponseMetadata>\n</ListMetricsResponse>\n";
    assert_eq!(seen.text(), known);
    let seen = form("Action=DeleteAlarms").await;
    let code = "<Type>Sender</Type>\n<Code>InvalidFormat</Code>\n<Message>no &amp; never</Message>";
    assert!(seen.status == 400 && seen.text().contains(code), "{}", seen.text());
    assert_eq!(form("Action=PutDashboard").await.status, 501);
    let seen = ask("/", "monitoring", &[], b"Action=ListMetrics&Version=2011-06-15").await;
    assert!(seen.text().contains("Could not find operation ListMetrics for version 2011-06-15"));
    assert!(!Slices::default().speak_query("monitoring"));
}

//! Writing the answers of the Query protocol.

use outcrop_wire::text::{epoch, format_timestamp};
use serde_json::Value;

use crate::compat::sts::element;

/// Members that are maps and not structures; the two look alike in values, and not in XML.
const MAPS: [&str; 2] = ["ExtendedStatistics", "AlarmContributorAttributes"];

/// The answer of `action`. An operation without an output has no result element.
pub(super) fn success(namespace: &str, action: &str, output: &Value, timestamps: &[&str], id: &str) -> String {
    let mut xml = format!("<{action}Response xmlns=\"{namespace}\">\n");
    if let Value::Object(members) = output {
        xml += &format!("<{action}Result>\n");
        for (name, member) in members {
            write(&mut xml, name, member, timestamps);
        }
        xml += &format!("</{action}Result>\n");
    }
    xml + &format!("<ResponseMetadata>\n{}</ResponseMetadata>\n</{action}Response>\n", element("RequestId", id))
}

/// A refusal.
pub(super) fn error(at_fault: &str, code: &str, message: &str, id: &str) -> String {
    let parts = [element("Type", at_fault), element("Code", code), element("Message", message)].concat();
    let namespace = "http://monitoring.amazonaws.com/doc/2010-08-01/";
    format!(
        "<ErrorResponse xmlns=\"{namespace}\">\n<Error>\n{parts}</Error>\n{}</ErrorResponse>\n",
        element("RequestId", id)
    )
}

fn write(xml: &mut String, name: &str, value: &Value, timestamps: &[&str]) {
    match value {
        Value::Null => {}
        Value::Array(items) => {
            *xml += &format!("<{name}>\n");
            for item in items {
                // The members of a list of moments are moments.
                let moment = timestamps.contains(&name).then(|| text(item, true));
                match moment {
                    Some(text) => *xml += &element("member", &text),
                    None => write(xml, "member", item, timestamps),
                }
            }
            *xml += &format!("</{name}>\n");
        }
        Value::Object(members) => {
            *xml += &format!("<{name}>\n");
            for (key, member) in members {
                if MAPS.contains(&name) {
                    let entry = element("key", key) + &element("value", &text(member, false));
                    *xml += &format!("<entry>\n{entry}</entry>\n");
                } else {
                    write(xml, key, member, timestamps);
                }
            }
            *xml += &format!("</{name}>\n");
        }
        plain => *xml += &element(name, &text(plain, timestamps.contains(&name))),
    }
}

fn text(value: &Value, timestamp: bool) -> String {
    let moment = || value.as_f64().and_then(epoch).map(format_timestamp);
    match value {
        Value::String(text) => text.clone(),
        other => timestamp.then(moment).flatten().unwrap_or_else(|| other.to_string()),
    }
}

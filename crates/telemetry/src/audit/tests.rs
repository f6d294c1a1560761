use std::io::Write;
use std::time::Duration;

use outcrop_access::{Caller, CallerKind};
use serde_json::{Value, json};

use super::verify::verify;
use super::*;

const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn event(name: &'static str) -> Event {
    Event {
        at: "2026-03-01T10:00:00Z".parse().unwrap(),
        request_id: "4e0f".into(),
        source: "bedrock.amazonaws.com",
        service: "bedrock-runtime",
        name: name.into(),
        region: "us-east-1".into(),
        ip: Some("127.0.0.1".parse().unwrap()),
        user_agent: Some("a \"quoted\" agent\n".into()),
        who: Who::Proven(Caller {
            account: "111122223333".into(),
            arn: "arn:aws:iam::111122223333:user/ada".into(),
            user_id: "AIDA1".into(),
            access_key_id: Some("AKIA1".into()),
            api_key_id: None,
            kind: CallerKind::User,
        }),
        parameters: vec![("modelId", "m".into())],
        error: None,
        decision: Decision::Owner,
        read_only: true,
        facts: None,
    }
}

fn open(root: &Path) -> Audit {
    Audit::open(root, "server", OnFailure::Continue, 0).unwrap()
}

/// Closes a trail and waits until a lock is free: its own, where no other trail was closed before.
fn close(audit: Audit) {
    let root = audit.root().to_owned();
    assert!(audit.flush(PATIENCE));
    drop(audit);
    let free = || {
        let nodes = folder::nodes(&root).unwrap();
        nodes.iter().any(|node| std::fs::File::open(root.join(node).join("lock")).unwrap().try_lock().is_ok())
    };
    let end = Instant::now() + PATIENCE;
    while !free() {
        assert!(Instant::now() < end, "the thread goes on");
        std::thread::yield_now();
    }
}

fn the_file(root: &Path) -> PathBuf {
    let node = folder::nodes(root).unwrap().remove(0);
    let folder = root.join(node);
    let day = folder::days(&folder).unwrap().pop().unwrap();
    folder::path(&folder, day)
}

fn lines(root: &Path) -> Vec<Value> {
    let mut lines = Vec::new();
    let all = (jiff::civil::Date::MIN, jiff::civil::Date::MAX);
    read::forward(root, all.0, all.1, |line| {
        lines.push(serde_json::from_slice(line)?);
        Ok(())
    })
    .unwrap();
    lines
}

#[test]
fn a_record_has_cloudtrails_form() {
    let root = tempfile::tempdir().unwrap();
    let audit = open(root.path());
    let decided = outcrop_access::Decided {
        action: "bedrock:InvokeModel".into(),
        resource: Some("arn:aws:bedrock:us-east-1::foundation-model/m".into()),
        allowed: false,
        kind: "identity",
        policy: Some("mine".into()),
        statement: Some("Statement[0]".into()),
    };
    let mut denied = event("Converse");
    denied.decision = Decision::Policies(Box::new(decided));
    denied.error = Some(("AccessDeniedException".into(), Some("no".into())));
    audit.record_blocking(denied);
    close(audit);
    let mut record = lines(root.path()).remove(0);
    let chain = record.as_object_mut().unwrap().remove("chain").unwrap();
    assert_eq!(chain["sequence"], 1);
    for computed in ["hash", "eventID"] {
        assert!(record.as_object_mut().unwrap().remove(computed).unwrap().as_str().unwrap().len() >= 36);
    }
    let expected = json!({
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "IAMUser", "principalId": "AIDA1", "arn": "arn:aws:iam::111122223333:user/ada",
            "accountId": "111122223333", "accessKeyId": "AKIA1", "userName": "ada",
        },
        "eventTime": "2026-03-01T10:00:00Z",
        "eventSource": "bedrock.amazonaws.com",
        "eventName": "Converse",
        "awsRegion": "us-east-1",
        "sourceIPAddress": "127.0.0.1",
        "userAgent": "a \"quoted\" agent\n",
        "errorCode": "AccessDeniedException",
        "errorMessage": "no",
        "requestParameters": { "modelId": "m" },
        "responseElements": null,
        "additionalEventData": {
            "service": "bedrock-runtime",
            "decidedBy": {
                "effect": "deny", "kind": "identity", "policy": "mine", "statement": "Statement[0]",
                "action": "bedrock:InvokeModel", "resource": "arn:aws:bedrock:us-east-1::foundation-model/m",
            },
        },
        "requestID": "4e0f",
        "readOnly": true,
        "resources": [{ "type": "AWS::Bedrock::Model", "ARN": "arn:aws:bedrock:us-east-1::foundation-model/m" }],
        "eventType": "AwsApiCall",
        "managementEvent": true,
        "recipientAccountId": "111122223333",
        "eventCategory": "Management",
    });
    assert_eq!(record, expected);
}

#[test]
fn the_chain_goes_on_over_restarts_and_days_and_two_processes_have_two() {
    let root = tempfile::tempdir().unwrap();
    let first = open(root.path());
    let beside = open(root.path());
    first.record_blocking(event("One"));
    beside.record_blocking(event("Beside"));
    close(first);
    let again = open(root.path());
    let mut later = event("Two");
    later.at = "2026-03-02T00:00:01Z".parse().unwrap();
    again.record_blocking(later);
    // The clock goes back: the chain does not.
    again.record_blocking(event("Three"));
    assert!(again.flush(PATIENCE) && beside.flush(PATIENCE));
    let mut reports = verify(root.path(), None).unwrap();
    assert!(reports.iter().all(|report| report.broken.is_none() && report.torn == 0));
    reports.sort_by_key(|report| report.lines);
    assert_eq!(reports.iter().map(|report| report.lines).collect::<Vec<_>>(), [1, 3]);
    let (sequence, hash) = reports[1].last.clone().unwrap();
    assert_eq!(sequence, 3);
    assert!(verify(root.path(), Some(&hash)).unwrap().iter().any(|report| report.found));
    let mut backward = read::Backward::open(root.path(), jiff::civil::Date::MIN, jiff::civil::Date::MAX, None).unwrap();
    let mut names = Vec::new();
    while let Some(line) = backward.older().unwrap() {
        names.push(serde_json::from_slice::<Value>(&line).unwrap()["eventName"].as_str().unwrap().to_owned());
    }
    names.sort();
    assert_eq!(names, ["Beside", "One", "Three", "Two"]);
}

#[test]
fn a_flipped_byte_a_line_away_and_a_line_more_are_found() {
    let root = tempfile::tempdir().unwrap();
    let audit = open(root.path());
    for name in ["One", "Two", "Three", "Four"] {
        audit.record_blocking(event(name));
    }
    close(audit);
    let file = the_file(root.path());
    let whole = std::fs::read(&file).unwrap();
    let broken = |bytes: &[u8]| {
        std::fs::write(&file, bytes).unwrap();
        let report = verify(root.path(), None).unwrap().remove(0);
        report.broken.map(|broken| (broken.line, broken.why))
    };
    assert_eq!(broken(&whole), None);
    let split: Vec<&[u8]> = whole.split_inclusive(|b| *b == b'\n').collect();
    for at in [10, 100, 400, split[0].len() + 5] {
        let mut flipped = whole.clone();
        flipped[at] ^= 1;
        assert!(broken(&flipped).is_some(), "byte {at}");
    }
    assert_eq!(broken(&[split[0], split[2], split[3]].concat()).unwrap().0, 2);
    assert_eq!(broken(&[split[0], split[1], split[1], split[2]].concat()).unwrap().0, 3);
    assert_eq!(broken(&[split[1], split[2]].concat()).unwrap().0, 1);
    // Whoever alters a line and seals it anew breaks the link of the next.
    let mut forged = split[1][..split[1].windows(9).position(|w| w == b",\"chain\":").unwrap()].to_vec();
    forged.extend_from_slice(b",\"forged\":1");
    let first = chain::check(split[0].trim_ascii_end()).unwrap();
    chain::Head { sequence: 1, hash: first.hash }.seal(&first.node, &mut forged, 0);
    assert_eq!(broken(&[split[0], &forged, split[2]].concat()).unwrap().0, 3);
}

#[test]
fn a_torn_line_is_removed_and_told_of() {
    let root = tempfile::tempdir().unwrap();
    let audit = open(root.path());
    audit.record_blocking(event("One"));
    close(audit);
    let mut file = std::fs::OpenOptions::new().append(true).open(the_file(root.path())).unwrap();
    file.write_all(b"{\"eventVersion\":\"1.11\",\"half").unwrap();
    assert_eq!(verify(root.path(), None).unwrap()[0].torn, 28);
    let audit = open(root.path());
    audit.record_blocking(event("Two"));
    close(audit);
    let report = verify(root.path(), None).unwrap().remove(0);
    assert_eq!((report.lines, report.torn, report.broken), (3, 0, None));
    let names: Vec<_> = lines(root.path()).iter().map(|line| line["eventName"].to_string()).collect();
    let torn = lines(root.path()).into_iter().find(|line| line["eventName"] == "RemoveTornRecord").unwrap();
    assert_eq!(torn["additionalEventData"]["bytes"], 28, "{names:?}");
}

#[test]
fn what_is_old_goes_and_the_rest_can_still_be_proven() {
    let root = tempfile::tempdir().unwrap();
    let audit = open(root.path());
    audit.configure(OnFailure::Continue, 30);
    for days in [90, 60, 0] {
        let mut event = event("Converse");
        event.at = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24 * days);
        audit.record_blocking(event);
        assert!(audit.flush(PATIENCE));
    }
    close(audit);
    let report = verify(root.path(), None).unwrap().remove(0);
    // Two are gone, one is left, and the pruning is on record.
    assert_eq!((report.lines, report.pruned, report.broken), (2, 2, None));
    assert!(lines(root.path()).iter().any(|line| line["eventName"] == "PruneAuditTrail"));
    // A chain that was opened again goes on, and so does one of which nothing but the anchor is left.
    let audit = open(root.path());
    audit.record_blocking(event("Two"));
    close(audit);
    assert_eq!(verify(root.path(), None).unwrap()[0].broken, None);
    std::fs::remove_file(the_file(root.path())).unwrap();
    let report = verify(root.path(), None).unwrap().remove(0);
    assert_eq!((report.lines, report.broken), (0, None));
}

#[test]
fn callers_without_a_key_cannot_fill_the_disk() {
    let root = tempfile::tempdir().unwrap();
    let audit = open(root.path());
    for _ in 0..1_000 {
        let mut event = event("Converse");
        event.who = Who::Unproven(Some("AKIA9".into()));
        event.at = jiff::Timestamp::now();
        audit.record_blocking(event);
    }
    close(audit);
    let all = lines(root.path());
    let folded = all.iter().filter_map(|line| line["additionalEventData"]["calls"].as_u64());
    let (told, folded) = folded.fold((0, 0), |(told, folded), calls| (told + 1, folded + calls));
    assert_eq!(all.len() as u64 - told + folded, 1_000);
    assert!(all.len() < 500, "{}", all.len());
}

#[test]
fn what_cannot_be_written_is_kept_or_counted_never_forgotten() {
    let root = tempfile::tempdir().unwrap();
    let audit = open(root.path());
    audit.record_blocking(event("One"));
    assert!(audit.flush(PATIENCE));
    // A folder stands where tomorrow's file should: not even root can write that.
    let folder = root.path().join(folder::nodes(root.path()).unwrap().remove(0));
    let tomorrow = folder::path(&folder, "2026-03-02".parse().unwrap());
    std::fs::create_dir(&tomorrow).unwrap();
    let next = || {
        let mut event = event("Two");
        event.at = "2026-03-02T10:00:00Z".parse().unwrap();
        event
    };
    audit.record_blocking(next());
    let end = Instant::now() + PATIENCE;
    while !audit.shared.failing.load(Relaxed) {
        assert!(Instant::now() < end);
        std::thread::yield_now();
    }
    assert!(audit.ready(), "calls go on");
    for _ in 0..WAITING + 10 {
        audit.record_blocking(next());
    }
    assert!(audit.lost() >= 9, "{}", audit.lost());
    audit.configure(OnFailure::Refuse, 0);
    assert!(!audit.ready(), "no call begins");
    std::fs::remove_dir(&tomorrow).unwrap();
    let lost = audit.lost();
    close(audit);
    let report = verify(root.path(), None).unwrap().remove(0);
    assert_eq!(report.broken, None);
    let all = lines(root.path());
    let told = all.iter().find(|line| line["eventName"] == "LoseAuditRecords").unwrap();
    assert_eq!(told["additionalEventData"]["records"], lost);
    assert_eq!(all.len() as u64 + lost, 2 + WAITING as u64 + 10 + 1);
}

#[test]
#[ignore = "a measurement: cargo nextest run --run-ignored only -p outcrop-telemetry what_a_record_costs --no-capture"]
fn what_a_record_costs() {
    let mut head = chain::Head::of("server-1");
    let mut lines = Vec::with_capacity(1 << 20);
    let one = event("Converse");
    let begin = Instant::now();
    const RECORDS: u32 = 100_000;
    for _ in 0..RECORDS {
        if lines.len() > 1 << 19 {
            lines.clear();
        }
        let start = lines.len();
        one.write(&head.hash, &mut lines);
        head.seal("server-1", &mut lines, start);
    }
    eprintln!("{:?} a record of {} bytes", begin.elapsed() / RECORDS, lines.len().min(900));
}

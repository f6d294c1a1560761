//! Large policies. Times are compared with one another on the same machine, never with a clock's idea of fast.

use super::*;
use std::time::{Duration, Instant};

const STATEMENTS: usize = 10_000;

/// The best of several runs of `many` calls, for one call.
fn time(many: u32, mut call: impl FnMut()) -> Duration {
    let run = |call: &mut dyn FnMut()| {
        let began = Instant::now();
        (0..many).for_each(|_| call());
        began.elapsed() / many
    };
    (0..5).map(|_| run(&mut call)).min().unwrap()
}

fn many(count: usize, statement: impl Fn(usize) -> String) -> String {
    document(&(0..count).map(statement).collect::<Vec<_>>().join(","))
}

fn parse(text: &str) -> Policy {
    Policy::parse(text, PolicyKind::Identity).unwrap()
}

#[test]
fn ten_thousand_statements_of_other_actions_cost_nothing() {
    let statement = |n: usize| format!(r#"{{"Effect":"Allow","Action":"bedrock:Action{n}","Resource":"*"}}"#);
    let (few, all) = (many(10, statement), many(STATEMENTS, statement));
    let (few, policy) = (parse(&few), parse(&all));
    let keys = Keys::new();
    let asked = |policy: &Policy| {
        assert_eq!(ask(policy, "bedrock:Action7", MODEL, &keys), Decision::Allow);
        assert_eq!(ask(policy, "bedrock:Other", MODEL, &keys), Decision::Silent);
    };
    let (small, large) = (time(1000, || asked(&few)), time(1000, || asked(&policy)));
    eprintln!("two questions: {small:?} of 10 statements, {large:?} of {STATEMENTS}");
    assert!(large < small * 20, "{large:?} against {small:?}: the index is not used");
}

#[test]
fn ten_thousand_statements_of_one_action_cost_little_of_their_reading() {
    let statement = |n: usize| {
        format!(
            r#"{{"Effect":"Allow","Action":"bedrock:InvokeModel","Resource":"arn:aws:bedrock:*:*:application-inference-profile/{n}-*",
                "Condition":{{"StringEquals":{{"aws:PrincipalTag/team":"t{n}"}}}}}}"#
        )
    };
    let text = many(STATEMENTS, statement);
    let policy = parse(&text);
    let last = format!("arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/{}-x", STATEMENTS - 1);
    let keys = Keys::new().with("aws:PrincipalTag/team", format!("t{}", STATEMENTS - 1));
    let reading = time(1, || drop(parse(&text)));
    let asking = time(20, || assert_eq!(ask(&policy, "bedrock:InvokeModel", &last, &keys), Decision::Allow));
    eprintln!("{STATEMENTS} statements, {} bytes: read in {reading:?}, asked in {asking:?}", text.len());
    assert!(asking * 5 < reading, "{asking:?} to ask, {reading:?} to read");
}

#[test]
fn stars_do_not_multiply() {
    let policy = identity(r#"{"Effect":"Allow","Action":"*","Resource":"arn:aws:a:*:*q*q*q:z:*q*q"}"#);
    let keys = Keys::new();
    let asked = |segments: usize| {
        let arn = format!("arn:aws:a{}", ":aqaqaqaq".repeat(segments));
        time(3, || assert_eq!(ask(&policy, "a:b", &arn, &keys), Decision::Silent))
    };
    let (short, long) = (asked(25), asked(200));
    // Eight times the text: 64 times the work where every star is tried against every segment, and no power more.
    assert!(long < short * 400 + Duration::from_millis(5), "{long:?} against {short:?}");
}

use std::collections::BTreeMap;

use jiff::Timestamp;
use proptest::prelude::*;
use rust_decimal::Decimal;

use super::*;
use crate::entry::tests::entry;
use crate::ledger::Ledger;
use crate::outcomes::{Marked, Outcomes, Subject};
use crate::{Consumer, Rates, Tokens, prices};

fn d(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn now() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

fn ask(by: &str, filters: &[&str]) -> Query {
    let filters: Vec<_> = filters.iter().map(|one| (*one).to_owned()).collect();
    Query::parse(by, &filters, Some("2026-11-01"), Some("2026-11-30"), now()).unwrap()
}

fn kept(entries: &[Entry]) -> tempfile::TempDir {
    let data = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::open(data.path(), 0).unwrap();
    ledger.take(entries);
    ledger.tick();
    data
}

fn call(day: &str, team: &str, cost: Option<&str>) -> Entry {
    let tags = BTreeMap::from([("team".to_owned(), team.to_owned())]);
    Entry { at: format!("{day}T12:00:00Z").parse().unwrap(), tags, cost: cost.map(d), ..entry() }
}

#[test]
fn spend_by_day_and_tag() {
    let data = kept(&[
        call("2026-11-20", "search", Some("0.10")),
        call("2026-11-20", "search", Some("0.20")),
        call("2026-11-20", "chat", Some("0.05")),
        call("2026-11-21", "", None),
        call("2026-10-31", "search", Some("9")),
    ]);
    let report = report(data.path(), &Prices::default(), &ask("day,tag:team", &[])).unwrap();
    let rows: Vec<_> = report.rows.iter().map(|row| (row.group.join(" "), row.sums.calls, row.sums.cost)).collect();
    let expected = [
        ("2026-11-20 search".to_owned(), 2, d("0.30")),
        ("2026-11-20 chat".to_owned(), 1, d("0.05")),
        ("2026-11-21 (none)".to_owned(), 1, d("0")),
    ];
    assert_eq!(rows, expected);
    assert_eq!((report.total.cost, report.total.calls, report.total.input), (d("0.35"), 4, 400));
    assert_eq!(report.total.unpriced().unwrap(), "no price: 1 calls, 120 tokens");
    assert_eq!(report.json()["total"]["cost"], "0.35");
    assert_eq!(report.json()["rows"][0]["group"]["tag:team"], "search");
    let csv = show::csv(&report);
    assert!(
        csv.starts_with("day,tag:team,calls,")
            && csv.contains("2026-11-20,search,2,2,200,40,0,0,0,0,0,0.3,0,0,0,0,0\r\n"),
        "{csv}"
    );
}

#[test]
fn filters_of_one_name_widen_and_of_several_narrow() {
    let data = kept(&[
        call("2026-11-20", "search", Some("1")),
        call("2026-11-20", "chat", Some("2")),
        call("2026-11-21", "seasons", Some("4")),
    ]);
    let cost = |filters: &[&str]| report(data.path(), &Prices::default(), &ask("", filters)).unwrap().total.cost;
    assert_eq!(cost(&["tag:team=search"]), d("1"));
    assert_eq!(cost(&["tag:team=search", "tag:team=chat"]), d("3"));
    assert_eq!(cost(&["tag:team=se*", "day=2026-11-21"]), d("4"));
    assert_eq!(cost(&["tag:team=none"]), d("0"));
}

#[test]
fn questions_that_are_none_are_told_so() {
    for (by, from, to, told) in [
        ("colour", None, None, "`colour` is nothing to group"),
        ("tag:", None, None, "tag:KEY"),
        ("", Some("yesteryear"), None, "is no time"),
        ("", Some("5é"), None, "is no time"),
        ("", Some(""), None, "is no time"),
        ("", Some("99999999999999d"), None, "is no time"),
        ("", Some("2026-11-02"), Some("2026-11-01"), "is not after"),
    ] {
        let error = Query::parse(by, &[], from, to, now()).unwrap_err();
        assert!(error.to_string().contains(told), "{error}");
    }
    assert!(Query::parse("", &["team".into()], None, None, now()).is_err());
    let all = Query::parse("", &[], Some("2026-11-01"), Some("2026-11-01"), now()).unwrap();
    assert_eq!(all.time.end.as_second() - all.time.start.as_second(), 86_400);
}

#[test]
fn a_picture_stacks_what_the_days_are_made_of_and_trusts_no_tag() {
    let mut entries = vec![call("2026-11-20", "<script>&\"", Some("3")), call("2026-11-21", "b", Some("1.5"))];
    entries.extend((0..20).map(|n| call("2026-11-21", &format!("t{n}"), Some("0.01"))));
    let data = kept(&entries);
    let of = |by: &str| show::svg(&report(data.path(), &Prices::default(), &ask(by, &[])).unwrap());
    let svg = of("day,tag:team").unwrap();
    assert!(svg.contains("&lt;script&gt;&amp;&quot;") && !svg.contains("<script>"), "{svg}");
    assert!(svg.contains(OTHER) && svg.contains("$4.70 in all"), "{svg}");
    assert!(of("day").unwrap().contains("</svg>") && of("model").is_err());
    // Labels stand beside each other, never over each other.
    let hours = of("hour").unwrap();
    let labels = hours.lines().filter(|line| line.contains("\"middle\""));
    let places = labels.filter_map(|line| line.split('"').nth(1)?.parse::<f64>().ok()).collect::<Vec<_>>();
    assert!(places.len() > 1 && places.windows(2).all(|two| two[1] - two[0] > 14.0 * 7.0), "{places:?}");
    let nothing = show::svg(&report(data.path(), &Prices::default(), &ask("day", &["model=none"])).unwrap()).unwrap();
    assert!(!nothing.contains("NaN"), "{nothing}");
}

#[test]
fn model_units_cost_while_idle() {
    let data = tempfile::tempdir().unwrap();
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let life = |arn: &str, created: &str| units::Life {
        arn: arn.into(),
        account: "111122223333".into(),
        region: "us-east-1".into(),
        model: "m.one".into(),
        units: 2,
        commitment: None,
        created: at(created),
        ended: None,
    };
    let mut lives = units::Lives::open(data.path()).unwrap();
    let [a, b] = [life("a", "2026-11-20T22:30:00Z"), life("b", "2026-11-21T00:00:00Z")];
    lives.observe(at("2026-11-21T00:00:00Z"), vec![a.clone(), b.clone()]).unwrap();
    // Another run of the server finds one of them gone.
    drop(lives);
    let mut lives = units::Lives::open(data.path()).unwrap();
    lives.observe(at("2026-11-21T01:10:00Z"), vec![b.clone()]).unwrap();
    lives.observe(at("2026-11-21T02:00:00Z"), vec![]).unwrap();
    let rates = Rates { unit_hour: Some(d("21.5")), ..Rates::default() };
    let own = vec![prices::Row { model: Some("m.one".into()), rates, ..prices::Row::default() }];
    let prices = Prices::new(&prices::Table { own, ..prices::Table::default() });
    let report = report(data.path(), &prices, &ask("day,profile", &[])).unwrap();
    let rows: Vec<_> =
        report.rows.iter().map(|row| (row.group.join(" "), row.sums.unit_hours, row.sums.cost)).collect();
    let expected = [
        // Hours that begin at 22:30 and 23:30.
        ("2026-11-20 a".to_owned(), 4, d("86")),
        ("2026-11-21 b".to_owned(), 4, d("86")),
        // At 00:30; the next would begin after its end.
        ("2026-11-21 a".to_owned(), 2, d("43")),
    ];
    assert_eq!(rows, expected);
    assert_eq!((report.total.calls, report.total.unit_hours), (0, 10));
    let unpriced = super::report(data.path(), &Prices::default(), &ask("", &[])).unwrap().total;
    assert_eq!(unpriced.unpriced().unwrap(), "no price: 10 model-unit hours");
}

#[test]
fn the_price_of_a_success_is_that_of_the_failures_too() {
    let one = |id: &str, task: &str, cost: &str| {
        let metadata = BTreeMap::from([("ticket".to_owned(), task.to_owned())]);
        Entry { request_id: id.into(), metadata, ..call("2026-11-20", "search", Some(cost)) }
    };
    let data = kept(&[
        one("a", "1", "0.10"),
        one("b", "1", "0.20"),
        one("c", "2", "0.30"),
        one("d", "3", "0.50"),
        Entry { account: "999999999999".into(), ..one("e", "1", "7") },
    ]);
    let outcomes = Outcomes::open(data.path()).unwrap();
    let mark = |subject, success, task: Option<&str>| {
        let task = task.map(str::to_owned);
        outcomes.mark(&Marked { at: now(), account: "111122223333".into(), subject, success, task }).unwrap();
    };
    let ticket = |value: &str| Subject::Metadata { key: "ticket".into(), value: value.into() };
    mark(ticket("1"), false, None);
    mark(ticket("1"), true, Some("answer"));
    mark(ticket("2"), false, Some("answer"));
    mark(Subject::RequestId("d".into()), true, Some("sort"));
    let told = tasks::tasks(data.path(), &ask("", &["account=111122223333"]), false).unwrap().total;
    assert_eq!((told.succeeded, told.failed, told.sums.cost, told.unmarked.calls), (2, 1, d("1.10"), 0));
    assert_eq!(told.per_success(), Some(d("0.55")));
    let by = tasks::tasks(data.path(), &ask("account", &[]), true).unwrap();
    let rows: Vec<_> = by.rows.iter().map(|row| (row.group.join(" "), row.succeeded, row.per_success())).collect();
    let expected = [
        ("111122223333 answer".to_owned(), 1, Some(d("0.6"))),
        ("111122223333 sort".to_owned(), 1, Some(d("0.5"))),
        ("999999999999 (none)".to_owned(), 0, None),
    ];
    assert_eq!(rows, expected);
    assert_eq!(by.total.unmarked.cost, d("7"));
}

#[test]
fn focus_has_its_columns_and_the_whole_spend() {
    let data = kept(&[
        call("2026-11-20", "=cmd()", Some("0.10")),
        call("2026-11-20", "chat", Some("0.05")),
        call("2026-11-30", "chat", None),
    ]);
    let text = focus::export(data.path(), &Prices::default(), &ask("", &[])).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 4);
    assert!(lines[0].starts_with("AvailabilityZone,BilledCost,BillingAccountId,"), "{}", lines[0]);
    assert!(lines[1].contains(r#""{""team"":""=cmd()""}""#), "{}", lines[1]);
    assert!(lines[3].contains("(no price: 1 calls, 120 tokens)"), "{}", lines[3]);
    assert!(lines[3].contains("2026-12-01T00:00:00Z,2026-11-01T00:00:00Z"), "{}", lines[3]);
    let billed: Decimal = lines[1..].iter().map(|line| d(line.split(',').nth(1).unwrap())).sum();
    assert_eq!(billed, d("0.15"));
}

#[test]
fn spreadsheets_run_no_formula_of_a_callers() {
    let mut text = String::new();
    show::line(&mut text, ["=1+1".to_owned(), "-5".into(), "-cmd".into(), "a\"b,c".into()]);
    assert_eq!(text, "'=1+1,-5,'-cmd,\"a\"\"b,c\"\r\n");
}

proptest! {
    #[test]
    fn the_groups_are_the_total(
        calls in prop::collection::vec((0..28_u8, 0..4_u8, prop::option::of(0..1_000_000_i64), any::<u32>()), 0..60),
    ) {
        let mut adders = ["day", "tag:team", "day,tag:team,model", ""].map(|by| Adder::new(ask(by, &[])));
        for (day, team, cost, tokens) in calls {
            let call = Entry {
                cost: cost.map(|cost| Decimal::new(cost, 9)),
                tokens: Tokens { input: tokens.into(), ..Tokens::default() },
                ..call(&format!("2026-11-{:02}", day + 1), &format!("t{team}"), None)
            };
            for adder in &mut adders {
                adder.add(&call, 0);
            }
        }
        for report in adders.map(Adder::done) {
            let mut sum = Sums::default();
            for Row { sums, .. } in &report.rows {
                sum.cost += sums.cost;
                sum.calls += sums.calls;
                sum.input += sums.input;
                sum.unpriced_calls += sums.unpriced_calls;
                sum.unpriced_tokens += sums.unpriced_tokens;
            }
            let total = report.total;
            prop_assert_eq!(sum.cost, total.cost);
            prop_assert_eq!((sum.calls, sum.input), (total.calls, total.input));
            prop_assert_eq!((sum.unpriced_calls, sum.unpriced_tokens), (total.unpriced_calls, total.unpriced_tokens));
        }
    }
}

use jiff::ToSpan;

use super::*;
use crate::entry::tests::entry;
use crate::ledger::Ledger;
use crate::prices::{Row, Table};
use crate::{Consumer, Entry, Rates, Tokens};

const BIG: &str = "maker.big";
const SMALL: &str = "maker.small";

fn d(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn rates(input: &str, output: &str, read: &str) -> Rates {
    let cache_write = Some(d(input) * d("1.25"));
    Rates { input: Some(d(input)), output: Some(d(output)), cache_read: Some(d(read)), cache_write, ..Rates::default() }
}

fn prices(own: Vec<Row>) -> Prices {
    Prices::new(&Table {
        list: vec![(BIG.into(), rates("3", "15", "0.3")), (SMALL.into(), rates("1", "5", "0.1"))],
        charged_by: vec!["aws".into()],
        local: vec!["local".into()],
        own,
        ..Table::default()
    })
}

fn facts() -> HashMap<String, Facts> {
    let facts = Facts { cheaper: vec![SMALL.into()], cache_minimum: Some(1024) };
    [(BIG.to_owned(), facts)].into()
}

/// So many calls, two minutes apart.
fn told(calls: u32, call: &Entry, prices: &Prices) -> Advice {
    let data = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::open(data.path(), 0).unwrap();
    let calls: Vec<_> = (0..calls)
        .map(|n| Entry { at: call.at.checked_add((2 * i64::from(n)).minutes()).unwrap(), ..call.clone() })
        .collect();
    ledger.take(&calls);
    ledger.tick();
    let query = Query::parse("", &[], Some("2026-11-01"), Some("2026-12-31"), call.at).unwrap();
    advise(data.path(), prices, &facts(), &query).unwrap()
}

fn call() -> Entry {
    Entry {
        at: "2026-11-02T00:00:00Z".parse().unwrap(),
        provider: Some("aws".into()),
        model_id: BIG.into(),
        tokens: Tokens { input: 2000, output: 40, ..Tokens::default() },
        max_tokens: Some(100),
        streamed: true,
        cost: Some(d("0.0066")),
        ..entry()
    }
}

fn finding<'a>(advice: &'a Advice, rule: &str) -> Option<&'a Finding> {
    advice.findings.iter().find(|finding| finding.rule == rule)
}

#[test]
fn too_little_traffic_is_told_as_that() {
    let advice = told(999, &call(), &prices(vec![]));
    assert!(advice.findings.is_empty());
    assert!(advice.too_little.unwrap().contains("999 answered calls"));
}

#[test]
fn each_rule_by_arithmetic() {
    // 2,161 calls in 72 hours: ten times that in 30 days.
    let n = 2161;
    let (none, months) = (prices(vec![]), d("10") * Decimal::from(n));
    let advice = told(n, &call(), &none);
    assert_eq!((advice.calls, advice.seconds, &advice.too_little), (2161, 259_200, &None));
    assert!(finding(&advice, "max-tokens").is_none() && finding(&advice, "prompt-cache").is_none());
    assert!(finding(&advice, "flex-or-batch").is_none() && finding(&advice, "provisioned").is_none());
    // 2,000 input at $2 and 40 output at $10 a million less.
    let cheaper = finding(&advice, "cheaper-model").unwrap();
    assert_eq!(cheaper.dollars_a_month, (months * d("0.0044")).round_dp(2));
    assert!(cheaper.what.contains(SMALL) && cheaper.caveat.contains("eval"));

    let advice = told(n, &Entry { max_tokens: Some(4096), ..call() }, &none);
    let limits = finding(&advice, "max-tokens").unwrap();
    assert_eq!(limits.dollars_a_month, Decimal::ZERO);
    assert!(limits.how.contains("99 of 100 wrote 4"), "{}", limits.how);

    let advice = told(n, &Entry { prefix: Some(7), ..call() }, &none);
    let cache = finding(&advice, "prompt-cache").unwrap();
    // 2,160 reads of 1,024 tokens at $2.70 less, one write at $0.75 more.
    let saved = (d("2160") * d("2.7") - d("0.75")) * d("1024") * d("0.00001");
    assert_eq!(cache.dollars_a_month, saved.round_dp(2));

    let advice = told(n, &Entry { streamed: false, ..call() }, &none);
    assert_eq!(finding(&advice, "flex-or-batch").unwrap().dollars_a_month, (months * d("0.0033")).round_dp(2));

    // Spend of 2161 x 0.0066 x 10 = $142.63 a month; a unit for $0.10 an hour is $72.
    let unit = Rates { unit_hour: Some(d("0.10")), ..Rates::default() };
    let units = prices(vec![Row { model: Some(BIG.into()), rates: unit, ..Row::default() }]);
    let advice = told(n, &call(), &units);
    let one = finding(&advice, "provisioned").unwrap();
    assert_eq!(one.dollars_a_month, (months * d("0.0066")).round_dp(2) - d("72"));
    assert!(one.how.contains("at least 50 %"), "{}", one.how);
}

#[test]
fn a_machine_is_weighed_against_the_list_price() {
    let machine = Rates { machine_hour: Some(d("1")), ..Rates::local() };
    let prices = prices(vec![Row { provider: Some("local".into()), rates: machine, ..Row::default() }]);
    let advice = told(2161, &Entry { provider: Some("local".into()), cost: Some(d("0")), ..call() }, &prices);
    let one = finding(&advice, "self-host").unwrap();
    // $720 for the machine, 2161 x 0.0066 x 10 for the tokens.
    assert_eq!(one.dollars_a_month, d("720") - d("142.63"));
    assert!(one.what.contains("cheaper"));
    assert!(finding(&advice, "cheaper-model").is_none());
}

use super::*;
use crate::Tokens;
use crate::entry::tests::entry;

const HAIKU: &str = "anthropic.claude-3-haiku-20240307-v1:0";

fn d(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn haiku() -> Rates {
    Rates {
        input: Some(d("0.25")),
        output: Some(d("1.25")),
        cache_read: Some(d("0.03")),
        cache_write: Some(d("0.30")),
        cache_write_1h: Some(d("0.50")),
        ..Rates::default()
    }
}

fn table() -> Table {
    Table {
        list: vec![(HAIKU.into(), haiku())],
        charged_by: vec!["aws".into()],
        local: vec!["local".into()],
        ..Table::default()
    }
}

fn at(day: &str) -> Timestamp {
    format!("{day}T12:00:00Z").parse().unwrap()
}

fn input(prices: &Prices, provider: &str, region: &str, tier: &str, day: &str) -> Option<Decimal> {
    prices.rates(HAIKU, provider, region, tier, at(day)).and_then(|rates| rates.input)
}

#[test]
fn text_units_cost_nothing_unless_a_row_says_what() {
    let units = crate::TextUnits { content: 2, topic: 1, word: 9, sensitive: 4, free: 9, grounding: 5 };
    let cost = |own: Vec<Row>| {
        Prices::new(&Table { own, ..table() }).text_units(&units, "us-east-1", at("2026-11-21")).to_string()
    };
    assert_eq!(cost(Vec::new()), "0");
    let list = Row { provider: Some(GUARDRAILS.into()), list: Some(d("1")), ..Row::default() };
    // (2 + 1) * 0.15 + (4 + 5) * 0.10, by the thousand.
    assert_eq!(cost(vec![list.clone()]), "0.00135");
    let rates = Rates { text_units: Some(d("1")), ..Rates::default() };
    let flat = Row { provider: Some(GUARDRAILS.into()), rates: rates.clone(), ..Row::default() };
    assert_eq!(cost(vec![flat]), "0.012");
    let topics = Row { model: Some("guardrails.topic".into()), rates, ..Row::default() };
    assert_eq!(cost(vec![list, topics]), "0.0022");
    let elsewhere = Row { provider: Some("aws".into()), list: Some(d("1")), ..Row::default() };
    assert_eq!(cost(vec![elsewhere]), "0");
}

#[test]
fn tokens_cost_what_the_arithmetic_says() {
    let tokens = Tokens { input: 1000, output: 100, cache_read: 2000, cache_write: 500, cache_write_1h: 200 };
    // 1000 x 0.25 + 100 x 1.25 + 2000 x 0.03 + 300 x 0.30 + 200 x 0.50 = 625 millionths.
    assert_eq!(haiku().cost(&tokens, 0, 0), d("0.000625"));
    assert_eq!(haiku().cost(&Tokens::default(), 0, 0), Decimal::ZERO);
    let bare = Rates { cache_read: None, cache_write: None, cache_write_1h: None, ..haiku() };
    // What a cache costs is not said: 3500 x 0.25 + 100 x 1.25.
    assert_eq!(bare.cost(&tokens, 0, 0), d("0.001"));
    let images = Rates { image: Some(d("0.04")), query: Some(d("0.002")), ..Rates::default() };
    assert_eq!(images.cost(&tokens, 3, 2), d("0.124"));
    // The whole input written to the cache for an hour: 1000 x 0.5 + 100 x 1.25.
    assert_eq!(haiku().most(1000, 100), d("0.000625"));
    let absurd = Tokens { input: u64::MAX, output: u64::MAX, cache_read: u64::MAX, ..Tokens::default() };
    assert!(haiku().cost(&absurd, u64::MAX, u64::MAX) > d("1000000000000"));
}

#[test]
fn only_who_charges_the_list_price_is_paid_it() {
    let prices = Prices::new(&table());
    assert_eq!(prices.cost(&Entry { provider: Some("aws".into()), ..entry() }), Some(d("0.00005")));
    assert_eq!(prices.cost(&Entry { provider: Some("other".into()), ..entry() }), None);
    let local = prices.rates(HAIKU, "local", "us-east-1", "default", at("2026-11-21")).unwrap();
    assert!(local.local && local.is_empty());
    assert_eq!(prices.cost(&entry()), Some(Decimal::ZERO));
    assert_eq!(prices.cost(&Entry { model_id: "no.such".into(), provider: Some("aws".into()), ..entry() }), None);
}

#[test]
fn what_used_nothing_costs_nothing_whoever_answered() {
    let prices = Prices::new(&table());
    let free = |entry: Entry| assert_eq!(prices.cost(&entry), Some(Decimal::ZERO));
    free(Entry { tokens: Tokens::default(), provider: None, ..entry() });
    free(Entry { cached: true, provider: Some("other".into()), ..entry() });
    let arn = "arn:aws:bedrock:us-east-1:111122223333:provisioned-model/abcdefghijkl";
    free(Entry { profile: Some(arn.into()), provider: Some("aws".into()), ..entry() });
}

#[test]
fn the_row_that_says_most_counts_and_then_the_newest_that_holds() {
    let row = |input: &str| Row { rates: Rates { input: Some(d(input)), ..Rates::default() }, ..Row::default() };
    let from = |day: &str| Some(day.parse().unwrap());
    let own = vec![
        Row { provider: Some("aws".into()), ..row("1") },
        Row { model: Some(HAIKU.into()), ..row("2") },
        Row { model: Some(HAIKU.into()), from: from("2026-11-01"), ..row("3") },
        Row { model: Some(HAIKU.into()), region: Some("eu-west-1".into()), ..row("4") },
        Row { model: Some(HAIKU.into()), provider: Some("aws".into()), tier: Some("flex".into()), ..row("5") },
    ];
    let prices = Prices::new(&Table { own, ..table() });
    let is = |provider, region, tier, day, price: &str| {
        assert_eq!(input(&prices, provider, region, tier, day), Some(d(price)), "{provider} {region} {tier} {day}");
    };
    is("aws", "us-east-1", "default", "2026-10-31", "2");
    is("aws", "us-east-1", "default", "2026-11-01", "3");
    is("local", "us-east-1", "default", "2026-11-01", "3");
    is("aws", "eu-west-1", "default", "2026-11-01", "4");
    is("aws", "us-east-1", "flex", "2026-11-01", "5");
    is("aws", "us-east-1", "priority", "2026-11-01", "5.25");
    let other = prices.rates("amazon.nova-lite-v1:0", "aws", "us-east-1", "default", at("2026-11-01"));
    assert_eq!(other.unwrap().input, Some(d("1")));
}

#[test]
fn a_share_of_the_list_price_is_a_price_of_every_model_that_has_one() {
    let own = vec![Row { provider: Some("other".into()), list: Some(d("0.9")), ..Row::default() }];
    let prices = Prices::new(&Table { own, ..table() });
    assert_eq!(input(&prices, "other", "us-east-1", "default", "2026-11-21"), Some(d("0.225")));
    assert_eq!(input(&prices, "other", "us-east-1", "batch", "2026-11-21"), Some(d("0.1125")));
    assert_eq!(input(&prices, "aws", "us-east-1", "default", "2026-11-21"), Some(d("0.25")));
    assert!(prices.rates("no.such", "other", "us-east-1", "default", at("2026-11-21")).is_none());
}

#[test]
fn a_machine_costs_by_the_hour() {
    let rates = Rates { machine_hour: Some(d("1.80")), calls_at_once: Some(4), ..Rates::local() };
    // 8 seconds of a quarter of the machine.
    assert_eq!(rates.machine(8000.0), d("0.001"));
    assert_eq!((rates.machine(-1.0), rates.machine(f64::NAN)), (Decimal::ZERO, Decimal::ZERO));
    let own = vec![Row { provider: Some("local".into()), rates, ..Row::default() }];
    let prices = Prices::new(&Table { own, ..table() });
    assert_eq!(prices.cost(&Entry { total_ms: 8000.0, ..entry() }), Some(d("0.001")));
    let unit = Rates { unit_hour: Some(d("40")), unit_hour_1_month: Some(d("30")), ..Rates::default() };
    assert_eq!(unit.model_unit_hour(None), Some(d("40")));
    assert_eq!(
        (unit.model_unit_hour(Some("OneMonth")), unit.model_unit_hour(Some("SixMonths"))),
        (Some(d("30")), None)
    );
}

#[test]
fn a_row_of_model_unit_hours_leaves_the_price_of_tokens_alone() {
    let rates = Rates { unit_hour: Some(d("40")), ..Rates::default() };
    let prices =
        Prices::new(&Table { own: vec![Row { model: Some(HAIKU.into()), rates, ..Row::default() }], ..table() });
    assert_eq!(input(&prices, "aws", "us-east-1", "default", "2026-11-21"), Some(d("0.25")));
    let hour = |commitment| {
        prices.rate(HAIKU, "local", "us-east-1", at("2026-11-21"), |rates| rates.model_unit_hour(commitment))
    };
    assert_eq!((hour(None), hour(Some("OneMonth"))), (Some(d("40")), None));
}

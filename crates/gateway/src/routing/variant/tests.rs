use outcrop_models::Catalogue;

use super::*;

#[test]
fn tokens_cost_their_list_price() {
    let catalogue = Catalogue::builtin().unwrap();
    let price = Price {
        input: Some(3.into()),
        output: Some(15.into()),
        cache_read: Some("0.3".parse().unwrap()),
        ..catalogue.get(super::super::testing::HAIKU).unwrap().price.clone().unwrap()
    };
    let usage = TokenUsage {
        input_tokens: 1000,
        output_tokens: 100,
        total_tokens: 3100,
        cache_read_input_tokens: Some(2000),
        ..Default::default()
    };
    // 1000 at $3, 100 at $15 and 2000 at $0.30 a million: $0.0051.
    assert_eq!(cost(&usage, &price), 5100);
}

use std::time::Duration;

use proptest::prelude::*;

use super::Histogram;

#[test]
fn old_durations_fade() {
    let histogram = Histogram::default();
    assert_eq!(histogram.quantile(0.5), None);
    (0..5000).for_each(|_| histogram.record(Duration::from_millis(10)));
    (0..5000).for_each(|_| histogram.record(Duration::from_millis(1000)));
    assert!(histogram.quantile(0.5).unwrap() >= Duration::from_millis(1000));
    assert!(histogram.count() < 1024);
}

proptest! {
    #[test]
    fn quantiles_are_within_a_step(mut ms in prop::collection::vec(1u64..100_000, 1..900), share in 0.01f64..1.0) {
        let histogram = Histogram::default();
        ms.iter().for_each(|ms| histogram.record(Duration::from_millis(*ms)));
        ms.sort_unstable();
        let exact = ms[((ms.len() as f64 * share).ceil() as usize).max(1) - 1] as f64;
        let read = histogram.quantile(share).unwrap().as_secs_f64() * 1000.0;
        prop_assert!(read >= exact * 0.999 && read <= exact * 1.1, "{read} for {exact}");
    }
}

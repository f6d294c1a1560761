use super::*;

/// Dollars of an hour: busy by day, quiet at the weekend, with noise by a factor.
struct Made {
    random: fastrand::Rng,
    noise: f64,
}

impl Made {
    fn normal(&mut self) -> f64 {
        // Twelve uniform numbers, less their mean: normal enough within five deviations.
        (0..12).map(|_| self.random.f64()).sum::<f64>() - 6.0
    }

    fn usual(hour: usize) -> f64 {
        let (of_day, day) = (hour % 24, hour / 24 % 7);
        let by_day = if (8..20).contains(&of_day) { 10.0 } else { 1.0 };
        if day >= 5 { by_day / 5.0 } else { by_day }
    }

    fn hour(&mut self, hour: usize) -> f32 {
        (Self::usual(hour) * (self.noise * self.normal()).exp()) as f32
    }
}

/// How many of `hours` hours after `from` are taken for anomalies, each after the history until then.
fn alarms(made: &mut Made, from: usize, hours: usize) -> usize {
    let mut history: Vec<f32> = (0..from).map(|hour| made.hour(hour)).collect();
    let mut found = 0;
    for hour in from..from + hours {
        let value = made.hour(hour);
        found += usize::from(score(&history, f64::from(value)).is_some_and(|score| score >= ANOMALY));
        history.push(value);
    }
    found
}

#[test]
fn noise_is_seldom_taken_for_an_anomaly() {
    for (noise, most) in [(0.1, 0), (0.3, 2), (0.6, 10)] {
        let mut made = Made { random: fastrand::Rng::with_seed(7), noise };
        // A year of hours, after four weeks.
        let (hours, found) = (365 * 24, alarms(&mut made, 4 * WEEK, 365 * 24));
        eprintln!("noise {noise}: {found} false alarms in {hours} hours");
        assert!(found <= most, "noise {noise}: {found} of {hours}");
    }
}

#[test]
fn noise_is_seldom_taken_for_one_while_only_days_are_known() {
    let mut found = 0;
    for seed in 0..100 {
        let mut made = Made { random: fastrand::Rng::with_seed(seed), noise: 0.3 };
        found += alarms(&mut made, 2 * WEEK, WEEK);
    }
    eprintln!("days only: {found} false alarms in {} hours", 100 * WEEK);
    assert!(found <= 100, "{found}");
}

#[test]
fn a_runaway_is_found_by_night_and_by_day() {
    let mut made = Made { random: fastrand::Rng::with_seed(3), noise: 0.3 };
    let history: Vec<f32> = (0..6 * WEEK).map(|hour| made.hour(hour)).collect();
    for hour in 0..WEEK {
        let mut before = history.clone();
        before.extend((0..hour).map(|hour| made.hour(hour)));
        // By night it is held against what an hour costs at all: small change is no runaway, however unusual.
        let score = score(&before, 15.0 * Made::usual(hour).max(2.0)).unwrap();
        assert!(score >= ANOMALY, "hour {hour}: {score}");
    }
}

#[test]
fn what_is_usual_by_day_is_an_anomaly_by_night() {
    let mut made = Made { random: fastrand::Rng::with_seed(4), noise: 0.1 };
    let history: Vec<f32> = (0..5 * WEEK + 3).map(|hour| made.hour(hour)).collect();
    assert!(score(&history, 10.0).unwrap() >= ANOMALY);
    let history: Vec<f32> = (0..5 * WEEK + 12).map(|hour| made.hour(hour)).collect();
    assert!(score(&history, 10.0).unwrap() < 2.0);
}

#[test]
fn without_history_nothing_is_said() {
    assert_eq!(score(&[], 1000.0), None);
    assert_eq!(score(&[1.0; LEAST_HOURS - 1], 1000.0), None);
    // Nothing was ever spent: there is nothing that is usual.
    assert_eq!(score(&[0.0; REMEMBERED], 1000.0), None);
    assert!(score(&[1.0; LEAST_HOURS], 1000.0).unwrap() > ANOMALY);
    assert!(score(&[1.0; LEAST_HOURS], 0.0).unwrap() < 0.0);
    assert!(score(&[f32::NAN; REMEMBERED], 1.0).is_none());
}

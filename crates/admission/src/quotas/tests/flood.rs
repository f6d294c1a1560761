use std::sync::Barrier;

use super::super::table::Table;
use super::*;

#[test]
fn ten_thousand_callers_at_a_limit_at_once_get_what_there_is_and_not_more() {
    const THREADS: usize = 8;
    let quotas = Quotas::new(Settings {
        rules: vec![Rule {
            name: "all".into(),
            by: By::Account,
            value: None,
            model: None,
            limits: Limits { concurrency: Some(100), ..Limits::default() },
        }],
        ..Settings::default()
    });
    let keys: Vec<String> = (0..10_000).map(|n| format!("AKIA{n:016}")).collect();
    let barrier = Barrier::new(THREADS);
    let got: Vec<Hold> = std::thread::scope(|scope| {
        let threads: Vec<_> = keys
            .chunks(10_000 / THREADS)
            .map(|keys| {
                let (barrier, quotas) = (&barrier, &quotas);
                scope.spawn(move || {
                    barrier.wait();
                    let admit = |key: &String| quotas.admit(&Call { key: Some(key), ..call("", 10, 10) });
                    let mut got = Vec::new();
                    for key in keys {
                        match admit(key) {
                            Ok(hold) => got.push(hold),
                            Err(fault) => assert!(fault.message.contains("100 calls at a time"), "{fault}"),
                        }
                    }
                    got
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(got.len(), 100);
    drop(got);
    assert_eq!(quotas.snapshot()[0].concurrency, Some(Used { used: 0, of: 100 }));
}

#[test]
fn ten_thousand_callers_share_tokens_to_the_last_and_not_beyond() {
    // An hour's worth comes back in an hour: none of note comes back while the test runs.
    let (quotas, clock) = (Quotas::new(minute(100_000)), Clock::new());
    let keys: Vec<String> = (0..10_000).map(|n| format!("AKIA{n:016}")).collect();
    let admit = &|key: &String| {
        let mut hold = quotas.admit_at(&Call { key: Some(key), ..call("", 50, 0) }, clock.now())?;
        hold.settle(&spent(50, 0));
        hold.drop_at(clock.now());
        Ok::<_, Fault>(())
    };
    let got: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = keys
            .chunks(2_500)
            .map(|keys| scope.spawn(move || keys.iter().filter(|key| admit(key).is_ok()).count()))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(got, 2_000);
}

fn by_metadata() -> Settings {
    let limits = Limits { tokens_per_minute: Some(100), ..Limits::default() };
    let rule = Rule { name: "tenants".into(), by: By::Metadata("tenant".into()), value: None, model: None, limits };
    Settings { rules: vec![rule], ..Settings::default() }
}

#[test]
fn memory_is_bounded_whatever_callers_send_and_the_rest_shares_one_quota() {
    let (mut quotas, mut clock) = (Quotas::new(by_metadata()), Clock::new());
    let shared = Arc::get_mut(&mut quotas.shared).unwrap();
    shared.table = Table::new(1_000);
    let admit = |tenant: usize, now: Now| {
        let metadata = BTreeMap::from([("tenant".to_owned(), tenant.to_string())]);
        let mut hold = quotas.admit_at(&Call { metadata: Some(&metadata), ..call("AKIA1", 1, 0) }, now)?;
        hold.settle(&spent(1, 0));
        hold.drop_at(now);
        Ok::<_, Fault>(())
    };
    let refused = (0..20_000).filter(|tenant| admit(*tenant, clock.now()).is_err()).count();
    assert!(quotas.known() <= 1_024, "{}", quotas.known());
    assert!(quotas.overflowed() > 18_000 && refused > 18_000, "{} and {refused}", quotas.overflowed());
    let others = |usage: &&Usage| usage.account.is_none();
    let all = quotas.snapshot_at(clock.now());
    assert_eq!(all.iter().find(others).unwrap().tokens_per_minute, Some(Used { used: 100, of: 100 }));
    // Those that nobody asks for any more make room. They are few enough that no shard fills: a key's is by chance.
    let later = clock.on(1_000.0);
    let before = quotas.overflowed();
    (30_000..30_200).for_each(|tenant| admit(tenant, later).unwrap());
    assert_eq!(quotas.overflowed(), before);
    quotas.shared.table.sweep(clock.on(1_000.0));
    assert_eq!(quotas.known(), 0);
}

#[test]
fn a_hundred_thousand_values_are_told_apart() {
    let (quotas, clock) = (Quotas::new(by_metadata()), Clock::new());
    for tenant in 0..110_000 {
        let metadata = BTreeMap::from([("tenant".to_owned(), format!("tenant-{tenant}"))]);
        let hold = quotas.admit_at(&Call { metadata: Some(&metadata), ..call("AKIA1", 1, 0) }, clock.now());
        if let Ok(mut hold) = hold {
            hold.settle(&spent(1, 0));
            hold.drop_at(clock.now());
        }
    }
    assert!((95_000..=100_032).contains(&quotas.known()), "{}", quotas.known());
}

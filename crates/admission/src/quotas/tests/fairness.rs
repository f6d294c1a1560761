use super::*;

const MODEST: [&str; 9] = ["m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "m9"];

/// A caller of the simulation: so many calls in flight, of so many tokens, each again as soon as it is over.
struct Client {
    key: &'static str,
    tokens: u64,
    /// When each of its calls asks next, and the one that it holds.
    slots: Vec<(f64, Option<Hold>)>,
    /// From the end of a call to the next.
    pause: f64,
    got: u64,
    refused: u64,
}

impl Client {
    fn new(key: &'static str, flight: usize, tokens: u64, pause: f64) -> Self {
        let slots = (0..flight).map(|at| (at as f64 * 0.013, None)).collect();
        Self { key, tokens, slots, pause, got: 0, refused: 0 }
    }
}

/// Lets everybody call for so long; a call lasts two seconds, and who is refused asks again after `patience`, or
/// when it was told to.
fn run(quotas: &Quotas, clock: &mut Clock, clients: &mut [Client], seconds: f64, patience: Option<f64>) {
    const STEP: f64 = 0.05;
    let mut time = 0.0;
    for client in clients.iter_mut() {
        client.slots.iter_mut().for_each(|slot| slot.0 -= slot.0.floor());
    }
    while time < seconds {
        let now = clock.on(STEP);
        time += STEP;
        for client in clients.iter_mut() {
            for slot in &mut client.slots {
                if slot.0 > time {
                    continue;
                }
                if let Some(mut hold) = slot.1.take() {
                    hold.settle(&spent(client.tokens, 0));
                    hold.drop_at(now);
                    slot.0 = time + client.pause;
                    continue;
                }
                match quotas.admit_at(&call(client.key, client.tokens, 0), now) {
                    Ok(hold) => {
                        client.got += client.tokens;
                        *slot = (time + 2.0, Some(hold));
                    }
                    Err(fault) => {
                        client.refused += 1;
                        let told = fault.retry_after.map_or(1.0, |wait| wait.as_secs_f64());
                        slot.0 = time + patience.unwrap_or(told);
                    }
                }
            }
        }
    }
}

/// Nobody holds anything when the simulation goes on: the holds would be given back by the real clock.
fn end(clients: &mut [Client], now: Now) {
    for client in clients {
        for slot in &mut client.slots {
            if let Some(mut hold) = slot.1.take() {
                hold.settle(&spent(client.tokens, 0));
                hold.drop_at(now);
            }
        }
    }
}

#[test]
fn one_greedy_caller_does_not_starve_nine_modest_ones() {
    // 60,000 tokens a minute among ten: a share is 6,000 a minute. Each modest caller wants 5,000 of them.
    let (quotas, mut clock) = (Quotas::new(minute(60_000)), Clock::new());
    let mut greedy = vec![Client::new("greedy", 100, 500, 0.0)];
    run(&quotas, &mut clock, &mut greedy, 120.0, Some(0.05));
    let alone = greedy[0].got;
    assert!(alone > 170_000, "alone it has all: the burst and two minutes' refill, not {alone}");

    let mut all = greedy;
    all[0].got = 0;
    all.extend(MODEST.map(|key| Client::new(key, 1, 500, 4.0)));
    run(&quotas, &mut clock, &mut all, 300.0, Some(0.05));
    end(&mut all, clock.now());
    let wanted = 300.0 / 6.0 * 500.0;
    for modest in &all[1..] {
        assert!(modest.got as f64 > 0.9 * wanted, "{} got {} of {wanted}", modest.key, modest.got);
    }
    let total: u64 = all.iter().map(|client| client.got).sum();
    assert!(total as f64 > 0.95 * 300_000.0, "nothing is left idle: {total}");
    assert!(all[0].got > 30_000, "what others leave is the greedy one's: {}", all[0].got);
}

#[test]
fn callers_beyond_their_share_come_to_be_equal() {
    let (quotas, mut clock) = (Quotas::new(minute(60_000)), Clock::new());
    let mut all = vec![Client::new("a", 100, 300, 0.0), Client::new("b", 20, 300, 0.0), Client::new("c", 60, 300, 0.0)];
    run(&quotas, &mut clock, &mut all, 240.0, Some(0.1));
    let before: Vec<_> = all.iter().map(|client| client.got).collect();
    run(&quotas, &mut clock, &mut all, 600.0, Some(0.1));
    end(&mut all, clock.now());
    for (client, before) in all.iter().zip(before) {
        let got = (client.got - before) as f64;
        assert!((0.7..1.3).contains(&(got / 200_000.0)), "{} got {got} of 600,000 in ten minutes", client.key);
    }
}

#[test]
fn a_large_call_of_a_modest_caller_gets_in_when_it_was_told_to() {
    let (quotas, mut clock) = (Quotas::new(minute(60_000)), Clock::new());
    let mut greedy = vec![Client::new("greedy", 100, 500, 0.0)];
    run(&quotas, &mut clock, &mut greedy, 120.0, Some(0.05));
    // Larger than what is kept free, so it is refused at first.
    let fault = quotas.admit_at(&call("modest", 30_000, 0), clock.now()).unwrap_err();
    let wait = fault.retry_after.unwrap().as_secs_f64();
    assert!(wait < 31.0, "{wait}");
    run(&quotas, &mut clock, &mut greedy, wait, Some(0.05));
    let mut hold = quotas.admit_at(&call("modest", 30_000, 0), clock.on(0.1)).unwrap();
    hold.drop_at(clock.now());
    end(&mut greedy, clock.now());
}

#[test]
fn a_greedy_caller_reads_that_the_quota_is_shared() {
    let (quotas, mut clock) = (Quotas::new(minute(10_000)), Clock::new());
    quotas.whole("modest", 100, clock.now()).unwrap();
    quotas.whole("greedy", 8_500, clock.on(0.1)).unwrap();
    let fault = quotas.whole("greedy", 1_000, clock.on(0.1)).unwrap_err();
    assert!(fault.message.contains("2 callers share it, and you have used more than your share of late"), "{fault}");
    quotas.whole("modest", 1_000, clock.now()).unwrap();
}

use std::sync::Arc;
use std::time::Duration;

use outcrop_api::{Fault, Kind};
use outcrop_models::Resolved;
use outcrop_providers::Cause;
use tokio::time::Instant;

use super::super::testing::{Told, Turn, ask, context, resolved, route, source, target};
use super::super::{Ask, BreakerSettings, Choice, Hedge, Plan, Policy, Route};
use super::Served;

struct Bench {
    providers: Vec<Arc<Told>>,
    route: Arc<Route>,
    resolved: Resolved,
}

/// One target for each of `providers`, asked in their order.
fn bench(providers: Vec<Arc<Told>>, policy: Policy) -> Bench {
    let names = ["a", "b", "c"];
    let sources = providers.iter().zip(names).map(|(told, name)| source(name, told.clone())).collect();
    let targets = (0..).zip(&names[..providers.len()]);
    let targets = targets.map(|(priority, name)| super::super::TargetSettings { priority, ..target(name) }).collect();
    Bench { route: route(sources, targets, policy), providers, resolved: resolved() }
}

impl Bench {
    async fn call(&self) -> Result<Served<()>, Fault> {
        self.call_as(ask()).await
    }

    async fn call_as(&self, ask: Ask<'_>) -> Result<Served<()>, Fault> {
        let cx = context();
        let plan = Plan::new(&cx, &self.route, &self.resolved, &ask).unwrap();
        plan.attempt(&cx, |target| {
            let provider =
                self.providers[["a", "b", "c"].iter().position(|name| *name == &*target.name).unwrap()].clone();
            async move { provider.go().await }
        })
        .await
    }

    fn asked(&self) -> Vec<u32> {
        self.providers.iter().map(|p| p.asked()).collect()
    }
}

fn header<'a>(fault: &'a Fault, name: &str) -> Option<&'a str> {
    fault.headers.iter().find(|(n, _)| *n == name).map(|(_, value)| value.as_str())
}

#[tokio::test(start_paused = true)]
async fn the_next_target_answers_where_the_first_fails() {
    for cause in [
        Cause::Unmappable,
        Cause::NoModel,
        Cause::Credentials,
        Cause::Throttled,
        Cause::Unavailable,
        Cause::Unreachable,
        Cause::TimedOut,
        Cause::Broken,
        Cause::Blocked,
    ] {
        let b = bench(vec![Told::to([Turn::Fail(cause)]), Told::to([])], Policy::default());
        let began = Instant::now();
        let served = b.call().await.unwrap();
        assert_eq!((&*served.target.name, served.attempts), ("b", 2), "{cause:?}");
        // No pause: another target is no repetition.
        assert_eq!((began.elapsed(), b.asked()), (Duration::ZERO, vec![1, 1]));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_with_the_request_is_wrong_everywhere() {
    let b = bench(vec![Told::always(Turn::Fail(Cause::Request)), Told::to([])], Policy::default());
    let fault = b.call().await.err().unwrap();
    assert_eq!((fault.kind, b.asked()), (Kind::Validation, vec![1, 0]));
    assert!(fault.headers.is_empty());
}

#[tokio::test(start_paused = true)]
async fn after_all_have_failed_those_are_asked_again_that_may_recover() {
    let flaky = Told::to([Turn::Fail(Cause::Unavailable), Turn::Fail(Cause::Broken)]);
    let b = bench(vec![flaky, Told::always(Turn::Fail(Cause::Credentials))], Policy::default());
    let began = Instant::now();
    let served = b.call().await.unwrap();
    assert_eq!((&*served.target.name, served.attempts, b.asked()), ("a", 4, vec![3, 1]));
    assert!(began.elapsed() <= Duration::from_millis(300));

    let b = bench(vec![Told::always(Turn::Fail(Cause::Unavailable))], Policy { retries: 2, ..Policy::default() });
    let fault = b.call().await.err().unwrap();
    assert_eq!((fault.kind, header(&fault, "x-outcrop-attempts")), (Kind::ServiceUnavailable, Some("3")));
}

#[tokio::test(start_paused = true)]
async fn repetitions_end_with_the_budget_and_fallback_does_not() {
    let settings = BreakerSettings { consecutive: 100_000, minimum: 1 << 19, ..BreakerSettings::default() };
    let policy = Policy { breaker: settings, retry_share: 0.1, ..Policy::default() };
    let b = bench(vec![Told::always(Turn::Fail(Cause::Unavailable))], policy.clone());
    for _ in 0..500 {
        b.call().await.err().unwrap();
    }
    // 500 calls, the reserve of ten, and a tenth of all calls but the first, which found the reserve full.
    assert_eq!(b.asked(), [559]);
    let b = bench(vec![Told::always(Turn::Fail(Cause::Unavailable)), Told::to([])], policy);
    for _ in 0..500 {
        b.call().await.unwrap();
    }
    assert_eq!(b.asked(), [500, 500]);
}

#[tokio::test(start_paused = true)]
async fn a_short_retry_after_is_waited_for_and_a_long_one_is_told() {
    let wait = Duration::from_millis(1500);
    let b = bench(vec![Told::to([Turn::Later(Cause::Throttled, wait)])], Policy::default());
    let began = Instant::now();
    b.call().await.unwrap();
    assert!(began.elapsed() >= wait && began.elapsed() < Duration::from_secs(2));

    let long = Turn::Later(Cause::Throttled, Duration::from_millis(29_500));
    let b = bench(vec![Told::always(long.clone()), Told::always(Turn::Fail(Cause::Broken))], Policy::default());
    let fault = b.call().await.err().unwrap();
    assert_eq!((fault.kind, fault.retry_after), (Kind::Throttling, Some(Duration::from_millis(29_500))));
    assert_eq!(b.asked()[0], 1);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_does_not_begin_in_time_goes_to_the_next() {
    let policy = Policy { first_token: Duration::from_secs(5), ..Policy::default() };
    let b = bench(vec![Told::always(Turn::Hang), Told::to([])], policy.clone());
    let began = Instant::now();
    let served = b.call().await.unwrap();
    assert_eq!((&*served.target.name, began.elapsed()), ("b", Duration::from_secs(5)));

    let policy = Policy { total: Duration::from_secs(12), ..policy };
    let b = bench(vec![Told::always(Turn::Hang)], policy);
    let began = Instant::now();
    let fault = b.call().await.err().unwrap();
    assert_eq!((fault.kind, began.elapsed()), (Kind::ModelTimeout, Duration::from_secs(12)));
}

#[tokio::test(start_paused = true)]
async fn a_whole_answer_that_takes_too_long_is_asked_of_the_next_where_there_is_one() {
    let policy = Policy { whole: Duration::from_secs(60), total: Duration::from_secs(300), ..Policy::default() };
    let whole = || Ask { stream: false, ..ask() };
    let b = bench(vec![Told::always(Turn::Hang), Told::to([])], policy.clone());
    let began = Instant::now();
    let served = b.call_as(whole()).await.unwrap();
    assert_eq!((&*served.target.name, began.elapsed()), ("b", Duration::from_secs(60)));

    let b = bench(vec![Told::to([Turn::After(Duration::from_secs(200))])], policy);
    let began = Instant::now();
    b.call_as(whole()).await.unwrap();
    assert_eq!(began.elapsed(), Duration::from_secs(200));
}

#[tokio::test(start_paused = true)]
async fn a_dead_target_is_left_alone_and_found_again() {
    let dead = Told::to(std::iter::repeat_n(Turn::Fail(Cause::Unreachable), 9));
    let b = bench(vec![dead, Told::to([])], Policy::default());
    for _ in 0..20 {
        assert_eq!(&*b.call().await.unwrap().target.name, "b");
    }
    assert_eq!(b.asked()[0], 8);
    // One call finds out that it is still dead, a later one that it is back.
    tokio::time::advance(Duration::from_millis(1200)).await;
    assert_eq!(&*b.call().await.unwrap().target.name, "b");
    assert_eq!(b.asked()[0], 9);
    tokio::time::advance(Duration::from_millis(1200)).await;
    assert_eq!(&*b.call().await.unwrap().target.name, "b");
    tokio::time::advance(Duration::from_millis(1200)).await;
    assert_eq!(&*b.call().await.unwrap().target.name, "a");
    assert_eq!((&*b.call().await.unwrap().target.name, b.asked()[0]), ("a", 11));
}

#[tokio::test(start_paused = true)]
async fn when_all_are_left_alone_the_caller_is_told_for_how_long() {
    let b = bench(vec![Told::always(Turn::Fail(Cause::Unavailable))], Policy { retries: 0, ..Policy::default() });
    for _ in 0..8 {
        b.call().await.err().unwrap();
    }
    let fault = b.call().await.err().unwrap();
    assert_eq!((fault.kind, b.asked()), (Kind::ServiceUnavailable, vec![8]));
    let wait = fault.retry_after.unwrap().as_secs_f64();
    assert!((0.8..=1.1).contains(&wait), "{wait}");
}

#[tokio::test(start_paused = true)]
async fn load_is_counted_while_an_answer_lasts_and_not_after() {
    use std::sync::atomic::Ordering::Relaxed;
    let policy = Policy { choice: Choice::LeastLoaded, ..Policy::default() };
    let b = bench(vec![Told::to([])], policy);
    let state = Arc::clone(&b.route.targets[0].state);
    let load = || (state.in_flight.load(Relaxed), state.tokens.load(Relaxed));
    let (one, two) = (b.call().await.unwrap(), b.call().await.unwrap());
    assert_eq!(load(), (2, 20));
    drop(one);
    assert_eq!(load(), (1, 10));
    drop(two);
    // A caller who went away while it waited holds nothing either.
    let hanging = bench(vec![Told::always(Turn::Hang)], Policy::default());
    let waited = tokio::time::timeout(Duration::from_secs(1), hanging.call()).await;
    assert!(waited.is_err());
    assert_eq!(load(), (0, 0));
    assert_eq!(hanging.route.targets[0].state.in_flight.load(Relaxed), 0);
}

#[tokio::test(start_paused = true)]
async fn a_slow_beginning_is_hedged_for_few_calls_and_the_first_to_begin_answers() {
    let policy = Policy { hedge: Some(Hedge { percentile: 0.9, share: 0.1 }), ..Policy::default() };
    let quick = Turn::After(Duration::from_millis(10));
    let slow = std::iter::repeat_n(Turn::After(Duration::from_secs(9)), 100);
    let b = bench(vec![Told::to(std::iter::repeat_n(quick, 100).chain(slow)), Told::to([])], policy);
    for _ in 0..100 {
        assert!(!b.call().await.unwrap().hedged);
    }
    // Ten of a hundred calls were paid for.
    let mut hedged = 0;
    for _ in 0..20 {
        let began = Instant::now();
        let served = b.call().await.unwrap();
        hedged += u32::from(served.hedged);
        let expected = if served.hedged { ("b", true) } else { ("a", false) };
        assert_eq!((&*served.target.name, began.elapsed() < Duration::from_secs(1)), expected);
    }
    assert!((10..=12).contains(&hedged), "{hedged}");
    // Who was dropped is no failure, and holds nothing.
    use std::sync::atomic::Ordering::Relaxed;
    let state = &b.route.targets[0].state;
    assert_eq!((state.failures.load(Relaxed), state.in_flight.load(Relaxed)), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_full_target_is_waited_for_and_not_for_ever() {
    let told = Told::to([]);
    let sources = vec![source("a", told.clone())];
    let targets = vec![super::super::TargetSettings { max_concurrent: Some(1), ..target("a") }];
    let b = Bench { route: route(sources, targets, Policy::default()), providers: vec![told], resolved: resolved() };
    let held = b.call().await.unwrap();
    let began = Instant::now();
    let fault = b.call().await.err().unwrap();
    assert_eq!((fault.kind, began.elapsed()), (Kind::Throttling, Duration::from_secs(30)));
    let (served, ()) = tokio::join!(b.call(), async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        drop(held);
    });
    assert_eq!(served.unwrap().attempts, 1);
    assert_eq!(b.asked(), [2]);
}

/// The promise of the routing: with two healthy targets and faults in three calls of ten, 999 of 1,000 succeed.
#[tokio::test(start_paused = true)]
async fn three_faults_in_ten_leave_hardly_a_trace() {
    fastrand::seed(7);
    let faults = [Cause::Throttled, Cause::Unavailable, Cause::Unreachable, Cause::Broken, Cause::TimedOut];
    let turns = || {
        let turns = (0..20_000).map(|_| match fastrand::f64() < 0.3 {
            true if fastrand::u8(..) < 25 => Turn::Later(Cause::Throttled, Duration::from_secs(1)),
            true => Turn::Fail(faults[fastrand::usize(..faults.len())]),
            false => Turn::Answer,
        });
        Told::to(turns.collect::<Vec<_>>())
    };
    let b = bench(vec![turns(), turns()], Policy::default());
    let mut failed = 0;
    for _ in 0..10_000 {
        failed += u32::from(b.call().await.is_err());
        tokio::time::advance(Duration::from_millis(1)).await;
    }
    assert!(failed <= 10, "{failed} of 10,000 failed");
}

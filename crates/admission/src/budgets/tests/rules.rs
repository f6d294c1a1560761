//! Who is let in, what is counted, who is told.

use std::sync::Mutex;

use outcrop_api::Kind;

use super::*;

#[tokio::test]
async fn a_call_that_does_not_fit_is_the_last_one_and_goes_alone() {
    let store = Memory::new();
    let budgets = open(&store, one(usd("1.00"))).await;
    for _ in 0..3 {
        spend(&budgets, "0.30").await.unwrap();
    }
    // 0.10 is left: the next goes over the limit, and whoever comes meanwhile waits for it.
    let mut last = budgets.admit(&call("0.30")).await.unwrap();
    let second = budgets.admit(&call("0.30")).await.err().unwrap();
    assert_eq!((second.kind, second.retry_after), (Kind::Throttling, Some(AGAIN)), "{second}");
    assert!(second.message.contains("0.1 USD left") && second.message.contains("0.3 USD"), "{second}");
    last.settle(&cost("0.25"));
    let over = budgets.admit(&call("0.0001")).await.err().unwrap();
    assert_eq!((over.kind, over.retry_after), (Kind::AccessDenied, None));
    assert_eq!(
        over.message,
        "You have reached a limit: the budget `b` has spent 1.15 USD of its limit of 1 USD a day. Calls are refused \
         until 2026-11-22T00:00:00Z, or until the limit is raised."
    );
    let row = row(&budgets).await;
    assert_eq!((row.spent, row.reserved, row.state), (dec("1.15"), dec("0"), State::Cut));
    quiet(&budgets).await;
    assert_eq!(store.sum(), 1_150_000_000, "what was leased over the limit and not spent went back");
}

#[tokio::test]
async fn a_call_that_took_less_leaves_room_for_the_next() {
    let budgets = open(&Memory::new(), one(usd("1.00"))).await;
    let mut first = budgets.admit(&call("0.90")).await.unwrap();
    assert_eq!(budgets.admit(&call("0.90")).await.err().unwrap().kind, Kind::Throttling);
    first.settle(&cost("0.05"));
    let mut second = budgets.admit(&call("0.90")).await.unwrap();
    second.unused();
    assert_eq!(row(&budgets).await.spent, dec("0.05"));
}

#[tokio::test]
async fn tokens_count_as_they_were_read_written_and_cached() {
    let budgets = open(&Memory::new(), one(budget(Limit::Tokens(1000)))).await;
    let mut hold = budgets.admit(&call("0")).await.unwrap();
    assert_eq!(row(&budgets).await.reserved, dec("200"));
    hold.settle(&Spent { input: 10, output: 20, cache_read: 300, cache_write: 4, cost: None });
    let row = row(&budgets).await;
    assert_eq!((row.spent, row.unit, row.limit), (dec("334"), Unit::Tokens, dec("1000")));
}

#[tokio::test]
async fn every_value_has_its_own_and_leaving_it_out_escapes_nothing() {
    let matches = Match { metadata: [("user".to_owned(), Which::Each)].into(), ..Match::default() };
    let budgets = open(&Memory::new(), one(Budget { matches, ..usd("1.00") })).await;
    let user = |name: &str| BTreeMap::from([("user".to_owned(), name.to_owned())]);
    let (ada, bob) = (user("ada"), user("bob"));
    for metadata in [Some(&ada), Some(&bob), None] {
        let call = Call { metadata, ..call("1.00") };
        budgets.admit(&call).await.unwrap().settle(&cost("1.00"));
        let fault = budgets.admit(&call).await.err().unwrap();
        assert_eq!(fault.kind, Kind::AccessDenied, "{metadata:?}");
    }
    // Another account's user of the same name is somebody else.
    let namesake = Call { account: "444455556666", metadata: Some(&ada), ..call("0.30") };
    budgets.admit(&namesake).await.unwrap().settle(&cost("0.30"));
    let report = budgets.report().await.unwrap();
    let users: Vec<_> = report.budgets.iter().map(|row| row.scope["metadata.user"].as_str()).collect();
    assert_eq!(users, ["(none)", "ada", "bob", "ada"]);
    let accounts: Vec<_> = report.budgets.iter().map(|row| row.scope["account"].as_str()).collect();
    assert_eq!(accounts, [ACCOUNT, ACCOUNT, ACCOUNT, "444455556666"]);
}

#[tokio::test]
async fn all_that_is_given_must_hold() {
    let is = |value: &str| Some(Which::Is(value.into()));
    let tags = BTreeMap::from([("team".to_owned(), "search".to_owned())]);
    let call = Call { tags: &tags, ..call("1.00") };
    let team = |value: &str| BTreeMap::from([("team".to_owned(), Which::Is(value.into()))]);
    let cases = [
        (Match { key: is("AKIAEXAMPLE"), tags: team("search"), ..Match::default() }, true),
        (Match { key: is("AKIAEXAMPLE"), tags: team("ads"), ..Match::default() }, false),
        (Match { principal: is(call.principal), model: is(call.model), ..Match::default() }, true),
        (Match { principal: is(call.principal), model: is("other"), ..Match::default() }, false),
        (Match { metadata: team("search"), ..Match::default() }, false),
    ];
    for (matches, counted) in cases {
        assert_eq!(matches.purse(&call).is_some(), counted, "{matches:?}");
    }
    let other = Match { account: is("444455556666"), ..Match::default() };
    assert_eq!(other.purse(&call), None);
    let long = "x".repeat(5000);
    let each = Match { key: Some(Which::Each), ..Match::default() };
    let purse = each.purse(&Call { key: Some(&long), ..call.clone() }).unwrap();
    assert!(purse.len() < 200, "{purse}");
}

#[tokio::test]
async fn a_call_is_counted_by_all_budgets_or_by_none() {
    let small = Budget { name: "small".into(), ..usd("0.10") };
    let settings = Settings { budgets: vec![usd("1.00"), small] };
    let budgets = open(&Memory::new(), settings).await;
    spend(&budgets, "0.10").await.unwrap();
    assert!(spend(&budgets, "0.10").await.unwrap_err().message.contains("`small`"));
    let report = budgets.report().await.unwrap();
    assert!(report.budgets.iter().all(|row| row.reserved.is_zero() && row.spent == dec("0.1")), "{report:?}");
}

#[tokio::test]
async fn models_without_a_price_are_refused_or_said_to_be_uncounted() {
    let free = Call { cost: None, ..call("0") };
    let budgets = open(&Memory::new(), one(usd("1.00"))).await;
    let fault = budgets.admit(&free).await.err().unwrap();
    assert_eq!(fault.kind, Kind::AccessDenied);
    assert!(fault.message.contains(free.model) && fault.message.contains("has no price"), "{fault}");
    let allowing = budgets.under(one(Budget { unpriced: Unpriced::Allow, ..usd("1.00") }));
    assert!(allowing.admit(&free).await.unwrap().is_free());
    assert_eq!(row(&allowing).await.unpriced, 1);
    // A price that is gone when the call is over: it counts as what it may have cost.
    let mut hold = budgets.admit(&call("0.30")).await.unwrap();
    hold.settle(&Spent { input: 100, output: 100, ..Spent::default() });
    assert_eq!(row(&budgets).await.spent, dec("0.3"));
}

#[tokio::test]
async fn a_call_that_is_left_counts_its_prompt_and_what_it_wrote() {
    let budgets = open(&Memory::new(), one(usd("1.00"))).await;
    drop(budgets.admit(&call("0.20")).await.unwrap());
    let prompt = row(&budgets).await.spent;
    assert!(prompt >= dec("0.1") && prompt < dec("0.1001"), "{prompt}");
    let hold = budgets.admit(&call("0.20")).await.unwrap();
    for written in [10, 25, 20] {
        hold.note(written).unwrap();
    }
    drop(hold);
    let both = row(&budgets).await.spent - prompt;
    assert!(both >= dec("0.15") && both < dec("0.1501"), "{both}");
    budgets.admit(&call("0.20")).await.unwrap().unused();
    assert_eq!(row(&budgets).await.spent, prompt + both);
}

#[tokio::test]
async fn a_caller_that_goes_while_a_budget_is_asked_spends_nothing() {
    let (store, last) = (Memory::new(), Budget { name: "last".into(), ..usd("1.00") });
    let budgets = open(&store, Settings { budgets: vec![usd("1.00"), last] }).await;
    spend(&budgets, "0.001").await.unwrap();
    quiet(&budgets).await;
    store.is(memory::Mood::Hangs);
    let first = budgets.rules[0].account.current().purse("");
    first.change(|state| state.leased += 1_000_000_000);
    let call = call("0.50");
    tokio::select! {
        biased;
        _ = budgets.admit(&call) => unreachable!("the last budget's lease is too small"),
        () = tokio::task::yield_now() => {}
    }
    let report = budgets.report().await.unwrap();
    assert!(report.budgets.iter().all(|row| row.reserved.is_zero()), "{report:?}");
    assert_eq!(report.budgets[1].spent, dec("0.001"));
}

#[tokio::test]
async fn running_calls_are_cut_at_the_hard_limit() {
    let hard = Budget { hard_limit: dec("1.2"), ..usd("1.00") };
    let other = Budget { name: "other".into(), ..usd("9.00") };
    let budgets = open(&Memory::new(), Settings { budgets: vec![other, hard] }).await;
    spend(&budgets, "0.50").await.unwrap();
    let (first, second) = (budgets.admit(&call("0.20")).await.unwrap(), budgets.admit(&call("0.20")).await.unwrap());
    // They write more than they may: 0.50 was spent before, the first's prompt is 0.10, its answer 0.58.
    first.note(290).unwrap();
    let (fault, cut) = (second.note(1).unwrap_err(), first.cut().cancelled().await);
    assert_eq!((first.note(291), &cut, cut.kind), (Err(cut.clone()), &fault, Kind::Throttling));
    assert_eq!(
        fault.message,
        "The answer was cut: the budget `b` has reached 1.2 USD, the hard limit for running calls."
    );
    drop((first, second));
    assert_eq!(spend(&budgets, "0.01").await.unwrap_err().kind, Kind::AccessDenied);
    let raised = budgets.under(one(usd("5.00")));
    let next = raised.admit(&call("0.10")).await.unwrap();
    assert_eq!(next.note(1), Ok(()), "what runs now is not cut by what was");
}

#[derive(Default)]
struct Told(Mutex<Vec<Mark>>);

impl Watcher for Told {
    fn passed(&self, passed: &Passed) {
        assert_eq!((passed.budget.as_str(), passed.unit), ("b", Unit::Usd));
        self.0.lock().unwrap().push(passed.mark);
    }
}

#[tokio::test]
async fn marks_are_told_once() {
    let warning = Budget { warn_at: vec![dec("0.8"), dec("0.5")], ..usd("1.00") };
    let told = Arc::new(Told::default());
    let budgets = open(&Memory::new(), one(warning)).await.watched(told.clone());
    let expected = [(1, 0), (4, 0), (5, 1), (7, 1), (8, 2), (9, 2), (10, 3)];
    for tenth in 1..=10 {
        spend(&budgets, "0.10").await.unwrap();
        if let Some((_, count)) = expected.iter().find(|(at, _)| *at == tenth) {
            assert_eq!(told.0.lock().unwrap().len(), *count, "after {tenth} tenths");
        }
    }
    let marks = [dec("0.5"), dec("0.8"), dec("1")].map(Mark::Share);
    assert_eq!(*told.0.lock().unwrap(), marks);
}

#[tokio::test]
async fn a_limit_that_changes_holds_at_once_and_keeps_what_is_spent() {
    let budgets = open(&Memory::new(), one(usd("1.00"))).await;
    spend(&budgets, "0.60").await.unwrap();
    let lowered = budgets.under(one(usd("0.50")));
    let fault = spend(&lowered, "0.01").await.unwrap_err();
    assert!(fault.message.contains("has spent 0.6 USD of its limit of 0.5 USD"), "{fault}");
    let row = row(&lowered).await;
    assert_eq!((row.spent, row.limit, row.state), (dec("0.6"), dec("0.5"), State::Cut));
    let raised = lowered.under(one(usd("0.70")));
    spend(&raised, "0.05").await.unwrap();
    spend(&raised, "0.05").await.unwrap();
    assert_eq!(spend(&raised, "0.05").await.unwrap_err().kind, Kind::AccessDenied);
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let check = |change: &dyn Fn(&mut Budget)| {
        let mut budget = usd("1.00");
        change(&mut budget);
        budget.check()
    };
    assert_eq!(check(&|_| {}), Ok(()));
    assert!(check(&|b| b.name = "a/b".into()).is_err());
    assert!(check(&|b| b.name = String::new()).is_err());
    assert!(check(&|b| b.limit = Limit::Usd(dec("-1"))).is_err());
    assert!(check(&|b| b.limit = Limit::Tokens(0)).is_err());
    assert!(check(&|b| b.warn_at = vec![dec("80")]).is_err());
    assert!(check(&|b| b.hard_limit = dec("0.9")).is_err());
}

//! Whatever happens in whatever order, the store's counter is at least what was spent, and what was spent is over the
//! limit by at most one call of each process.

use proptest::prelude::*;
use tokio::task::JoinHandle;

use super::memory::Mood;
use super::*;

const LIMIT: i64 = 1_000;
/// The most that any call takes.
const MOST: u64 = 300;

#[derive(Debug, Clone)]
enum Do {
    /// Asks for a call of so many tokens, and does not wait for the answer.
    Ask(u64),
    /// Lets everybody go on for so many steps.
    Wait(usize),
    /// A call that runs notes, ends having taken a part of what it may, is left, or reaches nobody.
    Note(usize, u64),
    Settle(usize, u64),
    Leave(usize),
    Unused(usize),
    /// Gives back what is not in use.
    Tidy,
    Stop,
    /// The process is no more, and another takes its place.
    Crash,
    /// The store refuses from now on, or works again.
    Store(bool),
}

fn step() -> impl Strategy<Value = (usize, Do)> {
    let what = prop_oneof![
        8 => (1..=MOST).prop_map(Do::Ask),
        6 => (1..20_usize).prop_map(Do::Wait),
        2 => (any::<usize>(), 0..=MOST).prop_map(|(which, tokens)| Do::Note(which, tokens)),
        6 => (any::<usize>(), 0..=100_u64).prop_map(|(which, share)| Do::Settle(which, share)),
        1 => any::<usize>().prop_map(Do::Leave),
        1 => any::<usize>().prop_map(Do::Unused),
        1 => Just(Do::Tidy),
        1 => Just(Do::Stop),
        1 => Just(Do::Crash),
        1 => any::<bool>().prop_map(Do::Store),
    ];
    (0..3_usize, what)
}

struct Process {
    store: Arc<Memory>,
    budgets: Budgets,
    asked: Vec<JoinHandle<Option<(Hold, u64)>>>,
    running: Vec<(Hold, u64, u64)>,
}

impl Process {
    async fn start(all: &Memory, yields: u64) -> Self {
        let store = all.another(yields);
        let budgets = open(&store, one(budget(Limit::Tokens(LIMIT as u64)))).await;
        Self { store, budgets, asked: Vec::new(), running: Vec::new() }
    }

    fn ask(&mut self, most: u64) {
        let budgets = self.budgets.clone();
        self.asked.push(tokio::spawn(async move {
            let call = Call { input: most / 3, output: most - most / 3, ..call("0") };
            budgets.admit(&call).await.ok().map(|hold| (hold, most))
        }));
    }

    async fn collect(&mut self) {
        let (over, asked) = self.asked.drain(..).partition::<Vec<_>, _>(JoinHandle::is_finished);
        self.asked = asked;
        for one in over {
            self.running.extend(one.await.unwrap().map(|(hold, most)| (hold, most, 0)));
        }
    }

    fn pick(&mut self, which: usize) -> Option<(Hold, u64, u64)> {
        let count = self.running.len();
        (count > 0).then(|| self.running.swap_remove(which % count))
    }

    /// The process is no more. What it asked of the store is not done any more; what ran may have taken all it may.
    async fn crash(&mut self) -> u64 {
        self.store.is(Mood::Fails(outcrop_store::Error::Closed));
        for one in self.asked.drain(..) {
            self.running.extend(one.await.unwrap().map(|(hold, most)| (hold, most, 0)));
        }
        self.running
            .drain(..)
            .map(|(hold, most, _)| {
                std::mem::forget(hold);
                most
            })
            .sum()
    }
}

async fn play(processes: usize, steps: Vec<(usize, Do)>) {
    let all = Memory::new();
    let mut running = Vec::new();
    for index in 0..processes {
        running.push(Process::start(&all, index as u64).await);
    }
    let mut spent = 0;
    for (index, what) in steps {
        let process = &mut running[index % processes];
        process.collect().await;
        match what {
            Do::Ask(most) => process.ask(most),
            Do::Wait(steps) => {
                for _ in 0..steps {
                    tokio::task::yield_now().await;
                }
            }
            Do::Note(which, tokens) => {
                if let Some((hold, most, noted)) = process.pick(which) {
                    let noted = noted.max(tokens.min(most - most / 3));
                    let _ = hold.note(noted);
                    process.running.push((hold, most, noted));
                }
            }
            Do::Settle(which, share) => {
                if let Some((mut hold, most, _)) = process.pick(which) {
                    let took = most * share / 100;
                    hold.settle(&Spent { output: took, ..Spent::default() });
                    spent += took;
                }
            }
            Do::Leave(which) => {
                if let Some((_hold, most, noted)) = process.pick(which) {
                    spent += most / 3 + noted;
                }
            }
            Do::Unused(which) => {
                if let Some((mut hold, ..)) = process.pick(which) {
                    hold.unused();
                }
            }
            Do::Tidy => process.budgets.shared.tidy(Duration::ZERO).await,
            Do::Stop => process.budgets.close().await,
            Do::Crash => {
                spent += process.crash().await;
                *process = Process::start(&all, (index % processes) as u64).await;
            }
            Do::Store(well) => {
                process.store.is(if well { Mood::Well } else { Mood::Fails(outcrop_store::Error::Busy) })
            }
        }
        let counted = all.sum();
        assert!(counted >= i64::try_from(spent).unwrap(), "{counted} counted of {spent} spent");
        let most = LIMIT as u64 + processes as u64 * MOST;
        assert!(spent <= most, "{spent} spent by {processes} processes");
    }
    for process in &mut running {
        process.store.is(Mood::Well);
        for one in process.asked.drain(..) {
            process.running.extend(one.await.unwrap().map(|(hold, most)| (hold, most, 0)));
        }
        for (mut hold, ..) in process.running.drain(..) {
            hold.unused();
        }
        process.budgets.close().await;
        quiet(&process.budgets).await;
    }
    assert!(all.sum() >= i64::try_from(spent).unwrap(), "at the end");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn what_is_counted_covers_what_is_spent(processes in 1..=3_usize, steps in prop::collection::vec(step(), 1..120)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(play(processes, steps));
    }
}

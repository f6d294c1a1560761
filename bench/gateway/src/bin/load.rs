//! The load generator: `--url http://HOST:PORT --kind KIND --concurrency N --seconds S` keeps N calls under way and prints
//! one line of JSON. `--pid PID` adds what that process cost meanwhile, `--sign ID:SECRET` signs, `--words N` says how
//! many words a whole answer has, `--warm S` runs first without counting, `--spread MS` starts the N over that time,
//! `--rounds N` ends each of the N after so many calls.

use outcrop_bench_gateway::answers::WORDS;
use outcrop_bench_gateway::http::Connection;
use outcrop_bench_gateway::load::ask::Ask;
use outcrop_bench_gateway::load::cost::{cpu_seconds, resident_mb};
use outcrop_bench_gateway::load::whole::Expected;
use outcrop_bench_gateway::{Error, argument, parsed};
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::task::LocalSet;

/// What all connections share; they run on one thread.
struct Run {
    ask: RefCell<Ask>,
    expected: Expected,
    address: String,
    /// From here on calls count.
    counts_from: Instant,
    until: Instant,
    rounds: usize,
    done: RefCell<Done>,
    /// Answers whose first word has come and whose end has not.
    open: Cell<usize>,
    most: Cell<(usize, f64)>,
}

#[derive(Default)]
struct Done {
    whole: Vec<f64>,
    first: Vec<f64>,
    failed: usize,
    why: Option<String>,
}

fn main() -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let result = LocalSet::new().block_on(&runtime, run())?;
    println!("{result}");
    Ok(())
}

async fn run() -> Result<Value, Error> {
    let url = argument("url").ok_or("--url http://HOST:PORT is missing")?;
    let address = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
    let (ask, streamed) = Ask::from_arguments(&address)?;
    let concurrency: usize = parsed("concurrency", 1)?;
    let (warm, seconds): (f64, f64) = (parsed("warm", 0.0)?, parsed("seconds", 3.0)?);
    let spread = Duration::from_millis(parsed("spread", 0)?);
    let pid: Option<u32> = argument("pid").map(|pid| pid.parse()).transpose()?;
    let counts_from = Instant::now() + Duration::from_secs_f64(warm);
    let until = counts_from + Duration::from_secs_f64(seconds);
    let run = Rc::new(Run {
        ask: RefCell::new(ask),
        expected: Expected::new(parsed("words", WORDS)?, streamed),
        address,
        counts_from,
        until,
        rounds: parsed("rounds", usize::MAX)?,
        done: RefCell::default(),
        open: Cell::new(0),
        most: Cell::default(),
    });
    let idle = pid.and_then(resident_mb);
    let mut callers = Vec::new();
    for index in 0..concurrency {
        let wait = spread.mul_f64(index as f64 / concurrency as f64);
        callers.push(tokio::task::spawn_local(caller(run.clone(), wait)));
    }
    let watching = tokio::task::spawn_local(watch(run.clone(), pid));
    tokio::time::sleep_until(counts_from.into()).await;
    let before = pid.and_then(cpu_seconds);
    let began = Instant::now();
    for caller in callers {
        caller.await?;
    }
    let took = began.elapsed().as_secs_f64();
    let after = pid.and_then(cpu_seconds);
    watching.abort();
    let (most_open, resident) = run.most.get();
    let mut done = run.done.borrow_mut();
    let calls = done.whole.len();
    let cpu = before.zip(after).map(|(before, after)| after - before);
    Ok(json!({
        "calls": calls, "failed": done.failed, "why": done.why, "seconds": took, "per_second": calls as f64 / took,
        "cpu_seconds": cpu, "cpu_per_1000": cpu.map(|cpu| cpu * 1000.0 / calls as f64),
        "p50_ms": quantile(&mut done.whole, 0.5), "p99_ms": quantile(&mut done.whole, 0.99),
        "first_p50_ms": quantile(&mut done.first, 0.5), "first_p99_ms": quantile(&mut done.first, 0.99),
        "idle_mb": idle, "most_open": most_open, "open_mb": resident,
    }))
}

/// One connection: a call after the other, again from the start where one breaks.
async fn caller(run: Rc<Run>, wait: Duration) {
    tokio::time::sleep(wait).await;
    let mut connection = None;
    let mut rounds = 0;
    while rounds < run.rounds && Instant::now() < run.until {
        rounds += 1;
        let began = Instant::now();
        let first = Cell::new(None);
        let answered = call(&run, &mut connection, began, &first).await;
        if first.get().is_some() {
            run.open.set(run.open.get() - 1);
        }
        // What began before the count, or was cut off by no fault of the server, is not in it.
        if began < run.counts_from {
            continue;
        }
        let mut done = run.done.borrow_mut();
        match answered {
            Ok(None) => {
                done.whole.push(began.elapsed().as_secs_f64());
                done.first.extend(first.get());
            }
            Ok(Some(why)) => done.failed(why),
            Err(error) => {
                connection = None;
                done.failed(error.to_string());
            }
        }
    }
}

impl Done {
    fn failed(&mut self, why: String) {
        self.failed += 1;
        self.why.get_or_insert(why);
    }
}

async fn call(
    run: &Run,
    kept: &mut Option<Connection>,
    began: Instant,
    first: &Cell<Option<f64>>,
) -> Result<Option<String>, Error> {
    let connection = match kept {
        Some(connection) => connection,
        None => kept.insert(Connection::new(TcpStream::connect(&run.address).await?)?),
    };
    let bytes = run.ask.borrow_mut().bytes().to_vec();
    connection.send(&bytes).await?;
    let answer = connection
        .answer(|body| {
            if first.get().is_none() && run.expected.begun(body) {
                first.set(Some(began.elapsed().as_secs_f64()));
                run.open.set(run.open.get() + 1);
            }
        })
        .await?;
    Ok(run.expected.missing(&answer))
}

/// Keeps the most answers that were open at once, and the largest memory that the process had then.
async fn watch(run: Rc<Run>, pid: Option<u32>) {
    loop {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let (open, (most, resident)) = (run.open.get(), run.most.get());
        if open > 0 && open >= most {
            let now = pid.and_then(resident_mb).unwrap_or(0.0);
            run.most.set((open, if open > most { now } else { now.max(resident) }));
        }
    }
}

/// Milliseconds below which this part of the samples lies.
fn quantile(seconds: &mut [f64], part: f64) -> Option<f64> {
    seconds.sort_by(f64::total_cmp);
    let at = ((seconds.len() as f64 * part) as usize).min(seconds.len().checked_sub(1)?);
    Some((seconds[at] * 1e6).round() / 1e3)
}

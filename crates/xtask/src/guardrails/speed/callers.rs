//! Many callers at once, in one process.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::{Row, assess, guard};
use crate::guardrails::Report;
use crate::guardrails::clock::seconds;
use crate::guardrails::encode::MiniLm;

const CALLERS: usize = 64;
/// How long each count of callers works, and how often they take turns.
const TURN: Duration = Duration::from_millis(1500);
const TURNS: usize = 5;

/// Calls a second of many callers against as many as there are cores: on an otherwise busy machine one caller alone
/// would get a larger share of a core than each of many.
pub(super) fn run(benign: &[&Row], encoder: &Arc<MiniLm>, report: &mut Report) -> Result<(), String> {
    let guard = guard(false, encoder)?;
    let texts: Vec<&str> = benign.iter().map(|row| row.text.as_str()).filter(|t| t.len() < 600).take(200).collect();
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    // Calls a second by the clock, and by what the callers had of processors.
    let rate = |callers: usize| -> Result<[f64; 2], String> {
        let (next, start) = (AtomicUsize::new(0), Instant::now());
        let calls = || -> Result<(), String> {
            while start.elapsed() < TURN {
                let at = next.fetch_add(1, Ordering::Relaxed);
                assess(&guard, texts.get(at % texts.len().max(1)).copied().unwrap_or_default())?;
            }
            Ok(())
        };
        let work = || -> Result<f64, String> {
            let (time, result) = seconds(calls);
            result.map(|()| time)
        };
        let times = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..callers).map(|_| scope.spawn(work)).collect();
            let joined = threads.into_iter().map(|thread| thread.join().map_err(|_| "a caller failed".to_owned())?);
            joined.sum::<Result<f64, String>>()
        })?;
        let calls = next.into_inner() as f64;
        Ok([calls / start.elapsed().as_secs_f64(), calls / times])
    };
    let (mut one, mut few, mut many) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..TURNS {
        one.push(rate(1)?);
        few.push(rate(cores)?);
        many.push(rate(CALLERS)?);
    }
    let median = |rates: &[[f64; 2]], way: usize| {
        let mut rates: Vec<f64> = rates.iter().map(|both| both[way]).collect();
        rates.sort_by(f64::total_cmp);
        rates.get(rates.len() / 2).copied().unwrap_or_default()
    };
    let [[one, few, many], [alone, _, crowd]] = [0, 1].map(|way| [&one, &few, &many].map(|rates| median(rates, way)));
    let line = format!(
        "{:.2} ({many:.0} calls/s; one caller {one:.0}, {cores} callers {few:.0}); for a second of a processor {:.2}",
        many / one / cores as f64,
        crowd / alone,
    );
    report.row(&format!("{CALLERS} callers against one times {cores} cores"), &line, "≥ .9")
}

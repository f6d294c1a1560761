//! How far a pull is: a bar on a terminal, a line now and then elsewhere. Always on standard error.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};
use outcrop_engine::weights::{Progress, Stage};

use crate::text::size;

/// Between two lines where there is no terminal: a log is not to be filled.
const PAUSE: Duration = Duration::from_secs(5);

/// One model's progress.
pub struct Shown {
    name: String,
    bar: Option<ProgressBar>,
    stage: Option<Stage>,
    began: Instant,
    told: Instant,
}

impl Shown {
    /// Nothing is shown before something happens: a model that is here already needs no bar.
    pub fn new(name: &str) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            // The template is constant; were it wrong, indicatif's own would do.
            let style = ProgressStyle::with_template(
                "{msg}  {bar:24}  {decimal_bytes} of {decimal_total_bytes}  {decimal_bytes_per_sec}  {eta} left",
            );
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        let now = Instant::now();
        Self { name: name.into(), bar, stage: None, began: now, told: now }
    }

    /// Leaves the terminal as it was.
    pub fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Progress for Shown {
    fn bytes(&mut self, stage: Stage, done: u64, total: u64) {
        let begins = self.stage != Some(stage);
        if begins {
            (self.stage, self.began) = (Some(stage), Instant::now());
        }
        if let Some(bar) = &self.bar {
            if begins {
                bar.reset();
                bar.set_message(format!("{}: {}", self.name, doing(stage)));
            }
            bar.set_length(total.max(done));
            bar.set_position(done);
        } else if begins || self.told.elapsed() >= PAUSE {
            self.told = Instant::now();
            // The first bytes of a stage tell no rate.
            let done = if begins { 0 } else { done };
            eprintln!("{}: {}", self.name, line(stage, done, total, self.began.elapsed()));
        }
    }
}

fn doing(stage: Stage) -> &'static str {
    match stage {
        Stage::Download => "downloading",
        Stage::Unpack => "unpacking",
        Stage::Verify => "verifying",
    }
}

/// `downloading 46.40 MB of 92.87 MB, 8.10 MB/s, 6 seconds left`
pub(super) fn line(stage: Stage, done: u64, total: u64, taken: Duration) -> String {
    let doing = doing(stage);
    if done == 0 || done >= total {
        return if total == 0 { format!("{doing} {}", size(done)) } else { format!("{doing} {}", size(total)) };
    }
    let rate = done as f64 / taken.as_secs_f64().max(0.001);
    let left = Duration::from_secs_f64((total - done) as f64 / rate);
    format!("{doing} {} of {}, {}/s, {} left", size(done), size(total), size(rate as u64), HumanDuration(left))
}

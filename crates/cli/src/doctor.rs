//! `outcrop doctor`: what could keep this installation from working, and what to do about it.
//!
//! Each check is a function that looks at one thing and answers with one [`Finding`]. Start at [`run`].

mod checks;
mod data;
mod operations;
#[cfg(test)]
mod tests;

use outcrop_server::config::Config;

use crate::args;
use crate::text::say;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    /// As it should be.
    Ok,
    /// Works, but not as well as it could.
    Warn,
    /// Does not work until it is mended.
    Fail,
}

/// What one check found; where it is not well, the text says what to do.
struct Finding {
    level: Level,
    what: &'static str,
    text: String,
}

impl Finding {
    fn new(level: Level, what: &'static str, text: impl Into<String>) -> Self {
        Self { level, what, text: text.into() }
    }
}

/// Looks at everything; an error if anything failed.
pub fn run(args: &args::Doctor) -> Result<(), String> {
    if args.operations {
        return say(&operations::list());
    }
    if args.routes {
        return say(&operations::routes());
    }
    let (configuration, config) = checks::configuration(args.config.as_deref());
    let config = match config {
        Some(config) => config,
        None if args.data == Some(None) => return report(&[configuration]),
        None => Config::default(),
    };
    if args.data == Some(None) {
        return say(&data::list(&config));
    }
    report(&every(configuration, &config, args))
}

fn every(configuration: Finding, config: &Config, args: &args::Doctor) -> Vec<Finding> {
    let folder = args.data.as_ref().and_then(|data| data.as_deref()).or(config.data.as_deref());
    let mut findings = vec![configuration, checks::data(folder, &config.store())];
    findings.extend(checks::old_copies(folder));
    let (models, all_here) = checks::models();
    findings.extend(models);
    findings.push(checks::python(all_here));
    findings.push(checks::port(&config.listen));
    findings.push(checks::outbound(config));
    findings.push(checks::memory());
    findings.push(checks::processor());
    findings
}

fn report(findings: &[Finding]) -> Result<(), String> {
    say(&lines(findings))?;
    match findings.iter().filter(|finding| finding.level == Level::Fail).count() {
        0 => Ok(()),
        1 => Err("1 check failed; its line above says what to do".into()),
        n => Err(format!("{n} checks failed; their lines above say what to do")),
    }
}

fn lines(findings: &[Finding]) -> String {
    let mut text = String::new();
    for Finding { level, what, text: found } in findings {
        let level = match level {
            Level::Ok => "ok",
            Level::Warn => "warn",
            Level::Fail => "fail",
        };
        text += &format!("{level:<6}{what:<15}{}\n", found.replace('\n', " "));
    }
    text
}

//! `outcrop routes`: who answers for which model, and how they fare.

use outcrop_server::config::Config;
use outcrop_server::control::{self, Ask, RouteReport};
use outcrop_server::wiring::data_folder;

use crate::args;
use crate::text::{say, table};

/// Asks the running server.
pub fn run(args: &args::Routes) -> Result<(), String> {
    let data = match (&args.folder.data, &args.folder.config) {
        (Some(data), _) => Some(data.clone()),
        (None, None) => None,
        (None, Some(file)) => {
            Config::load(Some(file), |name| std::env::var(name).ok()).map_err(|e| e.to_string())?.data
        }
    };
    let data = data_folder(data.as_deref()).map_err(|e| e.to_string())?;
    let routes: Vec<RouteReport> = control::ask(&data, Ask::Routes).map_err(|e| e.to_string())?;
    if args.json {
        return say(&(serde_json::to_string_pretty(&routes).map_err(|e| e.to_string())? + "\n"));
    }
    say(&shown(&routes))
}

const HEAD: [&str; 10] =
    ["MODEL", "TARGET", "HEALTH", "NOW", "ATTEMPTS", "FAILED", "BEGINS p50/p95", "CALLS", "ANSWERED", "LIST PRICE"];

fn shown(routes: &[RouteReport]) -> String {
    let ms = |a: Option<u64>, b: Option<u64>| match (a, b) {
        (Some(a), Some(b)) => format!("{a}/{b} ms"),
        _ => "-".to_owned(),
    };
    let mut rows = Vec::new();
    for route in routes {
        for target in &route.targets {
            let answered = match target.calls {
                0 => "-".to_owned(),
                calls => format!("{:.1} %", target.answered as f64 / calls as f64 * 100.0),
            };
            rows.push([
                route.model.clone(),
                target.name.clone(),
                target.health.clone(),
                target.in_flight.to_string(),
                target.attempts.to_string(),
                target.failures.to_string(),
                ms(target.begin_p50_ms, target.begin_p95_ms),
                target.calls.to_string(),
                answered,
                format!("${:.4}", target.cost),
            ]);
        }
    }
    match rows.is_empty() {
        true => "no route leads beyond this machine, and none was called\n".to_owned(),
        false => table(HEAD, &rows),
    }
}

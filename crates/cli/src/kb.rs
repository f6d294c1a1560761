//! `outcrop kb`: a folder, a bucket or a web site becomes a knowledge base, and answers.
//!
//! All of it goes over the wire that every other client uses; where no server runs, [`place`] starts one for the time of
//! the command.

mod add;
mod ask;
mod eval;
mod find;
mod folder;
mod job;
mod keeps;
mod origin;
mod place;
mod remove;
mod s3;
mod schedule;
mod search;
mod show;
mod sync;

use crate::args;
use place::Place;

/// Runs one of the commands.
pub async fn run(command: args::Kb) -> Result<(), String> {
    let place = match &command {
        args::Kb::Add { add: args, .. } | args::Kb::Watch { add: args, .. } => &args.place,
        args::Kb::Ask(args) => &args.which.place,
        args::Kb::Search(args) => &args.which.place,
        args::Kb::Eval(args) => &args.place,
        args::Kb::Show { place, .. } | args::Kb::Rm { place, .. } => place,
    };
    let place = Place::open(place).await?;
    let client = place.client();
    let result = match &command {
        args::Kb::Add { add, crawl, every } => add::run(client, add, crawl, every.as_deref(), place.lasts()).await,
        args::Kb::Watch { add, every } => add::watch(client, add, *every).await,
        args::Kb::Ask(args) => ask::run(client, args).await,
        args::Kb::Eval(args) => eval::run(client, args).await,
        args::Kb::Search(args) => search::run(client, args).await,
        args::Kb::Show { kb, json, .. } => show::run(client, kb.as_deref(), *json).await,
        args::Kb::Rm { kb, .. } => remove::run(client, kb).await,
    };
    place.close().await;
    result
}

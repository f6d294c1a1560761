//! Measures the store on this disk: `cargo run --release -p outcrop-store --example figures [FOLDER]`.
//! Durable writes and reads a second beside SQLite called directly with the same settings, and the price of a list page
//! in a short and in a long list.
#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use outcrop_store::{Batch, NewDocument, Op, Options, Order, Query, Scope, Sqlite, Store};

const BODY: usize = 500;

fn insert(kind: &str, id: String) -> Op {
    let key = Scope::new("000000000000", "us-east-1").key(kind, id.clone());
    Op::Insert(NewDocument { key, name: Some(id), parent: None, body: vec![b'x'; BODY], sealed_by: None })
}

/// SQLite without this crate, in a table of its own.
fn open_direct(folder: &Path) -> rusqlite::Connection {
    let connection = rusqlite::Connection::open(folder.join("direct.db")).unwrap();
    let set_up = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
        CREATE TABLE documents (seq INTEGER PRIMARY KEY, id TEXT UNIQUE, body BLOB)";
    connection.execute_batch(set_up).unwrap();
    connection
}

/// A transaction a write, as one client alone would do it.
fn direct(connection: &rusqlite::Connection, round: usize, writes: usize) -> f64 {
    let started = Instant::now();
    for index in 0..writes {
        let mut insert = connection.prepare_cached("INSERT INTO documents (id, body) VALUES (?, ?)").unwrap();
        insert.execute((format!("{round}-{index}"), vec![b'x'; BODY])).unwrap();
    }
    writes as f64 / started.elapsed().as_secs_f64()
}

fn read_direct(connection: &rusqlite::Connection, round: usize, reads: usize) -> f64 {
    let started = Instant::now();
    for index in 0..reads {
        let mut select = connection.prepare_cached("SELECT body FROM documents WHERE id = ?").unwrap();
        let body: Vec<u8> = select.query_row([format!("{round}-{}", index % 400)], |row| row.get(0)).unwrap();
        assert_eq!(body.len(), BODY);
    }
    reads as f64 / started.elapsed().as_secs_f64()
}

async fn read_store(store: &Sqlite, round: usize, reads: usize) -> f64 {
    let scope = Scope::new("000000000000", "us-east-1");
    let started = Instant::now();
    for index in 0..reads {
        let key = scope.key("written", format!("{round}-1-0-{}", index % 400));
        assert_eq!(store.get(key).await.unwrap().unwrap().body.len(), BODY);
    }
    reads as f64 / started.elapsed().as_secs_f64()
}

/// Documents that are sealed, and nothing else is different.
async fn read_sealed(store: &Sqlite, reads: usize) -> f64 {
    let scope = Scope::new("000000000000", "us-east-1");
    for index in 0..400 {
        let key = scope.key("sealed", index.to_string());
        if store.get(key.clone()).await.unwrap().is_none() {
            let (body, sealed_by) = (vec![b'x'; BODY], Some(outcrop_store::MASTER.to_owned()));
            let new = NewDocument { key, name: Some(index.to_string()), parent: None, body, sealed_by };
            store.commit(Batch::from(Op::Insert(new))).await.unwrap();
        }
    }
    let started = Instant::now();
    for index in 0..reads {
        let key = scope.key("sealed", (index % 400).to_string());
        assert_eq!(store.get(key).await.unwrap().unwrap().body.len(), BODY);
    }
    reads as f64 / started.elapsed().as_secs_f64()
}

async fn through_store(store: &Arc<Sqlite>, round: usize, clients: usize, writes: usize) -> f64 {
    let started = Instant::now();
    let tasks: Vec<_> = (0..clients)
        .map(|client| {
            let store = store.clone();
            tokio::spawn(async move {
                for index in 0..writes / clients {
                    let op = insert("written", format!("{round}-{clients}-{client}-{index}"));
                    store.commit(Batch::from(op)).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    writes as f64 / started.elapsed().as_secs_f64()
}

/// The median time of a page of 20 in the middle of the list.
async fn page(store: &Sqlite, kind: &str, count: usize) -> Duration {
    let scope = Scope::new("000000000000", "us-east-1");
    let (kind, order) = (kind.to_owned(), Order::OldestFirst);
    let half = Query { scope, kind, parent: None, after: None, order, limit: count / 2 };
    let after = store.list(half.clone()).await.unwrap().last().map(|document| document.cursor);
    let query = Query { after, limit: 20, ..half };
    let mut times = Vec::new();
    for _ in 0..201 {
        let started = Instant::now();
        assert_eq!(store.list(query.clone()).await.unwrap().len(), 20);
        times.push(started.elapsed());
    }
    times.sort();
    times[100]
}

#[tokio::main]
async fn main() {
    let parent = std::env::args().nth(1).unwrap_or_else(|| ".".into());
    let folder = tempfile::tempdir_in(parent).unwrap();
    let store = Arc::new(Sqlite::open(folder.path(), &Options::default()).unwrap());
    let connection = open_direct(folder.path());
    // In turn, because a disk's mood changes; the first round only brings both logs to their full length.
    let mut rates = [const { Vec::new() }; 7];
    for round in 0..8 {
        rates[0].push(direct(&connection, round, 400));
        for (place, (clients, writes)) in [(1, 400), (16, 1_600), (200, 4_000)].into_iter().enumerate() {
            rates[place + 1].push(through_store(&store, round, clients, writes).await);
        }
        rates[4].push(read_direct(&connection, round, 4_000));
        rates[5].push(read_store(&store, round, 4_000).await);
        rates[6].push(read_sealed(&store, 4_000).await);
    }
    let names = [
        "direct SQLite, 1 client, writes",
        "store, 1 client, writes",
        "store, 16 clients, writes",
        "store, 200 clients, writes",
        "direct SQLite, 1 client, reads",
        "store, 1 client, reads",
        "store, 1 client, sealed reads",
    ];
    for (name, mut rates) in names.into_iter().zip(rates) {
        rates.remove(0);
        rates.sort_by(f64::total_cmp);
        println!("{name:<31} {:>7.0}/s ({:.0} to {:.0})", rates[3], rates[0], rates[6]);
    }
    for (kind, count) in [("few", 100), ("many", 100_000)] {
        for start in (0..count).step_by(1000) {
            let ops: Vec<_> = (start..count.min(start + 1000)).map(|index| insert(kind, index.to_string())).collect();
            store.commit(Batch::new(ops)).await.unwrap();
        }
    }
    page(&store, "many", 100_000).await; // Warms the cache for both.
    let (few, many) = (page(&store, "few", 100).await, page(&store, "many", 100_000).await);
    let ratio = many.as_secs_f64() / few.as_secs_f64();
    println!("a page of 20 out of 100: {few:?}, out of 100,000: {many:?}, ratio {ratio:.2}");
    drop(store);
    let started = Instant::now();
    let store = Sqlite::open(folder.path(), &Options::default()).unwrap();
    println!("opening 100,000 documents, pages checked: {:?}", started.elapsed());
    drop(store);
}

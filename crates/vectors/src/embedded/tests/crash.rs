//! A process that writes is killed at random points. What it had acknowledged is there, nothing is twice, and the
//! index is that of a process which nobody disturbed.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::*;
use crate::Hit;

const KILLS: usize = 20;
const DOCUMENTS: usize = 7;

/// Where the child works, and with which step it begins.
const FOLDER: &str = "OUTCROP_VECTORS_CRASH_FOLDER";
const STEP: &str = "OUTCROP_VECTORS_CRASH_STEP";

/// What a step writes: three documents, of which one may be removed.
fn step(at: usize) -> Vec<Replace> {
    let one = |of: usize| {
        let chunks = if (at + of) % 4 == 3 { 0 } else { 1 + (at + of) % 5 };
        let mut replace = document(&format!("d{}", (at * of + of) % DOCUMENTS), &[]);
        for chunk in 0..chunks {
            let text = format!("step{at} document{of} chunk{chunk}");
            let name = format!("d{}-s{at}", (at * of + of) % DOCUMENTS);
            let mut record = document(&name, &[&text]).records.remove(0);
            record.id = format!("{name}-{chunk}");
            record.vector = Vector::Float(vec![1.0, (at % 11) as f32, chunk as f32, of as f32]);
            replace.records.push(record);
        }
        replace
    };
    (1..4).map(one).collect()
}

/// What is there after so many steps: texts by name.
fn after(steps: usize) -> BTreeMap<String, String> {
    let mut documents = BTreeMap::new();
    for replace in (0..steps).flat_map(step) {
        documents.insert(replace.document, replace.records);
    }
    documents.into_values().flatten().map(|record| (record.id, record.text)).collect()
}

async fn all(index: &dyn Index) -> Vec<Hit> {
    let vector = Vector::Float(vec![1.0, 0.0, 0.0, 0.0]);
    let query = Query { vector, text: String::new(), mode: Mode::Semantic, filter: None, limit: 1000, said: None };
    let mut hits = index.search(query).await.unwrap();
    hits.sort_by(|a, b| a.id.cmp(&b.id));
    hits
}

#[tokio::test]
#[ignore = "what the killed process runs"]
async fn child() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let first: usize = std::env::var(STEP).unwrap().parse().unwrap();
    let engine = engine(Path::new(&folder));
    let index = engine.open("b", SHAPE).await.unwrap();
    for at in first.. {
        index.replace(step(at)).await.unwrap();
        eprintln!("done {at}");
    }
}

#[tokio::test]
async fn what_was_acknowledged_survives_being_killed_and_nothing_is_twice() {
    let folder = tempfile::tempdir().unwrap();
    let mut done = 0;
    for kill in 0..KILLS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["embedded::tests::crash::child", "--exact", "--ignored", "--nocapture"])
            .env(FOLDER, folder.path())
            .env(STEP, done.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let wanted = fastrand::usize(0..4);
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut acknowledged = done;
        let mut hear = |line: &str| {
            if let Some(at) = line.strip_prefix("done ") {
                acknowledged = at.parse::<usize>().unwrap() + 1;
            }
            acknowledged
        };
        while hear("") < done + wanted {
            hear(&lines.next().expect("the child ended by itself").unwrap());
        }
        // A point within the next step, or the one after: that it is no particular one is what is tested.
        std::thread::sleep(Duration::from_micros(fastrand::u64(0..30_000)));
        child.kill().unwrap();
        child.wait().unwrap();
        for line in lines.map_while(std::io::Result::ok) {
            hear(&line);
        }

        let engine = engine(folder.path());
        let index = engine.open("b", SHAPE).await.unwrap();
        let hits = all(&*index).await;
        let found: BTreeMap<String, String> = hits.iter().map(|hit| (hit.id.clone(), hit.text.clone())).collect();
        assert_eq!(found.len(), hits.len(), "a chunk is twice");
        // The step that was being done is there or not, whole.
        done = if found == after(acknowledged) { acknowledged } else { acknowledged + 1 };
        assert_eq!(found, after(done), "kill {kill} after {acknowledged} steps");
        for hit in hits.iter().step_by(3) {
            assert_eq!(self::found(&*index, &hit.text).await.len(), hits.len().min(10));
        }
    }

    let undisturbed = tempfile::tempdir().unwrap();
    let other = Embedded::open(undisturbed.path()).unwrap();
    let other = other.open("b", SHAPE).await.unwrap();
    for at in 0..done {
        other.replace(step(at)).await.unwrap();
    }
    let disturbed = engine(folder.path());
    let disturbed = disturbed.open("b", SHAPE).await.unwrap();
    let expected = all(&*other).await;
    assert_eq!(all(&*disturbed).await, expected);
    for hit in &expected {
        let (one, two) = (found(&*disturbed, &hit.text).await, found(&*other, &hit.text).await);
        assert_eq!((&one[0], one.len()), (&two[0], two.len()));
    }
}

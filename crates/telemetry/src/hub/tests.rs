use std::sync::mpsc;

use super::*;
use crate::entry::tests::entry;

struct Kept(mpsc::Sender<Vec<String>>, Vec<String>);

impl Consumer for Kept {
    fn take(&mut self, entries: &[Entry]) {
        self.1.extend(entries.iter().map(|entry| entry.request_id.clone()));
    }

    fn tick(&mut self) {
        self.0.send(std::mem::take(&mut self.1)).unwrap();
    }
}

#[test]
fn what_was_recorded_is_written_at_the_next_tick_and_at_the_end() {
    let (sender, told) = mpsc::channel();
    let (recorder, hub) = Hub::start(vec![Box::new(Kept(sender, Vec::new()))]).unwrap();
    recorder.record(Entry { request_id: "a".into(), ..entry() });
    let mut seen = Vec::new();
    while seen.is_empty() {
        seen = told.recv().unwrap();
    }
    assert_eq!(seen, ["a"]);
    recorder.record(Entry { request_id: "b".into(), ..entry() });
    // Whoever still holds a recorder does not hold up the end.
    hub.join();
    recorder.record(entry());
    assert_eq!(told.iter().flatten().collect::<Vec<_>>(), ["b"]);
}

#[tokio::test]
async fn what_was_recorded_is_written_when_it_is_settled() {
    let (sender, told) = mpsc::channel();
    let (recorder, hub) = Hub::start(vec![Box::new(Kept(sender, Vec::new()))]).unwrap();
    for _ in 0..3 {
        recorder.record(Entry { request_id: "a".into(), ..entry() });
        recorder.settle().await;
        // Without waiting for the next tick.
        assert_eq!(told.try_iter().flatten().collect::<Vec<_>>(), ["a"]);
    }
    hub.join();
    recorder.settle().await;
}

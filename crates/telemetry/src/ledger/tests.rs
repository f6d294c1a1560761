use std::fs;

use proptest::prelude::*;

use super::*;
use crate::entry::tests::entry;

fn at(time: &str, id: &str) -> Entry {
    Entry { at: time.parse().unwrap(), request_id: id.into(), ..entry() }
}

fn all(data: &Path) -> Vec<String> {
    let time = "2026-01-01T00:00:00Z".parse().unwrap().."2027-01-01T00:00:00Z".parse().unwrap();
    read(data, time).unwrap().map(|entry| entry.unwrap().request_id).collect()
}

fn write(data: &Path, entries: &[Entry]) {
    let mut ledger = Ledger::open(data, 0).unwrap();
    // Without tidying up, which has a thread of its own.
    ledger.tidied = Some(Instant::now());
    ledger.take(entries);
    ledger.tick();
}

#[test]
fn entries_lie_in_the_file_of_their_day() {
    let data = tempfile::tempdir().unwrap();
    let late = at("2026-11-20T23:59:59.999Z", "late");
    write(data.path(), &[at("2026-11-21T00:00:00Z", "a"), late, at("2026-11-21T10:00:00Z", "b")]);
    assert_eq!(all(data.path()), ["late", "a", "b"]);
    let time = "2026-11-20T23:00:00Z".parse().unwrap().."2026-11-21T10:00:00Z".parse().unwrap();
    let some: Vec<_> = read(data.path(), time).unwrap().map(|entry| entry.unwrap()).collect();
    assert_eq!(some.iter().map(|entry| entry.request_id.as_str()).collect::<Vec<_>>(), ["late", "a"]);
    assert_eq!(some[1], at("2026-11-21T00:00:00Z", "a"));
    assert!(folder(data.path()).join("2026-11-20.jsonl").exists());
}

#[test]
fn a_folder_that_is_not_there_has_no_calls() {
    assert!(all(Path::new("/nowhere/at/all")).is_empty());
}

#[test]
fn a_line_that_was_cut_off_costs_itself_only() {
    let data = tempfile::tempdir().unwrap();
    let [a, b, c] = ["a", "b", "c"].map(|id| at("2026-11-21T00:00:00Z", id));
    write(data.path(), &[a, b]);
    let file = folder(data.path()).join("2026-11-21.jsonl");
    let whole = fs::read(&file).unwrap();
    for cut in whole.len() / 2 + 1..whole.len() {
        fs::write(&file, &whole[..cut]).unwrap();
        write(data.path(), std::slice::from_ref(&c));
        // The line break alone may be missing: then nothing is.
        let left = if cut == whole.len() - 1 { vec!["a", "b", "c"] } else { vec!["a", "c"] };
        assert_eq!(all(data.path()), left, "cut at {cut}");
    }
}

#[test]
fn a_day_that_is_over_is_compressed_and_late_lines_come_after() {
    let data = tempfile::tempdir().unwrap();
    let folder = folder(data.path());
    let day = "2026-11-20".parse().unwrap();
    let close = || days::close(&folder, day, &folder.join("2026-11-20.jsonl")).unwrap();
    write(data.path(), &[at("2026-11-20T01:00:00Z", "a"), at("2026-11-21T01:00:00Z", "z")]);
    close();
    write(data.path(), &[at("2026-11-20T02:00:00Z", "b")]);
    assert_eq!(all(data.path()), ["a", "b", "z"]);
    close();
    assert_eq!(all(data.path()), ["a", "b", "z"]);
    let names: Vec<_> = fs::read_dir(&folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(names.iter().filter(|name| name.ends_with(".jsonl.gz")).count(), 2, "{names:?}");
    assert_eq!(names.len(), 3, "{names:?}");
    // A crash between the compressed part and the end of the plain one.
    let gz = names.iter().find(|name| name.ends_with(".gz")).unwrap();
    fs::write(folder.join(gz.strip_suffix(".gz").unwrap()), "{}\n").unwrap();
    assert_eq!(all(data.path()), ["a", "b", "z"]);
}

#[test]
fn files_are_kept_for_so_many_days() {
    let data = tempfile::tempdir().unwrap();
    let [old, kept, now] = ["2026-11-18", "2026-11-19", "2026-11-21"].map(|day| at(&format!("{day}T01:00:00Z"), day));
    write(data.path(), &[old, kept, now]);
    let days = Days::open(&folder(data.path())).unwrap();
    days.tidy("2026-11-21".parse().unwrap(), 2);
    assert_eq!(all(data.path()), ["2026-11-19", "2026-11-21"]);
}

#[test]
fn what_cannot_be_written_waits_and_what_has_no_room_is_counted() {
    let data = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::open(data.path(), 0).unwrap();
    ledger.tidied = Some(Instant::now());
    ledger.most = 3000;
    // A folder in the file's place: nobody can write there, root neither.
    let file = folder(data.path()).join("2026-11-21.jsonl");
    fs::create_dir(&file).unwrap();
    let entries: Vec<_> = (0..100).map(|n| at("2026-11-21T01:00:00Z", &n.to_string())).collect();
    ledger.take(&entries);
    ledger.tick();
    let lost = ledger.lost().load(Relaxed);
    assert!(ledger.failing && (1..100).contains(&lost), "{lost}");
    fs::remove_dir(&file).unwrap();
    ledger.tick();
    assert!(!ledger.failing && ledger.bytes == 0);
    let kept: Vec<_> = (0..100 - lost).map(|n| n.to_string()).collect();
    assert_eq!(all(data.path()), kept);
}

proptest! {
    #[test]
    fn every_line_is_read_as_it_was_written(
        text in ".{0,40}",
        tags in prop::collection::btree_map(".{0,8}", ".{0,8}", 0..4),
        numbers in prop::array::uniform5(any::<u64>()),
        cost in prop::option::of((any::<i64>(), 0_u32..28)),
    ) {
        let data = tempfile::tempdir().unwrap();
        let [input, output, cache_read, cache_write, cache_write_1h] = numbers;
        let one = Entry {
            request_id: text,
            metadata: tags.clone(),
            tags,
            tokens: crate::Tokens { input, output, cache_read, cache_write, cache_write_1h },
            prefix: Some(input),
            cost: cost.map(|(units, scale)| rust_decimal::Decimal::new(units, scale)),
            ..entry()
        };
        write(data.path(), std::slice::from_ref(&one));
        let time = one.at..jiff::Timestamp::MAX;
        let back: Vec<_> = read(data.path(), time).unwrap().map(|entry| entry.unwrap()).collect();
        prop_assert_eq!(back, vec![one]);
    }
}

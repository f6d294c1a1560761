use super::*;

#[test]
fn what_was_said_is_there_when_it_was_acknowledged() {
    let data = tempfile::tempdir().unwrap();
    let at = "2026-11-21T12:00:00Z".parse().unwrap();
    let one = |subject, success| Marked { at, account: "111122223333".into(), subject, success, task: None };
    let said = [
        one(Subject::RequestId("a".into()), true),
        one(Subject::Metadata { key: "task".into(), value: "1".into() }, false),
    ];
    let outcomes = Outcomes::open(data.path()).unwrap();
    for one in &said {
        outcomes.mark(one).unwrap();
    }
    let read: Vec<_> = since(data.path(), at).unwrap().map(|one| one.unwrap()).collect();
    assert_eq!(read, said);
    let path = folder(data.path()).join("2026-11-21.jsonl");
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains(r#""subject":{"requestId":"a"}"#), "{text}");
}

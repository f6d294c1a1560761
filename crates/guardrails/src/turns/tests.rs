use std::sync::mpsc;

use tokio::sync::oneshot;

use super::*;

/// Has a vector for everything.
struct Any;

impl Encoder for Any {
    fn encode(&self, texts: &[&str]) -> Result<Vec<Encoded>, EncodeError> {
        Ok(vec![Encoded::default(); texts.len()])
    }
}

fn judges() -> Judges {
    Judges::new(OnFailure::Block, Arc::new(Any), Arc::new(Classifier::load().unwrap()))
}

#[tokio::test]
async fn nothing_more_is_read_for_who_has_left() {
    let judges = judges();
    let ((begun, begins), (ended, ends)) = (oneshot::channel(), oneshot::channel());
    let caller = tokio::spawn(async move {
        let what = move |asked: Arc<Asked>| {
            begun.send(()).unwrap();
            while asked.encode(&["another window"]).is_ok() {
                std::thread::yield_now();
            }
            ended.send(asked.in_vain()).unwrap();
        };
        judges.run(Work::Long, what).await
    });
    begins.await.unwrap();
    caller.abort();
    assert!(ends.await.unwrap());
}

#[tokio::test]
async fn the_quick_is_not_behind_the_long_nor_the_short() {
    let judges = judges();
    let (release, held) = mpsc::channel::<()>();
    let held = Arc::new(std::sync::Mutex::new(held));
    let mut slow = Vec::new();
    for work in [Work::Long, Work::Short] {
        // More than there are places.
        for _ in 0..64 {
            let (judges, held) = (judges.clone(), Arc::clone(&held));
            slow.push(tokio::spawn(async move {
                judges.run(work, move |_| held.lock().is_ok_and(|held| held.recv().is_ok())).await
            }));
        }
    }
    assert_eq!(judges.run(Work::Quick, |_| 7).await.unwrap(), 7);
    assert!(slow.iter().all(|one| !one.is_finished()));
    drop(release);
    for one in slow {
        assert!(!one.await.unwrap().unwrap());
    }
}

#[test]
fn a_text_is_long_beyond_ten_thousand_characters() {
    let text = "é".repeat(5_000);
    assert_eq!(Work::judging([text.as_str(); 2].into_iter()), Work::Short);
    assert_eq!(Work::judging([text.as_str(), text.as_str(), "x"].into_iter()), Work::Long);
}

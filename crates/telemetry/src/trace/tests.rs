use super::*;

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn tracer(sampler: Sampler) -> (Arc<Tracer>, mpsc::Receiver<Ended>) {
    Tracer::new(sampler, true, 2)
}

#[test]
fn the_caller_s_trace_goes_on() {
    let (tracer, mut ended) = tracer(Sampler::default());
    let call = tracer.server("Converse", Parent::read(PARENT, Some("vendor=1")));
    let attempt = call.child(|| "chat m".into());
    let (header, state) = attempt.carried().unwrap();
    assert_eq!(state, Some("vendor=1"));
    drop(attempt);
    call.set("a", 1_i64);
    call.set("a", 2_i64);
    call.fail("ThrottlingException");
    let kept = call.clone();
    drop(call);
    let attempt = ended.try_recv().unwrap();
    assert!(ended.try_recv().is_err(), "somebody holds it");
    drop(kept);
    let call = ended.try_recv().unwrap();
    assert_eq!(u128::from_be_bytes(call.ids.trace), 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736);
    assert_eq!(call.ids.parent.map(u64::from_be_bytes), Some(0x00f0_67aa_0ba9_02b7));
    assert_eq!(call.attributes, [("a", Value::Int(2)), ("error.type", Value::from("ThrottlingException"))]);
    assert!(call.error && !attempt.error && call.ended >= attempt.ended && call.began <= attempt.began);
    assert_eq!((attempt.ids.trace, attempt.ids.parent), (call.ids.trace, Some(call.ids.span)));
    let own = Parent::read(&header, None).unwrap();
    assert_eq!((own.trace, own.span, own.sampled), (attempt.ids.trace, attempt.ids.span, true));
}

#[test]
fn what_nobody_samples_only_carries_on() {
    let (tracer, mut ended) = tracer(Sampler::default());
    let call = tracer.server("Converse", Parent::read(&format!("{}00", &PARENT[..53]), None));
    assert!(!call.recorded());
    let attempt = call.child(|| panic!("nobody reads it"));
    assert!(attempt.carried().unwrap().0.ends_with("-00"));
    drop((call, attempt));
    assert!(ended.try_recv().is_err());
}

#[test]
fn no_room_is_counted() {
    let (tracer, _ended) = tracer(Sampler::default());
    (0..5).for_each(|_| drop(tracer.server("Converse", None)));
    assert_eq!(tracer.dropped(), 3);
}

#[test]
fn a_malformed_parent_is_none() {
    assert!(Parent::read(PARENT, None).is_some());
    assert!(Parent::read(&PARENT.replacen("00", "cc", 1), None).is_some(), "a later version");
    assert!(Parent::read(&format!("{}-more", PARENT.replacen("00", "cc", 1)), None).is_some());
    let zero = "00-00000000000000000000000000000000-00f067aa0ba902b7-01";
    let none = "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01";
    let upper = PARENT.to_uppercase();
    for bad in ["", "00", zero, none, &upper, &PARENT[..54], &format!("{PARENT}-more"), &PARENT.replacen("00", "ff", 1)]
    {
        assert_eq!(Parent::read(bad, None), None, "{bad}");
    }
    assert_eq!(Parent::read(PARENT, Some("a\nb")).unwrap().state, None);
    assert_eq!(Parent::read(PARENT, Some(&"x".repeat(513))).unwrap().state, None);
}

#[test]
fn a_share_of_the_traces_is_sampled_and_the_parent_has_its_say() {
    let sampler = Sampler::named("parentbased_traceidratio", Some("0.25")).unwrap();
    let sampled = (0..20_000).filter(|_| sampler.samples(&parent::trace_id(), None)).count();
    assert!((4_500..5_500).contains(&sampled), "{sampled}");
    assert!((0..100).all(|_| sampler.samples(&parent::trace_id(), Some(true))));
    assert!(!(0..100).any(|_| sampler.samples(&parent::trace_id(), Some(false))));
    let off = Sampler::named("always_off", None).unwrap();
    assert!(!(0..100).any(|_| off.samples(&parent::trace_id(), Some(true))));
    let on = Sampler::named("always_on", None).unwrap();
    assert!((0..100).all(|_| on.samples(&parent::trace_id(), Some(false))));
    for (name, argument) in [("jaeger", None), ("traceidratio", Some("2")), ("", None)] {
        assert!(Sampler::named(name, argument).is_err());
    }
}

#[tokio::test]
async fn a_span_is_current_within_its_future_and_nowhere_else() {
    let (tracer, _ended) = tracer(Sampler::default());
    assert!(current().is_none());
    let span = tracer.server("Converse", None);
    let found = within(Some(span.clone()), async { current() }).await.unwrap();
    assert!(Arc::ptr_eq(&found.0, &span.0));
    assert!(current().is_none() && within(None, async { current() }).await.is_none());
}

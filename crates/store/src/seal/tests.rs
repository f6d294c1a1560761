use proptest::prelude::*;

use super::*;

fn key() -> Arc<Key> {
    Arc::new(Key::generate().unwrap())
}

fn open_with(key: &Arc<Key>, envelope: &[u8], address: &Address) -> Result<Vec<u8>> {
    open(envelope, address, "a record", |id| if id == key.id { Ok(key.clone()) } else { Err(Error::UnknownKey(id)) })
}

fn address() -> Address {
    Address::of(&[b"document", b"1", b"a"])
}

proptest! {
    #[test]
    fn what_was_sealed_opens_at_its_address_only(
        plain in proptest::collection::vec(any::<u8>(), 0..300),
        parts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..8), 0..4),
        others in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..8), 0..4),
    ) {
        let of = |parts: &[Vec<u8>]| Address::of(&parts.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let key = key();
        let envelope = seal(&key, &of(&parts), &plain).unwrap();
        prop_assert_eq!(envelope_key(&envelope).unwrap(), key.id);
        prop_assert_eq!(open_with(&key, &envelope, &of(&parts)).unwrap(), plain);
        if parts != others {
            let moved = open_with(&key, &envelope, &of(&others));
            prop_assert!(matches!(moved, Err(Error::Sealed { .. })), "moved");
        }
    }

    #[test]
    fn no_changed_bit_and_no_cut_is_overlooked(
        plain in proptest::collection::vec(any::<u8>(), 0..100),
        at in any::<proptest::sample::Index>(),
        bit in 0..8_u32,
    ) {
        let key = key();
        let envelope = seal(&key, &address(), &plain).unwrap();
        let at = at.index(envelope.len());
        let mut changed = envelope.clone();
        changed[at] ^= 1 << bit;
        prop_assert!(open_with(&key, &changed, &address()).is_err());
        prop_assert!(open_with(&key, &envelope[..at], &address()).is_err());
        let longer = [&envelope[..], &[0]].concat();
        prop_assert!(open_with(&key, &longer, &address()).is_err());
    }

    #[test]
    fn any_bytes_are_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let (old, new) = (key(), key());
        prop_assert!(open_with(&old, &bytes, &address()).is_err());
        prop_assert!(rewrap(&bytes, &address(), "a record", &old, &new).is_err());
        let _ = envelope_key(&bytes);
    }

    #[test]
    fn rewrapped_opens_with_the_new_key_only(plain in proptest::collection::vec(any::<u8>(), 0..100)) {
        let (old, new) = (key(), key());
        let envelope = seal(&old, &address(), &plain).unwrap();
        let again = rewrap(&envelope, &address(), "a record", &old, &new).unwrap();
        prop_assert_eq!(open_with(&new, &again, &address()).unwrap(), plain);
        let with_old = open_with(&old, &again, &address());
        prop_assert!(matches!(with_old, Err(Error::UnknownKey(_))), "the old key opens it");
        prop_assert_eq!(&again[1 + WRAP..], &envelope[1 + WRAP..], "the data is not sealed again");
    }
}

#[test]
fn the_same_text_never_looks_the_same() {
    let key = key();
    let seals = [0; 2].map(|_| seal(&key, &address(), b"same").unwrap());
    assert_ne!(seals[0], seals[1]);
    assert!(!seals[0].windows(4).any(|window| window == b"same"));
}

#[test]
fn pieces_know_their_place() {
    let data = DataKey::generate().unwrap();
    let sealed = data.seal(3, false, b"piece").unwrap();
    assert_eq!(data.open(3, false, &sealed).unwrap(), b"piece");
    assert!(data.open(4, false, &sealed).is_none(), "another order");
    assert!(data.open(3, true, &sealed).is_none(), "an end that is none");
    assert!(DataKey::generate().unwrap().open(3, false, &sealed).is_none());
}

/// Written by this version once; every later one must open it.
#[test]
fn the_format_stays() {
    let bytes = crate::keys::decode_hex(include_str!("envelope_v1.hex").trim()).unwrap();
    let key = Arc::new(crate::keys::parse(&"07".repeat(32)).unwrap().remove(0));
    assert_eq!(open_with(&key, &bytes, &address()).unwrap(), b"kept for good");
}

//! Blobs.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};

use crate::{BlobKey, BlobReader, Blobs, Error};

fn key(key: &str) -> BlobKey {
    BlobKey::new(key).unwrap()
}

fn bytes(content: impl Into<Vec<u8>>) -> BlobReader {
    Box::new(io::Cursor::new(content.into()))
}

async fn read(store: &dyn Blobs, at: &str) -> Option<Vec<u8>> {
    let mut blob = store.open(&key(at)).await.unwrap()?;
    let mut content = Vec::new();
    blob.content.read_to_end(&mut content).await.unwrap();
    assert_eq!(blob.size, content.len() as u64);
    Some(content)
}

pub(super) async fn life(store: &dyn Blobs) {
    assert_eq!(read(store, "a/b").await, None);
    let info = store.put(&key("a/b"), bytes("abc"), 3, None).await.unwrap();
    // The digest of FIPS 180-2's first example.
    let abc = [0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23];
    assert_eq!((info.size, &info.sha256[..16]), (3, &abc[..]));
    assert_eq!(read(store, "a/b").await.unwrap(), b"abc");
    // Names that are parents of others, or that a file system would read as something else.
    let awkward = ["a", "a/b/c", "../a", "/", ".", "A", &"x".repeat(1024)];
    for name in awkward {
        store.put(&key(name), bytes(name), 1024, None).await.unwrap();
    }
    for name in awkward {
        assert_eq!(read(store, name).await.unwrap(), name.as_bytes());
    }
    store.put(&key("a/b"), bytes(""), 3, None).await.unwrap();
    assert_eq!(read(store, "a/b").await.unwrap(), b"", "replaced, and empty content is content");
    assert!(store.delete(&key("a/b")).await.unwrap());
    assert!(!store.delete(&key("a/b")).await.unwrap());
    assert_eq!(read(store, "a/b").await, None);
    for wrong in ["", "a b", "a\n", "ä", &"x".repeat(1025)] {
        assert!(matches!(BlobKey::new(wrong), Err(Error::BadBlobKey(_))), "{wrong:?}");
    }
}

pub(super) async fn limit(store: &dyn Blobs) {
    let content: Vec<u8> = (0..3_000_000_u32).map(|index| (index % 251) as u8).collect();
    store.put(&key("limit"), bytes(content.clone()), 3_000_000, None).await.unwrap();
    let over = store.put(&key("limit"), bytes([&content[..], &[0]].concat()), 3_000_000, None).await;
    assert!(matches!(over, Err(Error::TooLarge(3_000_000))), "{over:?}");
    // An endless source is given up at the limit, not read to an end that never comes.
    let endless = store.put(&key("endless"), Box::new(tokio::io::repeat(0)), 1_000_000, None).await;
    assert!(matches!(endless, Err(Error::TooLarge(1_000_000))), "{endless:?}");
    assert_eq!(read(store, "endless").await, None);
    assert_eq!(read(store, "limit").await.unwrap(), content, "a refused put leaves what was there");
}

/// Gives some bytes, then fails: a client that went away.
struct Broken(usize);

impl AsyncRead for Broken {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.0 == 0 {
            return Poll::Ready(Err(io::Error::from(io::ErrorKind::ConnectionReset)));
        }
        self.0 -= 1;
        buffer.put_slice(&[1; 16]);
        Poll::Ready(Ok(()))
    }
}

pub(super) async fn broken_source(store: &dyn Blobs) {
    let broken = store.put(&key("broken"), Box::new(Broken(100)), u64::MAX, None).await;
    assert!(matches!(broken, Err(Error::Io { .. })), "{broken:?}");
    assert_eq!(read(store, "broken").await, None);
}

pub(super) async fn open_readers(store: &dyn Blobs) {
    store.put(&key("open"), bytes("first"), 9, None).await.unwrap();
    let mut blob = store.open(&key("open")).await.unwrap().unwrap();
    store.put(&key("open"), bytes("second"), 9, None).await.unwrap();
    store.delete(&key("open")).await.unwrap();
    let mut content = Vec::new();
    blob.content.read_to_end(&mut content).await.unwrap();
    assert_eq!(content, b"first");
}

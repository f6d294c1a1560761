//! Pages that were read while the crawl looked for links, until their turn comes: in a file without a name, so that the
//! crawl of a large site takes no more memory than that of a small one, and nothing stays behind.

use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

/// What the file may hold. Pages beyond are read again when their turn comes.
const MOST: u64 = 1 << 30;

#[derive(Default)]
pub(super) struct Spool(Mutex<Pages>);

#[derive(Default)]
struct Pages {
    file: Option<Arc<File>>,
    end: u64,
    at: HashMap<String, Page>,
}

struct Page {
    from: u64,
    length: usize,
    mime: String,
}

/// Keeps a page, if there is room.
pub(super) async fn keep(spool: &Arc<Spool>, id: &str, bytes: Bytes, mime: Option<String>) {
    let (spool, id) = (Arc::clone(spool), id.to_owned());
    let kept = tokio::task::spawn_blocking(move || spool.write(id, &bytes, mime.unwrap_or_default())).await;
    if let Ok(Err(error)) = kept {
        tracing::warn!(%error, "a page that was crawled could not be kept, and will be read again");
    }
}

/// A page that was kept. It is given once.
pub(super) async fn read(spool: &Arc<Spool>, id: &str) -> Option<(Bytes, String)> {
    let (spool, id) = (Arc::clone(spool), id.to_owned());
    tokio::task::spawn_blocking(move || spool.take(&id)).await.ok().flatten()
}

impl Spool {
    fn write(&self, id: String, bytes: &[u8], mime: String) -> std::io::Result<()> {
        let mut pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (from, length) = (pages.end, bytes.len());
        if from + length as u64 > MOST {
            return Ok(());
        }
        let file = match &pages.file {
            Some(file) => Arc::clone(file),
            None => Arc::clone(pages.file.insert(Arc::new(tempfile::tempfile()?))),
        };
        pages.end += length as u64;
        drop(pages);
        file.write_all_at(bytes, from)?;
        let mut pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pages.at.insert(id, Page { from, length, mime });
        Ok(())
    }

    fn take(&self, id: &str) -> Option<(Bytes, String)> {
        let mut pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let page = pages.at.remove(id)?;
        let file = pages.file.clone()?;
        drop(pages);
        let mut bytes = vec![0; page.length];
        file.read_exact_at(&mut bytes, page.from).ok()?;
        Some((bytes.into(), page.mime))
    }
}

//! What must last: documents, blobs, counters and queue rows.

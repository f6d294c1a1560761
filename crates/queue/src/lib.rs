//! Long work over the store's queue rows: claim, lease, checkpoint, cancel, resume.
//!
//! Each row carries its caller and what to do. Never: knows a kind of job.

//! Generation and chores.
fn main() {}

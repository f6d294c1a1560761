//! JSON in and out. The reader pulls tokens from one borrowed text and never recurses on input it does not keep;
//! the writer appends to one buffer.

mod reader;
#[cfg(test)]
mod tests;
mod writer;

pub use reader::{Error, MAX_DEPTH, Number, Reader, Token};
pub use writer::Writer;

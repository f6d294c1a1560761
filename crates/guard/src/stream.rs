//! The same over text that is still arriving.

//! An invocation's path from request to answer.

//! Listening, routing, the request pipeline and the table of operations.

//! The protocol by hand: JSON, bindings, event-stream frames, SigV4 arithmetic, ARNs.

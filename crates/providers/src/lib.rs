//! Everything that can answer a conversation, behind one contract.

//! The contract of the four Bedrock services, generated from their models.

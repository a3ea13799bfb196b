//! What a live app says of itself, read for people: what a doctor finds.
//!
//! Pure: `session/probe` asks, this room judges the answers.

pub(crate) mod doctor;

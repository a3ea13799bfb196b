//! Judges a transcript: one finding an assertion; pure.

/// One assertion, compiled.
pub struct Check {}

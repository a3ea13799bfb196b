//! The plan as meant: every default filled in, every row expanded, everything compiled.

pub(crate) mod case;

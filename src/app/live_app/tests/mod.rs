//! What apps say, held against suites and made into suites.

mod compare;
mod sample;

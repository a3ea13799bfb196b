//! What apps say, compared with suites and made into suites.

mod compare;
mod sample;

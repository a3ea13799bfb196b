//! The masking of secrets.
#![no_main]

use flowproof::fuzzing;
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: drop(std::panic::take_hook()), |bytes: &[u8]| fuzzing::masking(bytes));

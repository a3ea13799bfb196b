//! Answers of judges.
#![no_main]

use flowproof::fuzzing;
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: drop(std::panic::take_hook()), |bytes: &[u8]| fuzzing::judge_answer(bytes));

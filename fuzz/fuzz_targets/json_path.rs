//! Paths, each with a document, compared with another reader of the same standard.
#![no_main]

use flowproof::fuzzing::{self, Selection};
use libfuzzer_sys::fuzz_target;
use serde_json_path::JsonPath;

fuzz_target!(init: drop(std::panic::take_hook()), |bytes: &[u8]| {
    let Some(found) = fuzzing::json_path(bytes).filter(Selection::is_comparable) else { return };
    let theirs = JsonPath::parse(&found.path).ok();
    found.assert_agrees(theirs.map(|path| path.query(&found.document).all().into_iter().cloned().collect()));
});

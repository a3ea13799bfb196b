//! How many tests all suites together may have, data rows counted one by one: said at the place that goes beyond it, before any
//! memory is spent on it.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::yaml::node::{FilePosition, Node};
use crate::yaml::reader::Reader;

/// The most combinations of a `matrix`.
pub const MOST_COMBINATIONS: usize = 100_000;
/// The most tests of all suites together.
pub const MOST_TESTS: usize = 500_000;

/// The tests counted so far, in all suites that are loaded.
#[derive(Debug, Default)]
pub struct TestCount(AtomicUsize);

impl TestCount {
    /// Counts the tests of a list as the list itself says how many they are: rows in files are counted when they are read.
    pub fn add_all(&self, reader: &mut Reader<'_>, tests: &Node) -> bool {
        let mut counted = tests.as_list().unwrap_or_default().iter().filter_map(written);
        counted.all(|written| self.add(reader, written.mark, written.number))
    }

    /// Counts the tests that are at a mark; false, and a problem, where they are too many.
    pub fn add(&self, reader: &mut Reader<'_>, mark: FilePosition, tests: usize) -> bool {
        let add = |so_far: usize| so_far.checked_add(tests).filter(|all| *all <= MOST_TESTS);
        let fits = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add).is_ok();
        if !fits {
            let message = format!(
                "with these all suites together have more than {MOST_TESTS} tests, data rows counted one by one"
            );
            reader.problem_with_help(mark, message, "use fewer rows, or load fewer suites at once");
        }
        fits
    }
}

/// Tests that one entry of a list stands for.
struct WrittenTests {
    /// Where their number is written.
    mark: FilePosition,
    number: usize,
}

/// How many tests an entry of the list stands for; `None` where a file says so.
fn written(test: &Node) -> Option<WrittenTests> {
    if let Some(matrix) = test.get("matrix") {
        let lists = matrix.as_map()?.iter().filter_map(|entry| entry.value.as_list());
        let number = lists.fold(1, |number: usize, values| number.saturating_mul(values.len()));
        // One beyond the limit of a single matrix is reported as such.
        return (number <= MOST_COMBINATIONS).then_some(WrittenTests { mark: matrix.mark, number });
    }
    match test.get("each") {
        Some(each) => Some(WrittenTests { mark: each.mark, number: each.as_list()?.len() }),
        None => Some(WrittenTests { mark: test.mark, number: 1 }),
    }
}

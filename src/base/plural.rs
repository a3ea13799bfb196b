//! Words that agree with a count.

use crate::base::units::format_count;

/// `one` for exactly 1, else `more`: `was` or `were`, `file` or `files`.
pub fn plural<'w, N: PartialEq + From<u8>>(count: N, one: &'w str, more: &'w str) -> &'w str {
    if count == N::from(1) { one } else { more }
}

/// A count with its word, whose plural ends in `s`: `1 test`, `12,345 tests`.
pub fn counted(count: impl TryInto<u64>, word: &str) -> String {
    // No count has more than 64 bits.
    let count = count.try_into().unwrap_or(u64::MAX);
    format!("{} {word}{}", format_count(count), plural(count, "", "s"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_is_singular() {
        assert_eq!([0_u64, 1, 2].map(|count| plural(count, "is", "are")), ["are", "is", "are"]);
        assert_eq!(
            [0.5, 1.0, 1.5].map(|count| plural(count, "point", "points")),
            ["points", "point", "points"]
        );
        assert_eq!(
            [0_u32, 1, 2, 1234].map(|count| counted(count, "test")),
            ["0 tests", "1 test", "2 tests", "1,234 tests"]
        );
    }
}

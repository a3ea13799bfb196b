//! How alike two texts are, from 0 (nothing in common) to 1 (the same): three measures, symmetric and bounded in time.

use std::collections::BTreeSet;
use std::time::Duration;

use similar::{Algorithm, DiffOp, capture_diff_slices_deadline, diff_ratio};

use super::clock;

/// Beyond this many characters the edit distance is taken over words.
const LONGEST: usize = 20_000;
/// After this time a diff settles for a coarser answer, which is lower, never higher.
const TIMEOUT: Duration = Duration::from_millis(500);

/// Gives twice the words in common, in order, over all words: `2M / T`, as Python's `difflib.SequenceMatcher.ratio`.
///
/// Blanks are no words, else unrelated texts would score 0.5.
pub fn ratio(a: &str, b: &str) -> f64 {
    ratio_of(&words(a), &words(b))
}

/// Gives 1 minus the edit distance (V. I. Levenshtein, 1966) over the longer length, in characters.
///
/// Where either text is longer than 20,000 characters the distance is over words, of which at most 20,000 count.
pub fn levenshtein(a: &str, b: &str) -> f64 {
    if a == b {
        return 1.0;
    }
    if a.chars().nth(LONGEST).is_some() || b.chars().nth(LONGEST).is_some() {
        let first = |text| -> Vec<&str> { words(text).into_iter().take(LONGEST).collect() };
        return nearness(&first(a), &first(b));
    }
    nearness(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>())
}

/// Compares the sets of words, without case, order and repetition, as fuzzywuzzy's `token_set_ratio`.
///
/// The words in common, sorted, are set against themselves with the words of either side added; the best of the three ratios
/// counts, so a text whose words all occur in the other scores 1. Ratios are over characters.
pub fn token_set(a: &str, b: &str) -> f64 {
    let (a, b) = (token_words(a), token_words(b));
    if a == b {
        return 1.0;
    }
    if a.is_empty() || b.is_empty() {
        return 0.0;
    }
    let join = |words: Vec<&String>| words.into_iter().map(String::as_str).collect::<Vec<_>>().join(" ");
    let common = join(a.intersection(&b).collect());
    let with = |rest: String| {
        if common.is_empty() { rest } else { format!("{common} {rest}").trim_end().to_owned() }
    };
    let (left, right) = (with(join(a.difference(&b).collect())), with(join(b.difference(&a).collect())));
    let pairs = [(&common, &left), (&common, &right), (&left, &right)];
    let scored = pairs.into_iter().filter(|(one, other)| !one.is_empty() && !other.is_empty());
    scored.map(|(one, other)| ratio_of_characters(one, other)).fold(0.0, f64::max)
}

fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

fn token_words(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

fn ratio_of_characters(a: &str, b: &str) -> f64 {
    ratio_of(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>())
}

/// Diffs in a fixed order of the two sides, so that the answer does not depend on which is expected.
fn ratio_of<T: Eq + Ord + std::hash::Hash>(a: &[T], b: &[T]) -> f64 {
    let (a, b) = if a <= b { (a, b) } else { (b, a) };
    let deadline = clock::now() + TIMEOUT;
    let ops: Vec<DiffOp> = capture_diff_slices_deadline(Algorithm::Myers, a, b, Some(deadline));
    f64::from(diff_ratio(&ops, a.len(), b.len()))
}

/// Two rows of the Wagner-Fischer table, after the common ends are cut off.
fn nearness<T: PartialEq>(a: &[T], b: &[T]) -> f64 {
    let longer = a.len().max(b.len());
    if longer == 0 {
        return 1.0;
    }
    let start = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let (a, b) = (a.get(start..).unwrap_or_default(), b.get(start..).unwrap_or_default());
    let end = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
    let (a, b) = (a.get(..a.len() - end).unwrap_or_default(), b.get(..b.len() - end).unwrap_or_default());
    1.0 - distance(a, b) as f64 / longer as f64
}

fn distance<T: PartialEq>(a: &[T], b: &[T]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (index, x) in a.iter().enumerate() {
        let (mut diagonal, mut left) = (index, index + 1);
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (y, cell) in b.iter().zip(row.iter_mut().skip(1)) {
            let substituted = diagonal + usize::from(x != y);
            diagonal = *cell;
            left = substituted.min(diagonal + 1).min(left + 1);
            *cell = left;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn near(actual: f64, expected: f64) {
        assert!((actual - expected).abs() < 1e-6, "{actual} is not {expected}");
    }

    #[test]
    fn ratios_are_over_words() {
        near(ratio("", ""), 1.0);
        near(ratio("a", ""), 0.0);
        near(ratio("a  b\nc", "a b c"), 1.0);
        near(ratio("the cat sat", "my dog ran"), 0.0);
        near(ratio("a b c d", "a b x d"), 0.75);
    }

    #[test]
    fn edit_distances() {
        near(levenshtein("", ""), 1.0);
        near(levenshtein("abc", ""), 0.0);
        near(levenshtein("kitten", "sitting"), 1.0 - 3.0 / 7.0);
        near(levenshtein("flaw", "lawn"), 0.5);
        near(levenshtein("Grüße", "Grüsse"), 1.0 - 2.0 / 6.0);
        let long = "word ".repeat(5_000);
        near(levenshtein(&long, &format!("{long}more")), 1.0 - 1.0 / 5_001.0);
    }

    #[test]
    fn token_sets_ignore_case_order_and_repetition() {
        near(token_set("", ""), 1.0);
        near(token_set("...", ""), 1.0);
        near(token_set("a", ""), 0.0);
        near(token_set("New York Mets", "mets, york new new"), 1.0);
        near(token_set("fuzzy was a bear", "fuzzy fuzzy was a bear"), 1.0);
        near(token_set("mets", "the mets of new york"), 1.0);
        assert!(token_set("abc def", "xyz uvw") < 0.5);
    }

    proptest! {
        #[test]
        fn measures_are_symmetric_shares(a in "[ab cé.]{0,14}", b in "[ab cé.]{0,14}") {
            for measure in [ratio, levenshtein, token_set] {
                let score = measure(&a, &b);
                prop_assert!((0.0..=1.0).contains(&score));
                prop_assert!((score - measure(&b, &a)).abs() < 1e-9);
                prop_assert_eq!(measure(&a, &a), 1.0);
            }
        }
    }
}

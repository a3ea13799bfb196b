//! How alike two texts are, from 0 (nothing in common) to 1 (the same): three measures, symmetric, exact and pure.
//!
//! A measure is taken to its end or not at all: what two texts come to depends on nothing but the texts.

mod bits;
mod share;
mod words;

use std::collections::BTreeSet;
use std::hash::Hash;

use self::bits::NumberedSequences;
pub use self::share::Likeness;

/// The most elements of two texts, multiplied, that are compared: two texts of 100,000 each, equal ends left out.
const MOST: usize = 10_000_000_000;

/// How likeness is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// By the words in common, in order.
    Ratio,
    /// By the characters that must change.
    Levenshtein,
    /// By the words in common, in any order.
    TokenSet,
}

/// Why two texts have no likeness: they are too long to be compared to the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the texts are too long for their likeness to be measured: {expected} and {actual} {unit} differ or are between others that do, \
     and two times 100,000 can be compared; take a part of the text with `transform`, or use `equals` or `contains`"
)]
pub struct LikenessError {
    expected: usize,
    actual: usize,
    unit: &'static str,
}

impl Method {
    /// Measures two texts.
    pub fn measure(self, a: &str, b: &str) -> Result<Likeness, LikenessError> {
        match self {
            Self::Ratio => ratio(a, b),
            Self::Levenshtein => levenshtein(a, b),
            Self::TokenSet => token_set(a, b),
        }
    }
}

/// Gives twice the words in common, in order, over all words: `2M / T`, where `M` is the longest common subsequence.
///
/// Known as the normalized similarity by insertions and deletions (`Indel` of RapidFuzz), here over words. Blanks are no words,
/// else unrelated texts would have half of all in common.
pub fn ratio(a: &str, b: &str) -> Result<Likeness, LikenessError> {
    if a == b {
        return Ok(Likeness::ALL);
    }
    let (a, b) = (words::words(a), words::words(b));
    Ok(Likeness::of(2 * common(&a, &b, "words")?, a.len() + b.len()))
}

/// Gives 1 minus the edit distance (V. I. Levenshtein, 1966) over the longer length, in characters.
pub fn levenshtein(a: &str, b: &str) -> Result<Likeness, LikenessError> {
    if a == b {
        return Ok(Likeness::ALL);
    }
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let longer = a.len().max(b.len());
    let middle = DifferingMiddle::of(&a, &b, "characters")?;
    Ok(Likeness::of(longer - middle.numbered.edits(), longer))
}

/// Compares the sets of words, without case, order and repetition, as `token_set_ratio` of fuzzywuzzy and RapidFuzz.
///
/// The words in common, sorted, are compared with themselves and the words of either side behind them; the best of the three
/// ratios of characters counts, so a text whose words all occur in the other scores 1.
pub fn token_set(a: &str, b: &str) -> Result<Likeness, LikenessError> {
    if a == b {
        return Ok(Likeness::ALL);
    }
    let (a, b) = (words::set_of_words(a), words::set_of_words(b));
    let both = joined(a.intersection(&b));
    let (only_a, only_b) = (joined(a.difference(&b)), joined(b.difference(&a)));
    if !both.is_empty() && (only_a.is_empty() || only_b.is_empty()) {
        return Ok(Likeness::ALL);
    }
    // A text without any word says nothing of another.
    let in_both = common(&only_a, &only_b, "characters of words that only one of them has")?;
    if both.is_empty() {
        return Ok(Likeness::of(2 * in_both, only_a.len() + only_b.len()));
    }
    let with = |rest: &[char]| both.len() + 1 + rest.len();
    let (left, right) = (with(&only_a), with(&only_b));
    let mixed = Likeness::of(2 * (both.len() + 1 + in_both), left + right);
    let alone = |side: usize| Likeness::of(2 * both.len(), both.len() + side);
    Ok(mixed.max(alone(left)).max(alone(right)))
}

fn joined<'w>(words: impl Iterator<Item = &'w String>) -> Vec<char> {
    let words: BTreeSet<&str> = words.map(String::as_str).collect();
    Vec::from_iter(words).join(" ").chars().collect()
}

/// The length of the longest common subsequence.
fn common<T: Eq + Hash + Copy>(a: &[T], b: &[T], unit: &'static str) -> Result<usize, LikenessError> {
    let middle = DifferingMiddle::of(a, b, unit)?;
    Ok(middle.ends + middle.numbered.longest_common())
}

/// What is left of two sequences between their equal ends.
struct DifferingMiddle {
    /// How many elements both begin and end with.
    ends: usize,
    numbered: NumberedSequences,
}

impl DifferingMiddle {
    fn of<T: Eq + Hash + Copy>(a: &[T], b: &[T], unit: &'static str) -> Result<Self, LikenessError> {
        let start = a.iter().zip(b).take_while(|(x, y)| x == y).count();
        let (a, b) = (&a[start..], &b[start..]);
        let end = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
        let (a, b) = (&a[..a.len() - end], &b[..b.len() - end]);
        if a.len().saturating_mul(b.len()) > MOST {
            return Err(LikenessError { expected: a.len(), actual: b.len(), unit });
        }
        Ok(Self { ends: start + end, numbered: NumberedSequences::new(a, b) })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Measure = fn(&str, &str) -> Result<Likeness, LikenessError>;

    #[track_caller]
    fn is(found: Result<Likeness, LikenessError>, part: usize, whole: usize) {
        assert_eq!(found.unwrap(), Likeness::of(part, whole));
    }

    #[test]
    fn ratios_are_over_words() {
        is(ratio("", ""), 1, 1);
        is(ratio("a", ""), 0, 1);
        is(ratio("a  b\nc", "a b c"), 1, 1);
        is(ratio("the cat sat", "my dog ran"), 0, 1);
        is(ratio("a b c d", "a b x d"), 3, 4);
        is(ratio("a b c d e f g h i j", "a b c d e f g h i x"), 9, 10);
        is(ratio("", " "), 0, 1);
        is(ratio("👍👍", "👎"), 0, 1);
    }

    #[test]
    fn no_text_is_one_word_because_it_has_no_blanks() {
        is(ratio("您的退款正在处理中请耐心等待三个工作日", "您的退款正在处理中请耐心等待五个工作日"), 18, 19);
        is(ratio("今天天气很好", "您的退款正在处理中"), 0, 1);
        is(ratio("ยกเลิกไม่ได้", "ยกเลิกได้"), 7, 8);
        is(ratio("コーヒー三つ", "コーヒー四つ"), 5, 6);
        is(ratio(r#"{"id":7,"name":"Ada","ok":true}"#, r#"{"id":8,"name":"Ada","ok":true}"#), 5, 6);
        is(ratio(r#"{"id":7,"name":"Ada"}"#, r#"{"sum":1,"tax":"none"}"#), 0, 1);
        let (one, other) = ("https://a.example/orders/771?lang=en", "https://a.example/orders/772?lang=en");
        assert!(ratio(one, other).unwrap() > Likeness::of(3, 4));
    }

    #[test]
    fn two_times_a_hundred_thousand_are_compared_and_no_more() {
        let (one, other) = (vec![1; 100_000], vec![2; 100_000]);
        assert!(DifferingMiddle::of(&one, &other, "words").is_ok());
        let (longer, unit) = ([one.as_slice(), &[1]].concat(), "words");
        let error = DifferingMiddle::of(&longer, &other, unit).err();
        assert_eq!(error, Some(LikenessError { expected: 100_001, actual: 100_000, unit }));
    }

    #[test]
    fn edit_distances() {
        is(levenshtein("", ""), 1, 1);
        is(levenshtein("abc", ""), 0, 1);
        is(levenshtein("kitten", "sitting"), 4, 7);
        is(levenshtein("flaw", "lawn"), 1, 2);
        is(levenshtein("Grüße", "Grüsse"), 4, 6);
        let long = "word ".repeat(25_000);
        is(levenshtein(&long, &format!("{long}more")), 125_000, 125_004);
    }

    #[test]
    fn token_sets_ignore_case_order_and_repetition() {
        is(token_set("", ""), 1, 1);
        is(token_set("...", ""), 0, 1);
        is(token_set("...", "?!"), 0, 1);
        is(token_set("a", ""), 0, 1);
        is(token_set("New York Mets", "mets, york new new"), 1, 1);
        is(token_set("fuzzy was a bear", "fuzzy fuzzy was a bear"), 1, 1);
        is(token_set("mets", "the mets of new york"), 1, 1);
        assert!(token_set("abc def", "xyz uvw").unwrap() < Likeness::of(1, 2));
    }

    /// Rows: two texts, then the three measures by RapidFuzz, which splits such words as we do.
    #[test]
    fn the_measures_are_those_of_the_literature() {
        let rows =
            include_str!("../../../tests/data/similarity.csv").lines().filter(|row| !row.starts_with('#'));
        for row in rows {
            let cells: Vec<&str> = row.split(',').collect();
            let [a, b, scores @ ..] = &cells[..] else { panic!("{row}") };
            for (measure, score) in [ratio as Measure, levenshtein, token_set].into_iter().zip(scores) {
                let (found, score) = (measure(a, b).unwrap().to_f64(), score.parse::<f64>().unwrap());
                assert!((found - score).abs() < 1e-12, "{row}: {found}");
            }
        }
    }

    #[test]
    fn marks_and_signs_carry_meaning() {
        for (a, b) in [
            ("ไม่ได้", "ได้"),
            ("सत्य", "सत य"),
            ("you get €5", "you get $5"),
            ("10% off", "10 off"),
            ("👍👍", "👎 ..."),
            ("مُدَرِّس", "مدرس"),
            ("is it -5", "is it 5"),
        ] {
            assert!(token_set(a, b).unwrap() < Likeness::ALL, "{a} {b}");
            is(token_set(a, a), 1, 1);
        }
    }

    #[test]
    fn what_is_too_long_is_not_measured_and_says_so() {
        let long = |word: &str, count: usize| format!("{word} ").repeat(count);
        let (a, b) = (long("a", 100_001), long("b", 100_000));
        for measure in [ratio as Measure, levenshtein as Measure] {
            assert!(measure(&a, &b).is_err());
            is(measure(&a, &a), 1, 1);
        }
        assert!(ratio(&a, &b).unwrap_err().to_string().contains("100001 and 100000 words"));
        let set = |from: usize| (from..from + 30_000).map(|word| format!("w{word} ")).collect::<String>();
        assert!(token_set(&set(0), &set(30_000)).is_err());
        // What both begin and end with does not count.
        is(ratio(&format!("{a} x {a}"), &format!("{a} y {a}")), 200_002, 200_003);
    }

    #[test]
    fn sixty_thousand_words_are_measured_to_the_end() {
        let mut random = fastrand::Rng::with_seed(2);
        let a: Vec<String> = (0..60_000).map(|_| format!("w{}", random.u32(..5_000))).collect();
        let b: Vec<String> = a
            .iter()
            .enumerate()
            .map(|(at, word)| if at % 10 < 3 { "x".to_owned() } else { word.clone() })
            .collect();
        is(ratio(&a.join(" "), &b.join(" ")), 42_000, 60_000);
    }

    proptest! {
        #[test]
        fn measures_are_symmetric_shares(a in "[ab cé.%三]{0,14}", b in "[ab cé.%三]{0,14}") {
            for measure in [ratio as Measure, levenshtein as Measure, token_set as Measure] {
                let score = measure(&a, &b).unwrap();
                prop_assert!((0.0..=1.0).contains(&score.to_f64()));
                prop_assert_eq!(score, measure(&b, &a).unwrap());
                prop_assert_eq!(measure(&a, &a).unwrap(), Likeness::ALL);
            }
        }
    }
}

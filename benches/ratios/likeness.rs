//! The figures of likeness: texts of 60,000 words, measured to the end, against cutting them into words.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Instant;

use unicode_segmentation::UnicodeSegmentation;

use crate::base::similarity::Method;
use crate::contest::Setting;
use crate::failure::Failure;
use crate::rounds::{Round, alternate, ratio};
use crate::table::{Goal, Row};

/// Words of each text.
const WORDS: u32 = 60_000;
/// How long likeness may take, milliseconds.
const LONGEST: f64 = 1_000.0;

/// A text of words out of 5,000; of this many, one is of another kind.
fn text(other_in: u32) -> String {
    let mut text = String::new();
    for word in 0..WORDS {
        let kind = if other_in > 0 && word % other_in == 0 { "other" } else { "word" };
        write!(text, "{kind}{} ", word.wrapping_mul(7_919) % 5_003).expect("a String takes all");
    }
    text
}

/// A likeness by words, and one by characters of texts of the same length, against cutting both texts into words.
pub fn likeness(setting: &Setting) -> Result<Vec<Row>, Failure> {
    let (one, other) = (text(0), text(3));
    let words = measured(setting, Method::Ratio, (&one, &other))?;
    let short = |text: &str| text.chars().take(100_000).collect::<String>();
    let (one, other) = (short(&one), short(&other));
    let characters = measured(setting, Method::Levenshtein, (&one, &other))?;
    let judged = |what: &str, rounds: &[Round<f64>]| {
        let name = format!("ms, likeness of {what}; judged: the time; yardstick: cutting both into words");
        let row = ratio(name, 1, rounds, |ms: &f64| *ms, Goal::Shown);
        Row { judged: row.flowproof, goal: Goal::AtMost(LONGEST), ..row }
    };
    Ok(vec![
        judged("two texts of 60,000 words, a third of them other ones, `ratio`", &words),
        judged("two texts of 100,000 characters, `levenshtein`", &characters),
    ])
}

fn measured(
    setting: &Setting,
    method: Method,
    (one, other): (&str, &str),
) -> Result<Vec<Round<f64>>, Failure> {
    let measure =
        || timed(|| usize::from(method.measure(one, other).is_ok_and(|likeness| likeness.to_f64() > 0.1)));
    let cut = || timed(|| one.split_word_bounds().count() + other.split_word_bounds().count());
    alternate(setting.rounds, || Ok(measure()), || Ok(cut()))
}

/// The time of one turn, milliseconds.
fn timed(turn: impl Fn() -> usize) -> f64 {
    let started = Instant::now();
    assert!(black_box(turn()) > 0, "the texts have something in common");
    started.elapsed().as_secs_f64() * 1000.0
}

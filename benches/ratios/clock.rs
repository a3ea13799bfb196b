//! How far the times that flowproof reports are from the endpoint's own clock, against how far the loop's are.

use crate::Mode;
use crate::contest::{Setting, Turn};
use crate::failure::Failure;
use crate::project::Form;
use crate::rounds::{Course, DELAY, Round, WIDE_CONCURRENCY, race, ratio};
use crate::table::{Goal, Row, Spread};
use crate::times::{Error, Errors, share_of};

/// No further from the endpoint's clock than the loop, milliseconds: the median, and the 99th percentile.
const MEDIAN_MS: f64 = 1.0;
const P99_MS: f64 = 5.0;

/// Takes the errors of one of the times.
type Of = fn(&Errors) -> &[Error];

/// The times that are judged, by their names.
const TIMES: [(&str, Of); 2] =
    [("latency", |errors| &errors.latency), ("first token", |errors| &errors.first_token)];

/// Errors of latency and first model token: median, 99th percentile, and that without the first wave.
pub fn clock(setting: &Setting, cases: u64) -> Result<Vec<Row>, Failure> {
    let setting = &Setting { mode: Mode::Streaming, ..setting.clone() };
    let course = Course { cases, form: Form::Timed, delay: DELAY, concurrency: WIDE_CONCURRENCY };
    let rounds = race(setting, course)?;
    let wave = u64::from(WIDE_CONCURRENCY);
    let ms = DELAY.as_millis();
    let size = format!("{cases} cases, {ms} ms, concurrency {WIDE_CONCURRENCY}");
    let rows = TIMES.iter().flat_map(|(time, of)| {
        let name = |what: &str| {
            format!("ms, {time} less the endpoint's own, {what}, {size}; judged: the difference")
        };
        let row = |what, share, skipped, goal| {
            error(name(what), &rounds, |turn| share_of(of(&turn.errors), share, skipped), goal)
        };
        [
            row("median", 0.5, 0, Goal::AtMost(MEDIAN_MS)),
            row("p99", 0.99, 0, Goal::AtMost(P99_MS)),
            row("p99 without the first wave", 0.99, wave, Goal::Shown),
        ]
    });
    Ok(rows.collect())
}

/// An error of both; judged is flowproof's less the loop's, round by round.
fn error(name: String, rounds: &[Round<Turn>], quantity: impl Fn(&Turn) -> f64, goal: Goal) -> Row {
    let differences = rounds.iter().map(|round| quantity(&round.flowproof) - quantity(&round.yardstick));
    Row { judged: Spread::of(differences), goal, ..ratio(name, 2, rounds, &quantity, Goal::Shown) }
}

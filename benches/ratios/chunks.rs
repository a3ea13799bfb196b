//! What it takes to read streams of many chunks, against a loop that only counts their events.

use std::time::Duration;

use crate::Mode;
use crate::contest::{self, Setting};
use crate::failure::Failure;
use crate::long_stream::CHUNKS;
use crate::project::{Form, Project};
use crate::rounds::{CONCURRENCY, Course, cpu_per_case, race, ratio};
use crate::served::Served;
use crate::table::{Goal, Row};

/// Streams that flowproof counts before the rounds.
const COUNTED: u64 = 20;

/// CPU of a case whose stream has many chunks.
pub fn chunks(setting: &Setting, cases: u64) -> Result<Vec<Row>, Failure> {
    let setting = &Setting { mode: Mode::Streaming, ..setting.clone() };
    count(setting)?;
    let course = Course { cases, form: Form::Chunks, delay: Duration::ZERO, concurrency: CONCURRENCY };
    let rounds = race(setting, course)?;
    let name = format!(
        "µs of CPU a case, {cases} streams of {CHUNKS} chunks, concurrency {CONCURRENCY}; yardstick: counting events"
    );
    let wall = ratio(
        "streams/s of the same".to_owned(),
        0,
        &rounds,
        |turn| cases as f64 / turn.usage.wall.as_secs_f64(),
        Goal::Shown,
    );
    Ok(vec![Row { name, ..cpu_per_case(&rounds, cases, Goal::AtMost(1.3)) }, wall])
}

/// Has flowproof itself count the events of some streams, which the rounds do not pay for.
fn count(setting: &Setting) -> Result<(), Failure> {
    let form = Form::CountedChunks;
    let mut served = Served::start(setting, Duration::ZERO, form.sending())?;
    let project = Project::write(&served.base_url(), COUNTED, form, setting.mode)?;
    contest::flowproof_turn(setting, &project, &mut served, CONCURRENCY).map(drop)
}

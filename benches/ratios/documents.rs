//! What it takes to write the reports of a large finished run.

use std::time::Duration;

use crate::answers::Sending;
use crate::contest::{self, Setting};
use crate::failure::Failure;
use crate::measure::Usage;
use crate::project::{Form, Project};
use crate::rounds::{CONCURRENCY, alternate, ratio};
use crate::served::Served;
use crate::table::{Goal, Row};

/// All of them together, seconds.
const LONGEST_S: f64 = 5.0;
/// At most, MiB.
const MOST_MIB: f64 = 200.0;
const ROUNDS: u32 = 3;

/// JUnit, JSON, Markdown and HTML of one run, against reading and parsing its journal.
pub fn documents(setting: &Setting, cases: u64) -> Result<Vec<Row>, Failure> {
    let served = Served::start(setting, Duration::ZERO, Sending::Recorded)?;
    let project = Project::write(&served.base_url(), cases, Form::Rows, setting.mode)?;
    contest::record(setting, &project, CONCURRENCY)?;
    drop(served);
    let journal = "journal.jsonl";
    contest::flowproof_command(setting, project.root(), &["runs", "export", "latest", "-o", journal])?;
    let words = ["report", "latest", "-o", "a.xml", "-o", "a.json", "-o", "a.md", "-o", "a.html"];
    let write = || {
        let (usage, _) = contest::flowproof_command(setting, project.root(), &words)?;
        for name in ["a.xml", "a.json", "a.md", "a.html"] {
            let written = std::fs::metadata(project.root().join(name));
            let bytes = written.map_err(Failure::io(format!("look at {name}")))?.len();
            if bytes == 0 {
                return Err(Failure::Work(format!("{name} is empty")));
            }
        }
        Ok(usage)
    };
    let read = || {
        let (usage, _) = contest::own_command(setting, project.root(), "read", &[journal.into()])?;
        Ok(usage)
    };
    let rounds = alternate(setting.rounds.min(ROUNDS), write, read)?;
    let name = format!("s, JUnit, JSON, Markdown and HTML of {cases} cases; yardstick: reading the journal");
    let wall = ratio(name, 2, &rounds, |usage: &Usage| usage.wall.as_secs_f64(), Goal::Shown);
    let peak = ratio(
        "MiB at most of the same; judged: flowproof's".to_owned(),
        0,
        &rounds,
        |usage: &Usage| usage.peak_rss_kib as f64 / 1024.0,
        Goal::Shown,
    );
    Ok(vec![
        Row { judged: wall.flowproof, goal: Goal::AtMost(LONGEST_S), ..wall },
        Row { judged: peak.flowproof, goal: Goal::AtMost(MOST_MIB), ..peak },
    ])
}

//! One turn of a contestant: the whole process, measured, and proof that it did the same work as the other.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::Mode;
use crate::bare_loop::Done;
use crate::endpoint::{Counts, KEY};
use crate::failure::Failure;
use crate::long_stream::EVENTS;
use crate::measure::{self, Usage};
use crate::project::{Form, KEY_VARIABLE, Project};
use crate::report;
use crate::served::Served;
use crate::table::percentile;
use crate::times::{Errors, Times};

/// What holds for all figures of a benchmark.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The binary that is measured.
    pub flowproof: PathBuf,
    /// This program, to be started as endpoint, loop and parse.
    pub myself: PathBuf,
    /// Streams or blocking answers.
    pub mode: Mode,
    /// Rounds of each figure.
    pub rounds: u32,
    /// After which a single process is ended.
    pub deadline: Duration,
}

/// What came of one turn.
#[derive(Debug, Clone)]
pub struct Turn {
    /// What the process used.
    pub usage: Usage,
    /// The median latency that it reported, milliseconds.
    pub median_latency_ms: f64,
    /// How far its times are from the endpoint's own; `None` where the endpoint keeps none.
    pub errors: Errors,
}

/// Runs flowproof over a project: exit code 0, all passed by its own report, and each row asked for once.
pub fn flowproof_turn(
    setting: &Setting,
    project: &Project,
    served: &mut Served,
    concurrency: u32,
) -> Result<Turn, Failure> {
    let mut command = flowproof(setting, project);
    command.arg("run").arg("--concurrency").arg(concurrency.to_string());
    let before = served.counts()?;
    let usage = run_well(setting, &mut command, &project.root().join("flowproof.out"))?;
    expect_work("flowproof", project, before, served.counts()?)?;
    let account = report::read(&project.reports())?;
    if account.passed != Some(project.cases) {
        let told = account.passed.map_or_else(|| "nothing".to_owned(), |passed| passed.to_string());
        return Err(Failure::Work(format!("report.json counts {told} passed of {}", project.cases)));
    }
    let latencies = account.latencies_ms;
    if latencies.len() as u64 != project.cases {
        return Err(Failure::Work(format!(
            "report.json has {} latencies of {}",
            latencies.len(),
            project.cases
        )));
    }
    // Each turn writes its reports anew, so that none pays for those of the turns before.
    std::fs::remove_dir_all(project.reports()).map_err(Failure::io("remove the reports"))?;
    let errors = errors("flowproof", project, served, account.times)?;
    Ok(Turn { usage, median_latency_ms: percentile(&latencies, 0.5), errors })
}

/// Runs flowproof over the project's rows and leaves what it recorded and reported.
pub fn record(setting: &Setting, project: &Project, concurrency: u32) -> Result<(), Failure> {
    let mut command = flowproof(setting, project);
    command.arg("run").arg("--concurrency").arg(concurrency.to_string());
    run_well(setting, &mut command, &project.root().join("flowproof.out")).map(drop)
}

/// Runs the bare loop over the project's rows: all passed, and each row asked for once.
pub fn loop_turn(
    setting: &Setting,
    project: &Project,
    served: &mut Served,
    concurrency: u32,
) -> Result<Turn, Failure> {
    let mut command = clean(Command::new(&setting.myself), project.root());
    command.arg("loop").arg("--base-url").arg(served.base_url()).arg("--rows").arg(project.rows());
    command.arg("--concurrency").arg(concurrency.to_string()).arg("--mode").arg(setting.mode.word());
    command.arg("--reading").arg(project.form.reading().word());
    let output = project.root().join("loop.out");
    let before = served.counts()?;
    let usage = run_well(setting, &mut command, &output)?;
    expect_work("the loop", project, before, served.counts()?)?;
    let text = std::fs::read_to_string(&output).map_err(Failure::io("read the loop's result"))?;
    let done: Done =
        serde_json::from_str(&text).map_err(|error| Failure::unreadable("the loop's result", error))?;
    if done.passed != project.cases || done.failed != 0 {
        return Err(Failure::Work(format!("the loop passed {} of {}", done.passed, project.cases)));
    }
    if project.form == Form::Chunks && done.events != project.cases * EVENTS as u64 {
        return Err(Failure::Work(format!(
            "the loop counted {} events of {} cases",
            done.events, done.passed
        )));
    }
    let errors = errors("the loop", project, served, done.times)?;
    Ok(Turn { usage, median_latency_ms: done.median_latency_ms, errors })
}

/// How far a contestant's times are from the endpoint's own, where it keeps them.
fn errors(who: &str, project: &Project, served: &mut Served, told: Vec<Times>) -> Result<Errors, Failure> {
    match project.form {
        Form::Timed => Errors::of(who, told, served.times()?),
        Form::Rows | Form::Tests | Form::Chunks | Form::CountedChunks => Ok(Errors::default()),
    }
}

/// Runs a command of flowproof in a folder; what it used, and what it said.
pub fn flowproof_command(
    setting: &Setting,
    folder: &Path,
    words: &[&str],
) -> Result<(Usage, String), Failure> {
    let mut command = clean(Command::new(&setting.flowproof), folder);
    command.args(words);
    told(setting, command, folder)
}

/// Runs this program in another role over some files; what it used, and what it said.
pub fn own_command(
    setting: &Setting,
    folder: &Path,
    role: &str,
    files: &[PathBuf],
) -> Result<(Usage, String), Failure> {
    let mut command = clean(Command::new(&setting.myself), folder);
    command.arg(role).args(files);
    told(setting, command, folder)
}

/// Runs a command to a good end; what it used, and what it said.
pub fn told(setting: &Setting, mut command: Command, folder: &Path) -> Result<(Usage, String), Failure> {
    let output = folder.join("command.out");
    let usage = run_well(setting, &mut command, &output)?;
    let text = std::fs::read_to_string(&output).map_err(Failure::io("read what a command said"))?;
    Ok((usage, text))
}

/// flowproof in the project's folder, its key at hand.
pub fn flowproof(setting: &Setting, project: &Project) -> Command {
    let mut command = clean(Command::new(&setting.flowproof), project.root());
    command.env(KEY_VARIABLE, KEY);
    command
}

/// A command in a folder with next to no environment: no `CI`, no proxies, no `FLOWPROOF_*`.
pub fn clean(mut command: Command, folder: &Path) -> Command {
    command.current_dir(folder).env_clear();
    for kept in ["PATH", "HOME", "TMPDIR"] {
        if let Some(value) = std::env::var_os(kept) {
            command.env(kept, value);
        }
    }
    command
}

/// Runs a child and takes nothing but exit code 0.
fn run_well(setting: &Setting, command: &mut Command, output: &Path) -> Result<Usage, Failure> {
    let (status, usage) = measure::run(command, output, setting.deadline)?;
    if !status.success() {
        return Err(Failure::Child { what: format!("{command:?}: {status}"), output: measure::tail(output) });
    }
    Ok(usage)
}

/// Each row was asked for exactly once, and nothing else was asked.
fn expect_work(who: &str, project: &Project, before: Counts, after: Counts) -> Result<(), Failure> {
    let runs = after.runs - before.runs;
    let row_sum = after.row_sum - before.row_sum;
    let others = after.others - before.others;
    if runs == project.cases && row_sum == project.row_sum() && others == 0 {
        return Ok(());
    }
    let cases = project.cases;
    Err(Failure::Work(format!(
        "{who} sent {runs} runs of {cases} (row numbers sum to {row_sum}) and {others} other requests"
    )))
}

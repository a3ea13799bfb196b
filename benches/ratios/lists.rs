//! What it takes to list and to check a large suite, against parsing its file into a plain value.

use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::contest::{Setting, clean, flowproof, told};
use crate::endpoint::KEY;
use crate::failure::Failure;
use crate::measure::Usage;
use crate::project::{Form, KEY_VARIABLE, Project, test_name};
use crate::rounds::{alternate, mean, ratio};
use crate::table::{Goal, Row};

/// The name by which this program is a test binary of flowproof's harness (its `argv[0]`).
pub const HARNESS: &str = "flowproof-harness";

/// An address of which nothing is asked, and where nothing listens.
const NOWHERE: &str = "http://127.0.0.1:9/v1";

/// Processes that a sample of `list` and parse is divided by.
const LIST_RUNS: u32 = 3;

/// `flowproof list` and the harness's `--list`, each against parsing the file.
pub fn list(setting: &Setting, cases: u64) -> Result<Vec<Row>, Failure> {
    let project = Project::write(NOWHERE, cases, Form::Tests, setting.mode)?;
    let file = |what: &str| format!("ms of CPU, {what} of {cases} tests in a file; yardstick: its parse");
    Ok(vec![
        against_parse(setting, &project, file("`list`"), || list_turn(setting, &project))?,
        against_parse(setting, &project, file("`--list` of the harness"), || {
            harness_turn(setting, &project)
        })?,
    ])
}

/// CPU of a way to list the project against that of parsing its file.
fn against_parse(
    setting: &Setting,
    project: &Project,
    name: String,
    turn: impl Fn() -> Result<Usage, Failure>,
) -> Result<Row, Failure> {
    let list = || mean(LIST_RUNS, &turn);
    let parse = || mean(LIST_RUNS, || parse_turn(setting, project));
    list()?;
    parse()?;
    let rounds = alternate(setting.rounds, list, parse)?;
    Ok(ratio(name, 1, &rounds, |usage: &Usage| usage.cpu.as_secs_f64() * 1000.0, Goal::AtMost(1.5)))
}

/// `flowproof check` of a large file against parsing it.
pub fn check(setting: &Setting, tests: u64) -> Result<Vec<Row>, Failure> {
    let project = Project::write(NOWHERE, tests, Form::Tests, setting.mode)?;
    let check = || check_turn(setting, &project);
    let parse = || parse_turn(setting, &project);
    check()?;
    parse()?;
    let rounds = alternate(setting.rounds, check, parse)?;
    let megabytes = project.suite_bytes()? as f64 / 1e6;
    let cpu = |usage: &Usage| usage.cpu.as_secs_f64();
    let name =
        format!("s of CPU, `check` of {tests} tests in a file of {megabytes:.0} MB; yardstick: its parse");
    Ok(vec![ratio(name, 2, &rounds, cpu, Goal::AtMost(3.0))])
}

/// Lists a project of separate tests: exit code 0, and every test in the list.
fn list_turn(setting: &Setting, project: &Project) -> Result<Usage, Failure> {
    let mut command = flowproof(setting, project);
    command.arg("list");
    let (usage, text) = told(setting, command, project.root())?;
    expect_all("`list`", project, text.lines().filter_map(|line| line.split_whitespace().next()))?;
    Ok(usage)
}

/// Lists it as cargo and nextest do, through a test binary: exit code 0, and every test in the list.
fn harness_turn(setting: &Setting, project: &Project) -> Result<Usage, Failure> {
    let mut command = clean(Command::new(&setting.myself), project.root());
    command.arg0(HARNESS).args(["--list", "--format", "terse"]);
    command.env(KEY_VARIABLE, KEY).env("FLOWPROOF_SUITES", "suites");
    let (usage, text) = told(setting, command, project.root())?;
    expect_all("`--list`", project, text.lines().filter_map(|line| line.strip_suffix(": test")))?;
    Ok(usage)
}

/// Each test is in a list once, and in order.
fn expect_all<'a>(who: &str, project: &Project, lines: impl Iterator<Item = &'a str>) -> Result<(), Failure> {
    let listed: Vec<&str> = lines.filter(|line| line.starts_with("bench::")).collect();
    let expected = (1..=project.cases).map(|n| format!("bench::{}", test_name(n)));
    if expected.eq(listed.iter().copied()) {
        return Ok(());
    }
    Err(Failure::Work(format!("{who} names {} tests, and not all {}", listed.len(), project.cases)))
}

/// Checks a project of separate tests: exit code 0, and every test counted.
fn check_turn(setting: &Setting, project: &Project) -> Result<Usage, Failure> {
    let mut command = flowproof(setting, project);
    command.arg("check");
    let (usage, text) = told(setting, command, project.root())?;
    if !text.contains(&format!(" {} tests: no problems", project.cases)) {
        return Err(Failure::Work(format!("`check` says {:?} of {} tests", text.trim(), project.cases)));
    }
    Ok(usage)
}

/// Parses the project's suite into a plain value: exit code 0, and every test in it.
fn parse_turn(setting: &Setting, project: &Project) -> Result<Usage, Failure> {
    let mut command = clean(Command::new(&setting.myself), project.root());
    command.arg("parse").arg(project.suite());
    let (usage, text) = told(setting, command, project.root())?;
    if text.trim() != project.cases.to_string() {
        return Err(Failure::Work(format!("the parse found {} tests of {}", text.trim(), project.cases)));
    }
    Ok(usage)
}

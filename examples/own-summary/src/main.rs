//! Runs the suites of a folder and prints a summary of its own: `own-summary [FOLDER]`.

use std::process::ExitCode;
use std::time::Duration;

use flowproof::{FinishedTest, Project, RunListener, RunOptions};

/// Remembers the slowest test, and prints a sign for each.
#[derive(Default)]
struct Progress {
    slowest: Option<(String, Duration)>,
}

impl RunListener for Progress {
    fn test_finished(&mut self, test: &FinishedTest) {
        eprint!("{}", if test.is_red { 'F' } else { '.' });
        if self.slowest.as_ref().is_none_or(|(_, longest)| test.duration > *longest) {
            self.slowest = Some((test.name.clone(), test.duration));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((name, duration)) = &self.slowest {
            eprintln!("\nslowest: {name}, {duration:.0?}");
        }
    }
}

fn main() -> ExitCode {
    let folder = std::env::args().nth(1).unwrap_or_else(|| String::from("."));
    match summary(&folder) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

/// Runs everything in the folder; returns the exit code.
fn summary(folder: &str) -> Result<u8, Box<dyn std::error::Error>> {
    let project = Project::in_folder(folder).with_variables(std::env::vars());
    let suites = project.load(&RunOptions::default())?;
    println!("{} tests", suites.tests().count());
    let run = suites.run(Progress::default())?;
    let counts = run.counts();
    println!("{} passed, {} failed, {} errored: {}", counts.passed, counts.failed, counts.errored, run.conclusion());
    for test in run.tests() {
        let test = test?;
        if test.is_red {
            println!("{}:{}: {}", test.file, test.line, test.name);
        }
    }
    Ok(run.exit_code())
}

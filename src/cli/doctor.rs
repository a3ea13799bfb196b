//! `flowproof doctor`: looks at a live target and says, a line each, what is wrong and how to fix it.

use clap::Args;

use crate::app;
use crate::app::live_app::diagnosis::{DiagnosisLine, FactState};
use crate::app::probe;
use crate::app::settings::Settings;
use crate::cli::exit::Exit;
use crate::cli::say;
use crate::record::event::RunOptions;

/// `flowproof doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// A target of the project file [default: the profile's, else the only one].
    #[arg(value_name = "TARGET")]
    pub target: Option<String>,
    /// The profile.
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
}

/// Asks the target about itself; runs nothing.
pub fn doctor(args: &DoctorArgs, settings: &Settings) -> Exit {
    let request =
        RunOptions { target: args.target.clone(), profile: args.profile.clone(), ..RunOptions::default() };
    let target = match probe::target(settings, &request) {
        Ok(target) => target,
        Err(failure) => return say::refusal(&failure, "nothing was asked"),
    };
    let runtime = match app::runtime() {
        Ok(runtime) => runtime,
        Err(error) => return say::failure(&format!("no threads could be started: {error}"), Exit::Usage),
    };
    let lines = runtime.block_on(probe::diagnose(&target));
    let said = say::bytes(shown(&lines).as_bytes());
    match lines.iter().map(|line| line.state).max() {
        Some(FactState::Unreachable) => Exit::Unusable,
        Some(FactState::Finding) => Exit::Findings,
        Some(FactState::Good | FactState::Untold) | None => said,
    }
}

fn shown(lines: &[DiagnosisLine]) -> String {
    let line = |line: &DiagnosisLine| {
        let state = match line.state {
            FactState::Good => "ok",
            FactState::Untold => "?",
            FactState::Finding | FactState::Unreachable => "wrong",
        };
        format!("{state:<5}  {:<9}  {}\n", line.topic, line.text)
    };
    lines.iter().map(line).collect()
}

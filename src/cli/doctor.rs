//! `flowproof doctor`: looks at a live target and says, a line each, what is wrong and what mends it.

use clap::Args;

use crate::cli::exit::Exit;
use crate::cli::say;
use crate::probe::doctor::{Line, State};
use crate::session::{self, Request, probe};
use crate::settings::Settings;

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
        Request { target: args.target.clone(), profile: args.profile.clone(), ..Request::default() };
    let target = match probe::target(settings, &request) {
        Ok(target) => target,
        Err(failure) => return say::refusal(&failure, "nothing was asked"),
    };
    let runtime = match session::runtime() {
        Ok(runtime) => runtime,
        Err(error) => return say::failure(&format!("no threads could be started: {error}"), Exit::Usage),
    };
    let lines = runtime.block_on(probe::diagnose(&target));
    let said = say::bytes(shown(&lines).as_bytes());
    match lines.iter().map(|line| line.state).max() {
        Some(State::Unreachable) => Exit::Unusable,
        Some(State::Finding) => Exit::Findings,
        Some(State::Good | State::Untold) | None => said,
    }
}

fn shown(lines: &[Line]) -> String {
    let line = |line: &Line| {
        let state = match line.state {
            State::Good => "ok",
            State::Untold => "?",
            State::Finding | State::Unreachable => "wrong",
        };
        format!("{state:<5}  {:<9}  {}\n", line.topic, line.text)
    };
    lines.iter().map(line).collect()
}

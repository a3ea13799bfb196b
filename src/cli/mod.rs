//! The command line: one file a command, each a short pipeline.

mod args;
mod check;
mod compare;
mod completions;
mod doctor;
mod exit;
mod init;
mod list;
mod merge;
mod mock;
mod option_flags;
mod outputs;
mod record;
mod report;
mod run;
mod runs;
mod say;
mod schema;
mod snapshot;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::app;
use crate::app::settings::Settings;
use crate::base::panics;
use crate::cli::args::{ColorWhen, Command, CommandLine};
use crate::cli::exit::Exit;

/// Reads the process's arguments and environment, does what they say, and returns the exit code.
pub fn command_line() -> ExitCode {
    let line = match CommandLine::try_parse() {
        Ok(line) => line,
        Err(error) => return say::usage(&error),
    };
    match line.color {
        ColorWhen::Auto => {}
        ColorWhen::Always => anstream::ColorChoice::Always.write_global(),
        ColorWhen::Never => anstream::ColorChoice::Never.write_global(),
    }
    if needs_much(&line.command)
        && let Err(error) = app::check_machine()
    {
        return say::failure(&format!("{error}; nothing was sent"), Exit::Unusable).into();
    }
    let mut settings = Settings::read();
    settings.limit_env(line.env_names.as_deref());
    let place = panics::keep_quiet();
    match panics::catch(|| run_command(line.command, &settings)) {
        Ok(exit) => exit.into(),
        Err(panic) => say::panicked(&panic, &place),
    }
}

fn run_command(command: Command, settings: &Settings) -> Exit {
    match command {
        Command::Run(args) => run::run(&args, settings),
        Command::Record(args) => match args.into_run() {
            Ok(args) => run::run(&args, settings),
            Err(message) => say::failure(&message, Exit::Usage),
        },
        Command::List(args) => list::list(&args, settings),
        Command::Check(args) => check::check(&args, settings),
        Command::Mock(args) => mock::mock(&args, settings),
        Command::Init(args) => init::init(&args, settings),
        Command::Doctor(args) => doctor::doctor(&args, settings),
        Command::Merge(args) => merge::merge(&args, settings),
        Command::Compare(args) => compare::compare(&args, settings),
        Command::Report(args) => report::report(&args, settings),
        Command::Runs(args) => runs::runs(&args, settings),
        Command::Snapshot(args) => snapshot::snapshot(&args, settings),
        Command::Schema(args) => schema::schema(&args),
        Command::Completions(args) => completions::completions(&args, CommandLine::command()),
    }
}

/// Whether a command takes threads, memory and files for suites, records or a network.
fn needs_much(command: &Command) -> bool {
    match command {
        Command::Run(_)
        | Command::Record(_)
        | Command::List(_)
        | Command::Check(_)
        | Command::Mock(_)
        | Command::Init(_)
        | Command::Doctor(_)
        | Command::Merge(_)
        | Command::Compare(_)
        | Command::Report(_)
        | Command::Runs(_)
        | Command::Snapshot(_) => true,
        Command::Schema(_) | Command::Completions(_) => false,
    }
}

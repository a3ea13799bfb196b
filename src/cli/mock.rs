//! `flowproof mock`: serves the suites' answers as a Dify on loopback until a signal comes.

use std::sync::Arc;

use clap::Args;

use crate::app;
use crate::app::settings::Settings;
use crate::cli::exit::Exit;
use crate::cli::option_flags::{OptionFlags, SuiteOptions};
use crate::cli::say;
use crate::dify::cassette::Speed;
use crate::dify::mock::fault::{FaultSpec, parse_fault};
use crate::dify::mock::options::NodePace;
use crate::dify::mock::server::{MockOptions, MockServer};
use crate::engine::signal::Signals;
use crate::engine::target::script_book;
use crate::plan::case::{Plan, TargetKind};
use crate::record::event::RunOptions;

/// `flowproof mock`.
#[derive(Debug, Args)]
pub struct MockArgs {
    /// Which suites.
    #[command(flatten)]
    pub suites: OptionFlags<SuiteOptions>,
    /// Port on 127.0.0.1; 0 takes a free one.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub port: u16,
    /// Let nodes take their `elapsed` time, so that runs can be watched and stopped.
    #[arg(long)]
    pub real_time: bool,
    /// What goes wrong with every run, such as `http_500`, `drop_after:3` or `http_429,times=2`; repeatable.
    #[arg(long = "fault", value_name = "FAULT", value_parser = parse_fault)]
    pub faults: Vec<FaultSpec>,
}

impl MockArgs {
    /// All tests of these suites.
    pub fn options(&self) -> RunOptions {
        RunOptions { target: Some("mock".to_owned()), ..self.suites.options.clone() }
    }
}

/// Serves until Ctrl-C or SIGTERM; the address is the one line on standard output.
pub fn mock(args: &MockArgs, settings: &Settings) -> Exit {
    let plan = match app::open(settings, &args.options()) {
        Ok(opening) => opening.plan,
        Err(failure) => return say::refusal(&failure, "nothing is served"),
    };
    let runtime = match app::runtime() {
        Ok(runtime) => runtime,
        Err(error) => return say::failure(&format!("no threads could be started: {error}"), Exit::Usage),
    };
    runtime.block_on(serve(&plan, args))
}

async fn serve(plan: &Plan, args: &MockArgs) -> Exit {
    let TargetKind::Mock(options) = &plan.target.kind else {
        return say::failure("the target is not the mock", Exit::Usage);
    };
    let mut signals = Signals::listen();
    let (port, faults) = (args.port, args.faults.clone());
    let (pace, replay) = match args.real_time {
        true => (NodePace::Real, Speed::RealTime),
        false => (options.pace, options.replay),
    };
    let options = MockOptions { port, pace, replay, faults, ..options.clone() };
    let server = match MockServer::start(script_book(plan), options, Arc::clone(&plan.templates), "mock") {
        Ok(server) => server,
        Err(error) => {
            let message = format!("127.0.0.1:{port} cannot be listened on: {error}; choose another --port");
            return say::failure(&message, Exit::Usage);
        }
    };
    let said = say::bytes(format!("{}\n", server.base_url()).as_bytes());
    say::note("serving the suites' answers; each app's key is `app-<its name>`; Ctrl-C ends it");
    signals.next().await;
    server.shutdown().await;
    said
}

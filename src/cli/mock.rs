//! `flowproof mock`: serves the suites' answers as a Dify on loopback until a signal comes.

use crate::cli::args::MockArgs;
use crate::cli::exit::Exit;
use crate::cli::say;
use crate::engine::signal;
use crate::mock::server::MockServer;
use crate::session::{self, Request};
use crate::settings::Settings;

/// Serves until Ctrl-C or SIGTERM; the address is the one line on standard output.
pub fn mock(args: &MockArgs, settings: &Settings) -> Exit {
    let request = Request {
        paths: args.paths.clone(),
        allow_outside: args.allow_outside,
        target: Some("mock".to_owned()),
        ..Request::default()
    };
    let served = match session::open_mock(settings, &request, args.port) {
        Ok(served) => served,
        Err(failure) => return failure.say(),
    };
    let runtime = match session::runtime() {
        Ok(runtime) => runtime,
        Err(error) => return say::failure(&format!("no threads could be started: {error}"), Exit::Usage),
    };
    runtime.block_on(async move {
        let started = MockServer::start(served.book, served.options, served.templates, "mock").await;
        let server = match started {
            Ok(server) => server,
            Err(error) => {
                let message = format!("127.0.0.1:{} cannot be listened on: {error}; choose another --port", args.port);
                return say::failure(&message, Exit::Usage);
            }
        };
        let said = say::bytes(format!("{}\n", server.base_url()).as_bytes());
        say::note("serving the suites' answers; any key `app-<app>` works; Ctrl-C ends it");
        signal::signal().await;
        server.shutdown().await;
        said
    })
}

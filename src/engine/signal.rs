//! Ctrl-C and SIGTERM: the first asks the run to stop, the second ends the process.

use std::sync::Arc;

use tokio::task::JoinHandle;

use crate::engine::Engine;

/// Exit code of a process that a second signal ended at once.
const INTERRUPTED: i32 = 130;

/// Stops the engine on the first signal and leaves at once on the second; abort it when the run is over.
pub fn watch(engine: Arc<Engine>) -> JoinHandle<()> {
    let mut signals = Signals::listen();
    tokio::spawn(async move {
        signals.next().await;
        engine.stop("interrupted");
        drop(engine);
        signals.next().await;
        std::process::exit(INTERRUPTED);
    })
}

/// Ctrl-C and, where there is one, SIGTERM: heard from the moment this is made.
#[derive(Debug)]
pub struct Signals {
    #[cfg(unix)]
    heard: [Option<tokio::signal::unix::Signal>; 2],
}

#[cfg(unix)]
impl Signals {
    /// Begins to listen; must be called within a runtime.
    pub fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        Self { heard: [SignalKind::interrupt(), SignalKind::terminate()].map(|kind| signal(kind).ok()) }
    }

    /// Waits for the next one; for ever if none can be heard.
    pub async fn next(&mut self) {
        let [interrupt, terminate] = &mut self.heard;
        tokio::select! {
            () = heard(interrupt) => {}
            () = heard(terminate) => {}
        }
    }
}

#[cfg(unix)]
async fn heard(signal: &mut Option<tokio::signal::unix::Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}

#[cfg(not(unix))]
impl Signals {
    /// Begins to listen; must be called within a runtime.
    pub fn listen() -> Self {
        Self {}
    }

    /// Waits for the next one; for ever if none can be heard.
    pub async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

//! Ctrl-C and SIGTERM: the first asks the run to stop, the second ends the process.

use std::sync::Arc;

use tokio::task::JoinHandle;

use crate::engine::Engine;

/// Exit code of a process that a second signal ended at once.
const INTERRUPTED: i32 = 130;

/// Stops the engine on the first signal and leaves at once on the second; abort it when the run is over.
pub fn watch(engine: Arc<Engine>) -> JoinHandle<()> {
    tokio::spawn(async move {
        signal().await;
        engine.stop("interrupted");
        drop(engine);
        signal().await;
        std::process::exit(INTERRUPTED);
    })
}

/// Waits for Ctrl-C or, where there is one, SIGTERM; for ever if neither can be watched.
pub async fn signal() {
    tokio::select! {
        () = interrupt() => {}
        () = terminate() => {}
    }
}

async fn interrupt() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

#[cfg(unix)]
async fn terminate() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut stream) => {
            stream.recv().await;
        }
        Err(_) => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn terminate() {
    std::future::pending().await
}

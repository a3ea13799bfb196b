//! Ctrl-C, SIGTERM, SIGHUP, SIGQUIT and the console events of Windows: the first one asks the run to stop, the second one ends
//! the process.

#[cfg(unix)]
use std::path::Path;
use std::sync::Arc;

use tokio::task::JoinHandle;

#[cfg(unix)]
use crate::base::files::{self, Fence};
use crate::engine::Engine;

/// Most bytes that are read of `/proc/self/status`.
#[cfg(unix)]
const LONGEST_STATUS: u64 = 64 << 10;

/// Exit code of a process that a second signal ended at once.
const INTERRUPTED: i32 = 130;

/// Stops the engine on the first signal and exits at once on the second; abort it when the run is over.
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

/// The signals that end a process; received from the moment this is created.
#[derive(Debug)]
pub struct Signals {
    #[cfg(unix)]
    heard: Vec<tokio::signal::unix::Signal>,
    #[cfg(windows)]
    heard: Windows,
}

#[cfg(unix)]
impl Signals {
    /// Begins to listen; must be called within a runtime.
    pub fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let always = [SignalKind::interrupt(), SignalKind::terminate()];
        // Signals that the parent process has set to be ignored stay ignored, as with nohup.
        let unless_ignored =
            [SignalKind::hangup(), SignalKind::quit()].into_iter().filter(|kind| !is_ignored(*kind));
        Self {
            heard: always.into_iter().chain(unless_ignored).filter_map(|kind| signal(kind).ok()).collect(),
        }
    }

    /// Waits for the next one; forever if none can be received.
    pub async fn next(&mut self) {
        std::future::poll_fn(|context| {
            let is_heard = self.heard.iter_mut().any(|signal| signal.poll_recv(context).is_ready());
            if is_heard { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
        .await;
    }
}

/// Whether the process was started with a signal ignored, according to Linux. Other systems do not report it; there a hangup counts as
/// ignored if standard input is no terminal, since nohup then started the process.
#[cfg(unix)]
fn is_ignored(kind: tokio::signal::unix::SignalKind) -> bool {
    use std::io::IsTerminal;
    let status = files::read(Path::new("/proc/self/status"), &Fence::anywhere(), LONGEST_STATUS);
    match status {
        Ok(status) => is_in_mask(&String::from_utf8_lossy(&status), kind.as_raw_value()),
        Err(_) => !std::io::stdin().is_terminal(),
    }
}

/// Whether the line `SigIgn` of `/proc/self/status` names a signal: a mask in hexadecimal whose lowest bit is signal 1.
///
/// <https://man7.org/linux/man-pages/man5/proc_pid_status.5.html>
#[cfg(unix)]
fn is_in_mask(status: &str, number: i32) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    let bit = u32::try_from(number - 1).ok().and_then(|bit| 1_u64.checked_shl(bit));
    bit.is_some_and(|bit| mask & bit != 0)
}

/// The console events of Windows.
#[cfg(windows)]
#[derive(Debug)]
struct Windows {
    interrupt: Option<tokio::signal::windows::CtrlC>,
    stop: Option<tokio::signal::windows::CtrlBreak>,
    close: Option<tokio::signal::windows::CtrlClose>,
    logoff: Option<tokio::signal::windows::CtrlLogoff>,
    shutdown: Option<tokio::signal::windows::CtrlShutdown>,
}

#[cfg(windows)]
impl Signals {
    /// Begins to listen; must be called within a runtime.
    pub fn listen() -> Self {
        use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_logoff, ctrl_shutdown};
        Self {
            heard: Windows {
                interrupt: ctrl_c().ok(),
                stop: ctrl_break().ok(),
                close: ctrl_close().ok(),
                logoff: ctrl_logoff().ok(),
                shutdown: ctrl_shutdown().ok(),
            },
        }
    }

    /// Waits for the next one; forever if none can be received.
    pub async fn next(&mut self) {
        use std::task::Poll;
        let Windows { interrupt, stop, close, logoff, shutdown } = &mut self.heard;
        std::future::poll_fn(|context| {
            let is_heard = interrupt.as_mut().is_some_and(|heard| heard.poll_recv(context).is_ready())
                || stop.as_mut().is_some_and(|heard| heard.poll_recv(context).is_ready())
                || close.as_mut().is_some_and(|heard| heard.poll_recv(context).is_ready())
                || logoff.as_mut().is_some_and(|heard| heard.poll_recv(context).is_ready())
                || shutdown.as_mut().is_some_and(|heard| heard.poll_recv(context).is_ready());
            if is_heard { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn what_is_ignored_is_read_from_the_mask() {
        let status = "Name:\tflowproof\nSigBlk:\tffffffffffffffff\nSigIgn:\t0000000000001001\n";
        for (number, ignored) in
            [(1, true), (2, false), (3, false), (13, true), (15, false), (0, false), (65, false)]
        {
            assert_eq!(is_in_mask(status, number), ignored, "signal {number}");
        }
        assert!(!is_in_mask("", 1));
    }
}

//! What a run needs of the machine, asked for before anything is loaded or sent: threads, memory and open files.
//!
//! What the system refuses is no fault of a suite, and must not end a run in the middle.

use std::sync::mpsc;
use std::thread::{self, Builder};

use crate::plan::case::{Plan, TargetKind};

/// The stack of a thread that reads a suite: the largest that is used.
const READER: usize = 32 << 20;
/// The stack of any other thread.
const ORDINARY: usize = 2 << 20;
/// Memory that the smallest run takes besides its stacks.
const MEMORY: usize = 64 << 20;
/// Files that are open beside the connections: journal, ledger, cassettes, suites, the system's own.
const OTHER_FILES: u64 = 48;

/// Why the machine cannot carry a run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MachineError {
    /// It gives no more threads, or no memory for their stacks.
    #[error(
        "the system gives {given} of the {needed} threads that are needed: {why}; raise the limit of processes or of memory (`ulimit -u`, `ulimit -v`, the container's limits)"
    )]
    Threads {
        /// How many it gave.
        given: usize,
        /// How many it should.
        needed: usize,
        /// The system's reason.
        why: String,
    },
    /// It gives no more memory.
    #[error("the system gives no {} MB of memory: raise the limit (`ulimit -v`, the container's limits)", MEMORY >> 20)]
    Memory,
    /// It lets too few files be open at once.
    #[error(
        "the system lets this program open {limit} files at once, and it needs {OTHER_FILES}: raise the limit (`ulimit -n`)"
    )]
    Files {
        /// The limit.
        limit: u64,
    },
}

/// Asks the system for what a run takes at once, and gives it back.
pub fn check_machine() -> Result<(), MachineError> {
    if let Some(limit) = open_files().filter(|limit| *limit < OTHER_FILES) {
        return Err(MachineError::Files { limit });
    }
    let processors = thread::available_parallelism().map_or(1, usize::from);
    // A pool for files with a reader beside each of its threads, a pool for attempts, and threads for what blocks.
    give_threads(&[
        ThreadDemand { count: processors, stack: READER },
        ThreadDemand { count: 2 * processors + 2, stack: ORDINARY },
    ])?;
    // The pool for files is made now, since later nobody could say why it cannot be; one that is there already is as good.
    let _ = rayon::ThreadPoolBuilder::new().build_global();
    let mut memory: Vec<u8> = Vec::new();
    memory.try_reserve_exact(MEMORY).map_err(|_| MachineError::Memory)
}

/// Threads that are needed at once.
struct ThreadDemand {
    count: usize,
    /// Bytes of stack of each.
    stack: usize,
}

/// Starts all of these threads at once, and ends them.
fn give_threads(wanted: &[ThreadDemand]) -> Result<(), MachineError> {
    let stacks = wanted.iter().flat_map(|wanted| std::iter::repeat_n(wanted.stack, wanted.count));
    let (mut threads, mut refused) = (Vec::new(), None);
    for stack in stacks {
        let (end, wait) = mpsc::channel::<()>();
        match Builder::new().stack_size(stack).spawn(move || wait.recv().is_ok()) {
            Ok(thread) => threads.push((end, thread)),
            Err(error) => {
                refused = Some(error.to_string());
                break;
            }
        }
    }
    let (given, needed) = (threads.len(), wanted.iter().map(|wanted| wanted.count).sum());
    for (end, thread) in threads {
        drop(end);
        // It does nothing but wait.
        let _ = thread.join();
    }
    refused.map_or(Ok(()), |why| Err(MachineError::Threads { given, needed, why }))
}

/// How many files may be open at once, once the limit was raised as far as this process may.
#[cfg(unix)]
fn open_files() -> Option<u64> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let wished = limit.maximum.unwrap_or(MOST_FILES).min(MOST_FILES);
    let raised = Rlimit { current: Some(wished), maximum: limit.maximum };
    if limit.current.is_some_and(|current| current < wished) && setrlimit(Resource::Nofile, raised).is_ok() {
        return Some(wished);
    }
    limit.current
}

/// More open files than any run needs: some systems allow no more, whatever they say.
#[cfg(unix)]
const MOST_FILES: u64 = 10_240;

/// Here open files have no limit of their own.
#[cfg(not(unix))]
fn open_files() -> Option<u64> {
    None
}

/// Lowers the attempts at once to what the limit of open files allows, and says so.
pub(super) fn lower_concurrency(plan: &mut Plan) -> Option<String> {
    let files = open_files()?;
    // On the built-in mock both ends of a connection are ours.
    let ends = match plan.target.kind {
        TargetKind::Mock(_) | TargetKind::Replay { .. } => 2,
        TargetKind::Live { .. } => 1,
    };
    let (asked, most) = (plan.target.concurrency, attempts_within(files, ends));
    if asked.min(plan.cases.len()) <= most {
        return None;
    }
    plan.target.concurrency = most;
    Some(format!(
        "the system lets this program open {files} files at once: {most} attempts at once instead of {asked} (`ulimit -n` raises the limit)"
    ))
}

/// The attempts at once that this many open files allow.
fn attempts_within(files: u64, ends: u64) -> usize {
    usize::try_from(files.saturating_sub(OTHER_FILES) / ends.max(1)).unwrap_or(usize::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ordinary_machine_carries_a_run() {
        assert_eq!(check_machine(), Ok(()));
        // No address space holds such a stack.
        let error = give_threads(&[
            ThreadDemand { count: 1, stack: ORDINARY },
            ThreadDemand { count: 1, stack: usize::MAX / 4 },
        ])
        .unwrap_err();
        assert!(matches!(error, MachineError::Threads { given: 1, needed: 2, .. }), "{error}");
    }

    #[test]
    fn attempts_at_once_leave_room_for_other_files() {
        assert_eq!(attempts_within(1_048, 1), 1_000);
        assert_eq!(attempts_within(1_048, 2), 500);
        assert_eq!(attempts_within(20, 2), 1, "one attempt is the least there is");
    }
}

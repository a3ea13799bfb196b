//! `flowproof snapshot accept` and `reject`: by the names of tests, or all.

use clap::Args;

use crate::app::snapshots::{PendingSnapshot, SnapshotList};
use crate::base::spelling::nearest;
use crate::cli::exit::Exit;
use crate::cli::say;
use crate::cli::snapshot::count::counted;

/// `flowproof snapshot accept`, `flowproof snapshot reject`.
#[derive(Debug, Args)]
pub struct DecideArgs {
    /// Tests by their full names, or suites by theirs: everything of them that waits.
    #[arg(value_name = "NAME", conflicts_with = "all")]
    pub names: Vec<String>,
    /// Everything that waits.
    #[arg(long)]
    pub all: bool,
    /// Of these tests only the snapshot with this key; repeatable.
    #[arg(long = "key", value_name = "KEY")]
    pub keys: Vec<String>,
}

/// What becomes of a snapshot that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SnapshotDecision {
    /// It is approved.
    Accept,
    /// It is thrown away.
    Reject,
}

/// Decides of what is named.
pub fn decide(args: &DecideArgs, decision: SnapshotDecision, stock: &SnapshotList) -> Exit {
    let named = match (args.all, args.names.as_slice()) {
        (true, _) => stock.waiting.iter().collect(),
        (false, []) => {
            let message = "nothing is named: name tests or suites (`flowproof snapshot list` shows what waits), or say --all";
            return say::failure(message, Exit::Usage);
        }
        (false, _) => match named(&args.names, stock) {
            Ok(named) => named,
            Err(message) => return say::failure(&message, Exit::Usage),
        },
    };
    let chosen: Vec<&PendingSnapshot> =
        named.into_iter().filter(|waits| args.keys.is_empty() || args.keys.contains(&waits.key)).collect();
    if let Some(key) = args.keys.iter().find(|key| !chosen.iter().any(|waits| waits.key == **key)) {
        let known: Vec<&str> = stock.waiting.iter().map(|waits| waits.key.as_str()).collect();
        return say::failure(
            &format!("no snapshot `{key}` of these waits{}", help(key, &known)),
            Exit::Usage,
        );
    }
    carry_out(&chosen, decision, stock)
}

/// What waits of the tests and suites named; an error where nothing of one waits.
pub fn named<'s>(names: &[String], stock: &'s SnapshotList) -> Result<Vec<&'s PendingSnapshot>, String> {
    let is_of = |waits: &PendingSnapshot, name: &str| {
        *waits.case == *name || waits.case.strip_prefix(name).is_some_and(|rest| rest.starts_with("::"))
    };
    if let Some(name) = names.iter().find(|name| !stock.waiting.iter().any(|waits| is_of(waits, name))) {
        let known: Vec<&str> = stock.waiting.iter().map(|waits| &*waits.case).collect();
        return Err(format!("nothing of `{name}` waits for approval{}", help(name, &known)));
    }
    Ok(stock.waiting.iter().filter(|waits| names.iter().any(|name| is_of(waits, name))).collect())
}

fn help(name: &str, known: &[&str]) -> String {
    match nearest(name, known.iter().copied()) {
        Some(near) => format!("; did you mean `{near}`?"),
        None => "; `flowproof snapshot list` shows what waits".to_owned(),
    }
}

/// Does it, test by test, and says what was done.
pub fn carry_out(chosen: &[&PendingSnapshot], decision: SnapshotDecision, stock: &SnapshotList) -> Exit {
    let (mut done, mut gone) = (0, 0);
    for of_test in chosen.chunk_by(|a, b| a.path == b.path) {
        let decided = match decision {
            SnapshotDecision::Accept => stock.accept(of_test),
            SnapshotDecision::Reject => stock.reject(of_test),
        };
        match decided {
            Ok(count) => {
                done += count;
                gone += of_test.len() - count;
            }
            Err(problem) => {
                say::problems(&[problem]);
                return Exit::Usage;
            }
        }
    }
    let word = match decision {
        SnapshotDecision::Accept => "accepted",
        SnapshotDecision::Reject => "rejected",
    };
    if gone > 0 {
        say::note(&format!(
            "{} changed or went meanwhile, by another run or another person: nothing was done with that",
            counted(gone)
        ));
    }
    match (chosen.is_empty(), gone) {
        (true, _) => say::bytes(b"no snapshot waits for approval\n"),
        (false, 0) => say::bytes(format!("{word} {}\n", counted(done)).as_bytes()),
        (false, _) => {
            say::note(&format!("{word} {}", counted(done)));
            Exit::Findings
        }
    }
}

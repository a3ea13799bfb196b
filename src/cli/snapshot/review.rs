//! `flowproof snapshot review`: shows each difference and asks; without a terminal it does what flags say.

use std::io::{BufRead, IsTerminal, stdin, stdout};

use clap::Args;

use crate::app::snapshots::{PendingSnapshot, SnapshotList};
use crate::cli::exit::Exit;
use crate::cli::say;
use crate::cli::snapshot::count::counted;
use crate::cli::snapshot::decide::{SnapshotDecision, carry_out, named};
use crate::report::snapshot::{ShownSnapshot, snapshot_text};
use crate::report::text::ColorUse;

/// What may be answered, shown with each question.
const KEYS: &str = "a accept · r reject · s skip · A accept this and all that follow · q quit";

/// `flowproof snapshot review`.
#[derive(Debug, Args)]
pub struct ReviewArgs {
    /// Ask nothing: accept what waits of this test or suite; repeatable.
    #[arg(long, value_name = "NAME")]
    pub accept: Vec<String>,
    /// Ask nothing: reject what waits of this test or suite; repeatable.
    #[arg(long, value_name = "NAME")]
    pub reject: Vec<String>,
    /// Ask nothing: accept everything that waits and is not rejected by name.
    #[arg(long, conflicts_with = "accept")]
    pub all: bool,
}

impl ReviewArgs {
    fn asks(&self) -> bool {
        self.accept.is_empty() && self.reject.is_empty() && !self.all
    }
}

/// What was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ReviewAnswer {
    Accept,
    Reject,
    Skip,
    AcceptRest,
    Quit,
}

/// Shows what waits, and decides as it is reported.
pub fn review(args: &ReviewArgs, stock: &SnapshotList) -> Exit {
    if stock.waiting.is_empty() && args.asks() {
        return say::bytes(b"no snapshot waits for approval\n");
    }
    match (args.asks(), stdin().is_terminal() && stdout().is_terminal()) {
        (false, _) => by_flags(args, stock),
        (true, true) => ask_all(stock),
        (true, false) => {
            let shown: String = stock.waiting.iter().map(|waits| shown(waits) + "\n").collect();
            let exit = say::bytes(shown.as_bytes());
            let message = format!(
                "{} to decide on, and no terminal to ask at: name them with --accept and --reject, or say --all",
                counted(stock.waiting.len())
            );
            if exit == Exit::Success { say::failure(&message, Exit::Findings) } else { exit }
        }
    }
}

fn by_flags(args: &ReviewArgs, stock: &SnapshotList) -> Exit {
    let (accepted, rejected) = match (named(&args.accept, stock), named(&args.reject, stock)) {
        (Ok(accepted), Ok(rejected)) => (accepted, rejected),
        (Err(message), _) | (_, Err(message)) => return say::failure(&message, Exit::Usage),
    };
    let is_rejected = |waits: &PendingSnapshot| rejected.iter().any(|other| std::ptr::eq(*other, waits));
    if let Some(both) = accepted.iter().find(|waits| is_rejected(waits)) {
        let message = format!("`{}` is to be accepted and rejected: name it once", both.case);
        return say::failure(&message, Exit::Usage);
    }
    let accepted = match args.all {
        true => stock.waiting.iter().filter(|waits| !is_rejected(waits)).collect(),
        false => accepted,
    };
    for waits in accepted.iter().chain(&rejected) {
        match say::bytes((shown(waits) + "\n").as_bytes()) {
            Exit::Success => {}
            exit => return exit,
        }
    }
    let left = stock.waiting.len() - accepted.len() - rejected.len();
    let mut exit = Exit::Success;
    for (chosen, decision) in [(accepted, SnapshotDecision::Accept), (rejected, SnapshotDecision::Reject)] {
        if chosen.is_empty() {
            continue;
        }
        match carry_out(&chosen, decision, stock) {
            Exit::Success => {}
            other => exit = other,
        }
    }
    match (exit, left) {
        (Exit::Success, 0) => Exit::Success,
        (Exit::Success, _) => say::failure(&format!("{} not decided on", counted(left)), Exit::Findings),
        (other, _) => other,
    }
}

fn shown(waits: &PendingSnapshot) -> String {
    let shown = ShownSnapshot {
        case: &waits.case,
        place: &waits.place,
        key: &waits.key,
        approved: waits.approved.as_ref(),
        found: &waits.found,
    };
    // The stream removes the colours where they are not wanted.
    snapshot_text(&shown, if stdout().is_terminal() { ColorUse::Colour } else { ColorUse::Plain })
}

/// One question for each; what is left at the end still waits.
fn ask_all(stock: &SnapshotList) -> Exit {
    let (mut accepted, mut rejected) = (0, 0);
    let (mut takes_all, mut ends) = (false, false);
    for (index, waits) in stock.waiting.iter().enumerate() {
        let answer =
            if takes_all { ReviewAnswer::Accept } else { ask(waits, index + 1, stock.waiting.len()) };
        let decided = match answer {
            ReviewAnswer::Accept | ReviewAnswer::AcceptRest => {
                stock.accept(&[waits]).inspect(|count| accepted += count)
            }
            ReviewAnswer::Reject => stock.reject(&[waits]).inspect(|count| rejected += count),
            ReviewAnswer::Skip => continue,
            ReviewAnswer::Quit => {
                ends = true;
                Ok(1)
            }
        };
        takes_all |= answer == ReviewAnswer::AcceptRest;
        match decided {
            Ok(0) => say::note("it changed or went meanwhile: nothing was done"),
            Ok(_) => {}
            Err(problem) => {
                say::problems(&[problem]);
                return Exit::Usage;
            }
        }
        if ends {
            break;
        }
    }
    let left = stock.waiting.len() - accepted - rejected;
    let exit = say::bytes(format!("accepted {accepted}, rejected {rejected}, left {left}\n").as_bytes());
    if exit == Exit::Success && left > 0 { Exit::Findings } else { exit }
}

/// Shows one and asks until the answer is one of the keys; the end of the input is `q`.
fn ask(waits: &PendingSnapshot, number: usize, of: usize) -> ReviewAnswer {
    if say::bytes(format!("\n[{number}/{of}] {}{KEYS}\n", shown(waits)).as_bytes()) != Exit::Success {
        return ReviewAnswer::Quit;
    }
    let mut lines = stdin().lock().lines();
    loop {
        let Some(Ok(line)) = lines.next() else { return ReviewAnswer::Quit };
        match line.trim() {
            "a" => return ReviewAnswer::Accept,
            "r" => return ReviewAnswer::Reject,
            "s" => return ReviewAnswer::Skip,
            "A" => return ReviewAnswer::AcceptRest,
            "q" => return ReviewAnswer::Quit,
            _ => say::note(&format!("type one of these and Enter: {KEYS}")),
        }
    }
}

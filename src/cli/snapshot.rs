//! `flowproof snapshot`: what waits for approval, and what a person decides of it; sends nothing.

mod decide;
mod list;
mod prune;
mod review;

use clap::{Args, Subcommand};

use crate::cli::exit::Exit;
use crate::cli::say;
use crate::cli::snapshot::decide::{DecideArgs, Decision, decide};
use crate::cli::snapshot::list::ListArgs;
use crate::cli::snapshot::prune::PruneArgs;
use crate::cli::snapshot::review::ReviewArgs;
use crate::session::snapshots::Stock;
use crate::settings::Settings;
use crate::suite::load::Outside;

/// `flowproof snapshot`.
#[derive(Debug, Args)]
pub struct SnapshotArgs {
    /// What to do.
    #[command(subcommand)]
    pub action: Action,
    /// Let suites name files outside the suites folder.
    #[arg(long, global = true)]
    pub allow_outside: bool,
}

/// What to do with snapshots.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Show each snapshot that waits, with its difference, and ask what to do.
    #[command(
        after_help = "Examples:\n  flowproof snapshot review\n  flowproof snapshot review --accept support::refund --reject support::tone"
    )]
    Review(ReviewArgs),
    /// Approve what waits: the tests compare with it from now on.
    #[command(
        after_help = "Examples:\n  flowproof snapshot accept support::refund\n  flowproof snapshot accept --all"
    )]
    Accept(DecideArgs),
    /// Throw away what waits; what was approved stays.
    #[command(after_help = "Example:\n  flowproof snapshot reject support::refund")]
    Reject(DecideArgs),
    /// List what waits for approval, and what no test asks for.
    #[command(after_help = "Example:\n  flowproof snapshot list")]
    List(ListArgs),
    /// Remove the snapshots that no test asks for.
    #[command(after_help = "Example:\n  flowproof snapshot prune --dry-run")]
    Prune(PruneArgs),
}

/// Does what is asked for with the snapshots of the project.
pub fn snapshot(args: &SnapshotArgs, settings: &Settings) -> Exit {
    let stock = match Stock::of(settings, args.allow_outside.then_some(Outside::Allowed)) {
        Ok(stock) => stock,
        Err(failure) => return say::refusal(&failure, "no snapshot was touched"),
    };
    if !stock.problems.is_empty() {
        say::problems(&stock.problems);
        say::note("no snapshot was touched: mend these files first");
        return Exit::Usage;
    }
    match &args.action {
        Action::Review(args) => review::review(args, &stock),
        Action::Accept(args) => decide(args, Decision::Accept, &stock),
        Action::Reject(args) => decide(args, Decision::Reject, &stock),
        Action::List(args) => list::list(args, &stock),
        Action::Prune(args) => prune::prune(*args, &stock),
    }
}

/// "1 snapshot", "2 snapshots".
fn counted(count: usize) -> String {
    if count == 1 { "1 snapshot".to_owned() } else { format!("{count} snapshots") }
}

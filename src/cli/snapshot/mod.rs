//! `flowproof snapshot`: what waits for approval, and what a person decides of it; sends nothing.

mod count;
mod decide;
mod list;
mod prune;
mod review;

use clap::{Args, Subcommand};

use crate::app::settings::Settings;
use crate::app::snapshots::SnapshotList;
use crate::cli::exit::Exit;
use crate::cli::say;
use crate::cli::snapshot::decide::{DecideArgs, SnapshotDecision, decide};
use crate::cli::snapshot::list::SnapshotListArgs;
use crate::cli::snapshot::prune::SnapshotPruneArgs;
use crate::cli::snapshot::review::ReviewArgs;
use crate::suite::load::OutsidePaths;

/// `flowproof snapshot`.
#[derive(Debug, Args)]
pub struct SnapshotArgs {
    /// What to do.
    #[command(subcommand)]
    pub action: SnapshotCommand,
    /// Let suites name files outside the suites folder.
    #[arg(long, global = true)]
    pub allow_outside: bool,
}

/// What to do with snapshots.
#[derive(Debug, Subcommand)]
pub enum SnapshotCommand {
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
    List(SnapshotListArgs),
    /// Remove the snapshots that no test asks for.
    #[command(after_help = "Example:\n  flowproof snapshot prune --dry-run")]
    Prune(SnapshotPruneArgs),
}

/// Does what is asked for with the snapshots of the project.
pub fn snapshot(args: &SnapshotArgs, settings: &Settings) -> Exit {
    let stock = match SnapshotList::of(settings, args.allow_outside.then_some(OutsidePaths::Allowed)) {
        Ok(stock) => stock,
        Err(failure) => return say::refusal(&failure, "no snapshot was touched"),
    };
    if !stock.problems.is_empty() {
        say::problems(&stock.problems);
        say::note("no snapshot was touched: fix these files first");
        return Exit::Usage;
    }
    match &args.action {
        SnapshotCommand::Review(args) => review::review(args, &stock),
        SnapshotCommand::Accept(args) => decide(args, SnapshotDecision::Accept, &stock),
        SnapshotCommand::Reject(args) => decide(args, SnapshotDecision::Reject, &stock),
        SnapshotCommand::List(args) => list::list(args, &stock),
        SnapshotCommand::Prune(args) => prune::prune(*args, &stock),
    }
}

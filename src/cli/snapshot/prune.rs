//! `flowproof snapshot prune`: removes what no test asks for.

use clap::Args;

use crate::app::snapshots::SnapshotList;
use crate::cli::exit::Exit;
use crate::cli::say;
use crate::cli::snapshot::count::counted;
use crate::report::text::{LineEnds, visible};

/// `flowproof snapshot prune`.
#[derive(Debug, Clone, Copy, Args)]
pub struct SnapshotPruneArgs {
    /// Say what would be removed, and remove nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// Removes them, and says which.
pub fn prune(args: SnapshotPruneArgs, stock: &SnapshotList) -> Exit {
    if stock.unused.is_empty() {
        return say::bytes(b"every snapshot belongs to a test: nothing to remove\n");
    }
    let mut text = String::new();
    for unused in &stock.unused {
        let key = visible(&unused.key, LineEnds::One);
        text.push_str(&format!("{}: {key}\n", visible(&unused.shown, LineEnds::One)));
    }
    if args.dry_run {
        text.push_str(&format!("would remove {}\n", counted(stock.unused.len())));
        return say::bytes(text.as_bytes());
    }
    if let Err(problem) = stock.prune() {
        say::problems(&[problem]);
        return Exit::Usage;
    }
    text.push_str(&format!("removed {}\n", counted(stock.unused.len())));
    say::bytes(text.as_bytes())
}

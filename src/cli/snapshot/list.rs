//! `flowproof snapshot list`: what waits for approval, and what no test asks for.

use clap::{Args, ValueEnum};
use serde_json::json;

use crate::app::snapshots::{PendingSnapshot, SnapshotList};
use crate::base::plural::plural;
use crate::cli::exit::Exit;
use crate::cli::say;
use crate::cli::snapshot::count::counted;
use crate::report::text::{LineEnds, visible};

/// `flowproof snapshot list`.
#[derive(Debug, Args)]
pub struct SnapshotListArgs {
    /// How to list them.
    #[arg(long, value_name = "FORMAT", default_value = "pretty")]
    pub format: SnapshotListFormat,
}

/// How snapshots are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SnapshotListFormat {
    /// One a line, aligned.
    Pretty,
    /// One JSON object.
    Json,
}

/// Lists them; what waits is a finding.
pub fn list(args: &SnapshotListArgs, stock: &SnapshotList) -> Exit {
    let said = match args.format {
        SnapshotListFormat::Pretty => say::bytes(pretty(stock).as_bytes()),
        SnapshotListFormat::Json => say::json(&as_json(stock)),
    };
    match said {
        Exit::Success if !stock.waiting.is_empty() => Exit::Findings,
        exit => exit,
    }
}

fn state(waits: &PendingSnapshot) -> &'static str {
    if waits.approved.is_some() { "changed" } else { "new" }
}

fn pretty(stock: &SnapshotList) -> String {
    let waiting = stock.waiting.iter().map(|waits| [&*waits.case, &waits.key, state(waits), &waits.shown]);
    let unused =
        stock.unused.iter().map(|unused| [&*unused.test, &unused.key, "not asked for", &unused.shown]);
    let rows: Vec<[String; 4]> =
        waiting.chain(unused).map(|row| row.map(|cell| visible(cell, LineEnds::One).into_owned())).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0).min(60);
    let (first, second, third) = (width(0), width(1), width(2));
    let mut text: String = rows
        .iter()
        .map(|[test, key, state, file]| format!("{test:first$}  {key:second$}  {state:third$}  {file}\n"))
        .collect();
    let (waiting, unused) = (stock.waiting.len(), stock.unused.len());
    let wait = plural(waiting, "waits", "wait");
    text.push_str(&match (waiting, unused) {
        (0, 0) => "no snapshot waits for approval\n".to_owned(),
        (_, 0) => format!("{} {wait} for approval: flowproof snapshot review\n", counted(waiting)),
        (0, _) => format!("no test asks for {}: flowproof snapshot prune\n", counted(unused)),
        (_, _) => format!(
            "{} {wait} for approval: flowproof snapshot review\nno test asks for {}: flowproof snapshot prune\n",
            counted(waiting),
            counted(unused)
        ),
    });
    text
}

fn as_json(stock: &SnapshotList) -> String {
    let waiting: Vec<_> = stock
        .waiting
        .iter()
        .map(|waits| {
            json!({
                "test": waits.case, "key": waits.key, "state": state(waits), "file": waits.shown,
                "approved": waits.approved, "found": waits.found,
            })
        })
        .collect();
    let unused: Vec<_> = stock
        .unused
        .iter()
        .map(|unused| json!({ "test": unused.test, "key": unused.key, "file": unused.shown }))
        .collect();
    let whole = json!({ "waiting": waiting, "unused": unused });
    let mut text = serde_json::to_string_pretty(&whole).expect("a value of JSON can be written");
    text.push('\n');
    text
}

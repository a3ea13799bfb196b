//! The flags of `flowproof run`: the options of the run, and what only this door does with it.

use std::path::PathBuf;

use clap::Args;

use crate::cli::option_flags::{AllOptions, OptionFlags};
use crate::dify::cassette::Mode;
use crate::record::event::RunOptions;

/// `flowproof run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// What is run, and how.
    #[command(flatten)]
    pub flags: OptionFlags<AllOptions>,
    /// Print what would be sent, and what earlier runs say it will use; send and write nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Also write the report to this file; the kind comes from its ending (.xml, .json, .html, .md, .tap, .csv).
    #[arg(short, long = "output", value_name = "FILE")]
    pub output: Vec<PathBuf>,
    /// Show the assertions that held, too.
    #[arg(short, long)]
    pub verbose: bool,
    /// Show failures and totals only.
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
}

impl RunArgs {
    /// The options of the run; an error names the flags that contradict each other.
    pub fn options(&self) -> Result<RunOptions, String> {
        let options = &self.flags.options;
        if options.record == Some(Mode::All) && options.replay.is_some() {
            return Err("--record all sends everything, --replay nothing: name one of them".to_owned());
        }
        Ok(options.clone())
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::args::{Command, CommandLine};
    use crate::record::event::ShuffleSeed;

    fn options(words: &[&str]) -> Result<RunOptions, String> {
        let line = ["flowproof", "run"].iter().chain(words);
        match CommandLine::try_parse_from(line).map_err(|error| error.to_string())?.command {
            Command::Run(args) => args.options(),
            other => panic!("not `run`: {other:?}"),
        }
    }

    #[test]
    fn a_path_after_shuffle_is_a_path() {
        let shuffled = |words: &[&str]| {
            let options = options(words).unwrap();
            (options.paths, options.shuffle)
        };
        let in_order_of = |seed| vec![(vec![PathBuf::from("a")], Some(seed))];
        assert_eq!(vec![shuffled(&["--shuffle", "a"])], in_order_of(ShuffleSeed::OfRun));
        assert_eq!(vec![shuffled(&["--shuffle=7", "a"])], in_order_of(ShuffleSeed::Given(7)));
        assert_eq!(vec![shuffled(&["a", "--shuffle"])], in_order_of(ShuffleSeed::OfRun));
    }

    #[test]
    fn each_flag_fills_its_option() {
        let found = options(&[
            "suites/a.yaml",
            "-f",
            "one",
            "--filter",
            "two",
            "--tag",
            "smoke",
            "-j",
            "8",
            "--rate",
            "5/s",
            "--retries",
            "2",
            "--budget-cost",
            "1USD",
            "--budget-cost",
            "2EUR",
            "--fail-fast",
            "--no-tests",
            "warn",
            "--reports",
            "out",
            "--record",
            "new-episodes",
            "--shard",
            "2/4",
            "--replay",
        ])
        .unwrap();
        assert_eq!(found.filters, ["one", "two"]);
        assert_eq!(
            (found.concurrency, found.retries, found.fail_fast, found.exact),
            (Some(8), Some(2), true, false)
        );
        assert_eq!(
            (found.tags.len(), found.budget_cost.len(), found.record),
            (1, 2, Some(Mode::NewEpisodes))
        );
        assert_eq!(found.reports, Some(PathBuf::from("out")));
    }

    #[test]
    fn what_contradicts_or_cannot_be_read_names_its_flag() {
        for (words, says) in [
            (&["--retries", "many"][..], "--retries"),
            (&["--concurrency", "0"], "0 is not in 1..=4096"),
            (&["--fail-fast", "--max-fail", "2"], "--fail-fast"),
            (&["--resume", "latest", "--sample", "2"], "--sample"),
            (&["--shard-by", "latest"], "--shard"),
            (
                &["--budget-cost", "1USD", "--budget-cost", "2USD"],
                "--budget-cost: there are two amounts in USD",
            ),
            (&["--record", "all", "--replay"], "name one of them"),
            (&["--shuffle=x"], "is not a seed"),
        ] {
            let error = options(words).unwrap_err();
            assert!(error.contains(says), "{words:?}: {error}");
        }
    }
}

//! The flags of `flowproof compare`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::app::reports::fence_of_named;
use crate::app::settings::Settings;
use crate::base::repeat::RepeatRange;
use crate::base::similarity::Likeness;
use crate::cli::option_flags::{OptionFlags, SelectionOptions};
use crate::cli::outputs;
use crate::record::event::RunOptions;
use crate::report::compare::{ComparisonDocument, WantedDocument};
use crate::suite::read_compare::{
    BoundSpec, CompareSpec, MEASURES, MostTests, measure_named, parse_alpha, parse_likeness, parse_most,
    parse_worse_by,
};

/// The seed of everything drawn, where none is named: the same two runs give the same answer.
const SEED: u64 = 20_261_124;

/// `flowproof compare`.
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// The first side: a finished run (`latest`, an id, a folder, a file), or a target to run now, as TARGET or TARGET@WORKFLOW_ID.
    #[arg(value_name = "A")]
    pub a: String,
    /// The second side: what is judged against the first.
    #[arg(value_name = "B")]
    pub b: String,
    /// Which tests of live sides.
    #[command(flatten)]
    pub selection: OptionFlags<SelectionOptions>,
    /// Live sides: run each test so often on each side; repeats distinguish a change from noise.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub repeat: Option<u32>,
    /// Live sides: attempts at once on each side.
    #[arg(short = 'j', long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub concurrency: Option<u32>,
    /// Live sides: which profile of the project file.
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Fail when a measure is worse by more than this, such as `tokens=10%`; of pass_rate, tokens, cost, latency, ttft; repeatable.
    #[arg(long, value_name = "MEASURE=SHARE", value_parser = parse_bound)]
    pub worse_by: Vec<BoundSpec>,
    /// The chance of a false alarm that is accepted, over all gates [default: the project's, else 0.05].
    #[arg(long, value_name = "P", value_parser = parse_alpha)]
    pub alpha: Option<f64>,
    /// Fail when more tests than this changed: a number, or a share such as `5%`.
    #[arg(long, value_name = "N", value_parser = parse_most)]
    pub max_changed: Option<MostTests>,
    /// Fail when the outputs of a test are less alike than this, such as `80%`.
    #[arg(long, value_name = "SHARE", value_parser = parse_likeness)]
    pub min_similarity: Option<Likeness>,
    /// The seed of everything drawn: the order of live sides, and chance itself.
    #[arg(long, value_name = "S")]
    pub seed: Option<u64>,
    /// What is printed.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: CompareFormat,
    /// Also write the comparison to this file; the kind comes from its ending (.md, .json, .html); repeatable.
    #[arg(short, long = "output", value_name = "FILE")]
    pub output: Vec<PathBuf>,
    /// Folder of the reports, where runs are looked for [default: the project's, else `reports`].
    #[arg(long, value_name = "DIR")]
    pub reports: Option<PathBuf>,
}

/// What is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CompareFormat {
    /// For people.
    Text,
    /// `compare.md`.
    Markdown,
    /// `compare.json`.
    Json,
}

impl CompareArgs {
    /// The documents asked for.
    pub fn files(&self, settings: &Settings) -> Result<Vec<WantedDocument>, String> {
        let wanted = |path: &PathBuf| {
            let document = ComparisonDocument::of(path)?;
            outputs::check_place(path, settings)?;
            Ok(WantedDocument { document, path: path.clone(), fence: fence_of_named(settings, path) })
        };
        self.output.iter().map(wanted).collect()
    }

    /// The seed of everything drawn.
    pub fn seed(&self) -> u64 {
        self.seed.unwrap_or(SEED)
    }

    /// What a live side runs.
    pub fn options(&self, target: &str, version: Option<&str>) -> RunOptions {
        RunOptions {
            target: Some(target.to_owned()),
            workflow_id: version.map(str::to_owned),
            profile: self.profile.clone(),
            concurrency: self.concurrency,
            repeat: self.repeat.map(RepeatRange::Fixed),
            seed: Some(self.seed()),
            reports: self.reports.clone(),
            ..self.selection.options.clone()
        }
    }

    /// Refuses what only live sides can do: finished runs have run already.
    pub fn refuse_live_flags(&self) -> Result<(), String> {
        let set = [
            ("--repeat", self.repeat.is_some()),
            ("--concurrency", self.concurrency.is_some()),
            ("--profile", self.profile.is_some()),
        ];
        let own = set.iter().filter(|(_, is_set)| *is_set).map(|(flag, _)| *flag);
        match self.selection.given.iter().map(String::as_str).chain(own).next() {
            Some(flag) => Err(format!("{flag} is for live sides: both of these have finished")),
            None => Ok(()),
        }
    }

    /// The gates of the project, those of the command line in their place.
    pub fn gates(&self, mut spec: CompareSpec) -> CompareSpec {
        for bound in &self.worse_by {
            let alpha = spec
                .bounds
                .iter()
                .find(|written| written.measure == bound.measure)
                .and_then(|written| written.alpha);
            spec.bounds.retain(|written| written.measure != bound.measure);
            spec.bounds.push(BoundSpec { alpha, ..bound.clone() });
        }
        if self.alpha.is_some() {
            spec.bounds.iter_mut().for_each(|bound| bound.alpha = self.alpha);
        }
        CompareSpec {
            max_changed: self.max_changed.or(spec.max_changed),
            min_similarity: self.min_similarity.or(spec.min_similarity),
            ..spec
        }
    }
}

/// Reads `tokens=10%`.
fn parse_bound(text: &str) -> Result<BoundSpec, String> {
    let (name, share) =
        text.split_once('=').ok_or_else(|| format!("`{text}` names no share: write `tokens=10%`"))?;
    let measure = measure_named(name)
        .ok_or_else(|| format!("`{name}` is no measure: one of {}", MEASURES.join(", ")))?;
    Ok(BoundSpec { measure, worse_by: parse_worse_by(measure, share)?, alpha: None })
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use rust_decimal::Decimal;

    use super::*;
    use crate::cli::args::{Command, CommandLine};

    fn args(words: &[&str]) -> Result<CompareArgs, String> {
        let line = ["flowproof", "compare", "a", "b"].iter().chain(words);
        match CommandLine::try_parse_from(line).map_err(|error| error.to_string())?.command {
            Command::Compare(args) => Ok(*args),
            other => panic!("not `compare`: {other:?}"),
        }
    }

    #[test]
    fn the_command_line_stands_above_the_project() {
        let written = |measure, alpha| BoundSpec { measure, worse_by: Decimal::new(5, 1), alpha };
        let project = CompareSpec {
            bounds: vec![written("tokens", Some(0.01)), written("cost", None)],
            max_changed: Some(MostTests::Tests(3)),
            min_similarity: None,
        };
        let spec = args(&["--worse-by", "tokens=10%"]).unwrap().gates(project.clone());
        assert_eq!(spec.bounds[0], written("cost", None));
        assert_eq!(
            spec.bounds[1],
            BoundSpec { measure: "tokens", worse_by: Decimal::new(1, 1), alpha: Some(0.01) }
        );
        assert_eq!(spec.max_changed, Some(MostTests::Tests(3)));
        let spec = args(&["--alpha", "0.1", "--max-changed", "0"]).unwrap().gates(project);
        assert!(spec.bounds.iter().all(|bound| bound.alpha == Some(0.1)));
        assert_eq!(spec.max_changed, Some(MostTests::Tests(0)));
    }

    #[test]
    fn a_gate_that_cannot_be_read_is_refused() {
        for words in [
            ["--worse-by", "tokens"],
            ["--worse-by", "token=10%"],
            ["--worse-by", "tokens=ten"],
            ["--max-changed", "0.1"],
            ["--min-similarity", "2"],
            ["--alpha", "0.9"],
            ["--worse-by", "pass_rate=100%"],
            ["--max-changed", "100%"],
            ["--min-similarity", "0"],
        ] {
            assert!(args(&words).is_err(), "{words:?}");
        }
    }
}

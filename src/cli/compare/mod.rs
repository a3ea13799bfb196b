//! `flowproof compare`: what changed between two runs, or two live sides, and whether it matters.

mod args;
mod live;
mod sides;

use std::path::{Path, PathBuf};

use crate::app::runs::ReportsFolder;
use crate::app::settings::Settings;
use crate::base::files::{self, Fence, parent_of};
use crate::cli::exit::Exit;
use crate::cli::say;
use crate::record::compare::{CompareGates, CompareVerdict, RunComparison};
use crate::record::thresholds::RunConclusion;
use crate::report::append_summary;
use crate::report::compare::{self as documents, ComparisonDocument, ComparisonEnd, WantedDocument};
use crate::report::format_words;
use crate::report::terminal::ink_of_stdout;
use crate::suite::load::load_alone;

pub use args::CompareArgs;
use args::CompareFormat;
use live::ComparedRecords;

/// Compares two sides and says which gate decided.
pub fn compare(args: &CompareArgs, settings: &Settings) -> Exit {
    let files = match args.files(settings) {
        Ok(files) => files,
        Err(message) => return say::failure(&message, Exit::Usage),
    };
    let (project, problems) = load_alone(&settings.working_dir, &format_words());
    if !problems.is_empty() {
        say::problems(&problems);
        return Exit::Usage;
    }
    let written = project.as_ref().map(|project| project.compare.clone()).unwrap_or_default();
    let gates = CompareGates::of(&args.gates(written));
    if args.alpha.is_some() && gates.bounds.is_empty() {
        let message =
            "--alpha is for gates of measures, and none is set: add one, such as --worse-by tokens=10%";
        return say::failure(message, Exit::Usage);
    }
    let runs = match ReportsFolder::of(settings, args.reports.as_deref()) {
        Ok(runs) => runs,
        Err(message) => return say::failure(&message, Exit::Usage),
    };
    let folder = runs.reports.join("compare");
    if let Err(error) = documents::check_folder(&folder) {
        return say::failure(&error.to_string(), Exit::Usage);
    }
    let sides = match sides::read(args, settings, project.as_ref(), &runs) {
        Ok(sides) => sides,
        Err(exit) => return exit,
    };
    let output = CompareOutput { files, folder, step_summary: settings.step_summary.clone() };
    match conclude(&sides, &gates, args, output) {
        Ok(exit) => exit,
        Err(message) => say::failure(&message, Exit::Unusable),
    }
}

/// Where documents go.
struct CompareOutput {
    /// Those that were asked for.
    files: Vec<WantedDocument>,
    /// The folder of the newest comparison.
    folder: PathBuf,
    /// The file that GitHub shows as the summary of the job.
    step_summary: Option<PathBuf>,
}

fn conclude(
    sides: &ComparedRecords,
    gates: &CompareGates,
    args: &CompareArgs,
    output: CompareOutput,
) -> Result<Exit, String> {
    let compared =
        RunComparison::of(&sides.a, &sides.b, gates, args.seed()).map_err(|error| error.to_string())?;
    let ruling = compared.ruling();
    let exit = exit_of(ruling.verdict);
    let fence = Fence::around(parent_of(&output.folder));
    let usual = ComparisonDocument::ALL.map(|(document, name)| {
        let (path, fence) = (output.folder.join(name), fence.clone());
        WantedDocument { document, path, fence }
    });
    let files: Vec<WantedDocument> = usual.into_iter().chain(output.files).collect();
    let folder = output.folder.display().to_string();
    let end = ComparisonEnd { code: exit.code(), reports: Some(&folder) };
    let written = documents::write((&compared, &ruling), &files, &end, ink_of_stdout())
        .map_err(|error| error.to_string())?;
    let again = |name: &str| {
        let document = files::open(&output.folder.join(name), &fence);
        document.map(say::document).map_err(|error| format!("the report cannot be read again: {error}"))
    };
    if let Some(path) = &output.step_summary {
        add_summary(&output.folder.join("compare.md"), path);
    }
    match args.format {
        CompareFormat::Text if written.standard.is_empty() => {
            say::bytes(written.text.as_bytes());
        }
        // A document that was asked for there is not mixed with another text.
        CompareFormat::Text => {
            for document in written.standard {
                say::document(document);
            }
        }
        CompareFormat::Markdown => {
            again("compare.md")?;
        }
        CompareFormat::Json => {
            again("compare.json")?;
        }
    }
    Ok(exit)
}

/// The largest summary that is read again.
const LARGEST_SUMMARY: u64 = 16 << 20;

/// Adds the comparison to the summary of GitHub's job; that it cannot be is reported and changes no verdict.
fn add_summary(comment: &Path, path: &Path) {
    let text = files::read(comment, &Fence::around(parent_of(comment)), LARGEST_SUMMARY);
    let text = text.map(|text| String::from_utf8_lossy(&text).into_owned());
    let added = text
        .map_err(|error| error.to_string())
        .and_then(|text| append_summary(&text, path).map_err(|error| error.to_string()));
    if let Err(message) = added {
        say::note(&format!("note: the summary of the job was not written: {message}"));
    }
}

/// The exit code of what a comparison comes to.
fn exit_of(verdict: CompareVerdict) -> Exit {
    match verdict {
        CompareVerdict::NothingInCommon => RunConclusion::NoTests.into(),
        CompareVerdict::Unjudged => Exit::Unusable,
        CompareVerdict::Unfinished => RunConclusion::Unfinished.into(),
        CompareVerdict::Errored | CompareVerdict::Regressed => RunConclusion::Red.into(),
        CompareVerdict::Gate => RunConclusion::Gate.into(),
        CompareVerdict::OverBudget => RunConclusion::OverBudget.into(),
        CompareVerdict::Undecided => RunConclusion::Inconclusive.into(),
        CompareVerdict::Holds => Exit::Success,
    }
}

//! The two sides of a comparison: a finished run is read, a target is run now; two targets run next to each other.

use crate::app::runs::ReportsFolder;
use crate::app::settings::Settings;
use crate::cli::compare::args::CompareArgs;
use crate::cli::compare::live::{self, ComparedRecords, OpenedSide, OpenedSides};
use crate::cli::exit::Exit;
use crate::cli::report;
use crate::cli::say;
use crate::suite::project::ProjectSpec;

/// What a side is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum CompareSide {
    /// A run that was recorded.
    Finished(String),
    /// A target to run now, and the version of its workflow.
    Live { target: String, version: Option<String> },
}

/// The records of both sides; live ones are run first.
pub(super) fn read(
    args: &CompareArgs,
    settings: &Settings,
    project: Option<&ProjectSpec>,
    runs: &ReportsFolder,
) -> Result<ComparedRecords, Exit> {
    let targets: Vec<&str> = project
        .iter()
        .flat_map(|project| &project.targets)
        .map(|target| target.name.value.as_str())
        .collect();
    let usage = |message: String| say::failure(&message, Exit::Usage);
    let a = side(&args.a, &targets).map_err(usage)?;
    let b = side(&args.b, &targets).map_err(usage)?;
    let is_live = |side: &CompareSide| matches!(side, CompareSide::Live { .. });
    if !is_live(&a) && !is_live(&b) {
        args.refuse_live_flags().map_err(usage)?;
    } else if settings.names("record") {
        return Err(usage(String::from("compare records no cassettes: unset FLOWPROOF_RECORD")));
    }
    let finished =
        |name: &str| report::read(name, runs).map_err(|message| usage(unknown(&message, &targets)));
    match (&a, &b) {
        (CompareSide::Finished(a), CompareSide::Finished(b)) => {
            Ok(ComparedRecords { a: finished(a)?, b: finished(b)? })
        }
        (CompareSide::Live { .. }, CompareSide::Finished(b)) => {
            let b = finished(b)?;
            Ok(ComparedRecords { a: live::run_one(open(&a, args, settings)?, "A")?, b })
        }
        (CompareSide::Finished(a), CompareSide::Live { .. }) => {
            let a = finished(a)?;
            Ok(ComparedRecords { a, b: live::run_one(open(&b, args, settings)?, "B")? })
        }
        (CompareSide::Live { target: one, .. }, CompareSide::Live { target: other, .. }) => {
            let is_shared = one == other;
            let mut sides = OpenedSides { a: open(&a, args, settings)?, b: open(&b, args, settings)? };
            if is_shared {
                live::share_rate(&mut sides);
            }
            live::run_two(sides, args.seed())
        }
    }
}

fn open(side: &CompareSide, args: &CompareArgs, settings: &Settings) -> Result<OpenedSide, Exit> {
    match side {
        CompareSide::Live { target, version } => {
            live::open(&args.options(target, version.as_deref()), settings)
        }
        CompareSide::Finished(name) => Err(say::failure(&format!("`{name}` is not a target"), Exit::Usage)),
    }
}

/// A name of a target, perhaps with `@` and a version, is that target; any other names a run.
fn side(text: &str, targets: &[&str]) -> Result<CompareSide, String> {
    let is_target = |name: &str| name == "mock" || targets.contains(&name);
    let live = |target: &str, version: Option<&str>| CompareSide::Live {
        target: target.to_owned(),
        version: version.map(str::to_owned),
    };
    match text.split_once('@') {
        Some(("mock", _)) => {
            Err(String::from("the mock has no versions: `mock` alone is every test's `mock:` answer"))
        }
        Some((target, "")) if is_target(target) => Err(format!(
            "`{text}` names no version: write {target}@WORKFLOW_ID, or {target} for the one that is published"
        )),
        Some((target, version)) if is_target(target) => Ok(live(target, Some(version))),
        Some(_) | None if is_target(text) => Ok(live(text, None)),
        Some(_) | None => Ok(CompareSide::Finished(text.to_owned())),
    }
}

/// Says that a name is no target either.
fn unknown(message: &str, targets: &[&str]) -> String {
    let known: Vec<&str> = targets.iter().copied().chain(["mock"]).collect();
    format!("{message}; it names no target either: there are {}", known.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_side_is_a_target_or_a_run() {
        let side = |text| side(text, &["staging", "a@b"]);
        let live = |target: &str, version: Option<&str>| {
            Ok(CompareSide::Live { target: target.to_owned(), version: version.map(str::to_owned) })
        };
        assert_eq!(side("staging"), live("staging", None));
        assert_eq!(side("staging@wf-1"), live("staging", Some("wf-1")));
        assert_eq!(side("mock"), live("mock", None));
        assert_eq!(side("a@b"), live("a@b", None));
        for run in ["latest", "./staging", "x@y.jsonl", "20261124T081530Z-abcdef"] {
            assert_eq!(side(run), Ok(CompareSide::Finished(run.to_owned())));
        }
        assert!(side("staging@").unwrap_err().contains("names no version"));
        assert!(side("mock@wf").unwrap_err().contains("no versions"));
    }
}

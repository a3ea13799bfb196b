//! How often a test runs, as meant: the flag, the test, its suite's defaults and the profile in one, and plans that cannot
//! decide refused.

use crate::base::repeat::RepeatRange;
use crate::plan::case::Plan;
use crate::plan::choices::Choices;
use crate::plan::suite_context::SuiteContext;
use crate::record::verdict::{RepeatRule, Undecided};
use crate::suite::spec::{InconclusiveSpec, RunSpec, TestSpec};
use crate::yaml::node::FilePosition;
use crate::yaml::reader::{Located, Reader};

/// How sure a test is that says nothing of it.
const CONFIDENCE: f64 = 0.95;

/// How far `fail_below` lies under `pass_rate` where it is not written.
const APART: f64 = 0.2;

/// The repeats of a test; a plan of the files that cannot decide is noted in the reader.
pub(super) fn repeats_of(
    reader: &mut Reader<'_>,
    test: &TestSpec,
    inherited: &RunSpec,
    context: &SuiteContext<'_>,
) -> RepeatRule {
    let own = &test.run;
    let chosen = context.choices.options.repeat.map(|times| Located { value: times, mark: test.name.mark });
    let written = own.repeat.or(inherited.repeat);
    let profile = context.profile.and_then(|profile| profile.repeat);
    let profile = profile.map(|times| Located { value: times, mark: test.name.mark });
    let times = chosen.or(written).or(profile);
    let pass_rate = own.pass_rate.or(inherited.pass_rate);
    let fail_below = own.fail_below.or(inherited.fail_below);
    let rate = pass_rate.map_or(1.0, |rate| rate.value);
    let repeats = RepeatRule {
        times: times.map_or(RepeatRange::Fixed(1), |times| times.value),
        pass_rate: rate,
        fail_below: fail_below.map_or_else(|| apart(rate), |rate| rate.value),
        confidence: own.confidence.or(inherited.confidence).map_or(CONFIDENCE, |share| share.value),
        undecided: match own.on_inconclusive.or(inherited.on_inconclusive) {
            Some(InconclusiveSpec::Warn) => Undecided::Tolerated,
            Some(InconclusiveSpec::Fail) | None => Undecided::Red,
        },
    };
    // What the flag asks for is refused once, not at every test.
    if let Some(times) = times.filter(|_| chosen.is_none()) {
        let rates = (pass_rate.map(|rate| rate.mark), fail_below.map(|rate| rate.mark));
        let profile = context.profile.filter(|_| written.is_none()).map(|profile| &*profile.name.value);
        note_undecidable(reader, &repeats, (times.mark, rates), profile);
    }
    repeats
}

/// `pass_rate` less what both are apart, without what subtraction adds: 0.7, not 0.7000000000000001.
fn apart(pass_rate: f64) -> f64 {
    ((pass_rate - APART) * 1e9).round() / 1e9
}

/// Where the parts of a plan are written: `repeat`, and of the rates those that are.
type Marks = (FilePosition, (Option<FilePosition>, Option<FilePosition>));

fn note_undecidable(
    reader: &mut Reader<'_>,
    repeats: &RepeatRule,
    (at, (pass_rate, fail_below)): Marks,
    profile: Option<&str>,
) {
    let Some(reason) = undecidable(repeats) else { return };
    let mark = match reason {
        Undecidable::Rates(..) => fail_below.or(pass_rate).unwrap_or(at),
        Undecidable::Unset(_) => pass_rate.unwrap_or(at),
        Undecidable::TooFew { .. } => at,
    };
    let help = match profile {
        Some(name) => format!("{}; `repeat` comes from the profile `{name}`", reason.help()),
        None => reason.help(),
    };
    reader.problem_with_help(mark, reason.to_string(), help);
}

/// Why a sequential test can never decide.
#[derive(Debug, thiserror::Error)]
enum Undecidable {
    /// The rates leave nothing between them.
    #[error("`fail_below`, {0}, must be less than `pass_rate`, {1}")]
    Rates(f64, f64),
    /// There is no room below the rate for the built-in distance.
    #[error("a `pass_rate` of {0} leaves no room for the built-in `fail_below`, which lies 0.2 below it")]
    Unset(f64),
    /// This many repeats are too few, whatever they show.
    #[error(
        "{max} repeats can never decide between a rate of {pass_rate} and one of {fail_below} at a confidence of {confidence}"
    )]
    TooFew { max: u32, needed: u32, pass_rate: f64, fail_below: f64, confidence: f64 },
}

impl Undecidable {
    fn help(&self) -> String {
        match self {
            Self::Rates(..) => "the test must distinguish a good rate from a bad one".to_owned(),
            Self::Unset(_) => "write `fail_below`: the rate at which the test fails".to_owned(),
            Self::TooFew { needed, .. } => {
                format!("`max` must be at least {needed}, or the rates further apart")
            }
        }
    }
}

fn undecidable(repeats: &RepeatRule) -> Option<Undecidable> {
    let RepeatRule { times, pass_rate, fail_below, confidence, .. } = *repeats;
    let RepeatRange::Until { max, .. } = times else { return None };
    if fail_below <= 0.0 {
        Some(Undecidable::Unset(pass_rate))
    } else if fail_below >= pass_rate {
        Some(Undecidable::Rates(fail_below, pass_rate))
    } else {
        let needed = repeats.needs()?;
        Some(Undecidable::TooFew { max, needed, pass_rate, fail_below, confidence })
    }
}

/// Why the number of repeats that the command line or the environment asks for cannot decide a selected test.
pub fn refused_choice(plan: &Plan, choices: &Choices) -> Option<String> {
    let times = choices.options.repeat?;
    let refused = plan.cases.iter().find_map(|case| Some((case, undecidable(&case.test.repeats)?)));
    let (case, reason) = refused?;
    Some(format!("--repeat {times}: {reason} ({}); {}", case.name, reason.help()))
}

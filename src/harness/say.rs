//! What this door prints or gives to libtest to print: text that commands no build server.

use std::io::Write;

use libtest_mimic::{Arguments, Completion, Trial};

use crate::app::settings::Settings;
use crate::base::visible::{LineEnds, harmless, visible};
use crate::plan::case::Case;

/// The name that libtest prints; nextest, which prints names itself, gives back the one that it was given.
pub(super) fn trial_name(case: &Case, settings: &Settings) -> String {
    match settings.nextest {
        Some(_) => case.name.to_string(),
        None => harmless(&case.name).into_owned(),
    }
}

/// Whether libtest runs or ignores the case, and does not pass it over.
pub(super) fn is_selected(arguments: &Arguments, case: &Case, settings: &Settings) -> bool {
    let trial = Trial::test(trial_name(case, settings), || Ok(())).with_ignored_flag(case.skip.is_some());
    !arguments.is_filtered_out(&trial)
}

/// What libtest is given for a test that was not judged.
pub(super) fn ignored(reason: &str) -> Completion {
    Completion::ignored_with(harmless(reason))
}

/// Writes a line on standard error that commands no build server; nobody is left to be reported where that cannot be written.
pub(super) fn tell(text: &str) {
    let _ = writeln!(std::io::stderr(), "{}", harmless(&visible(text, LineEnds::Kept)));
}

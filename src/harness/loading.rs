//! Trials that can only fail: what could not be loaded.

use std::sync::Arc;

use libtest_mimic::{Failed, Trial};

use crate::base::visible::harmless;
use crate::yaml::problem::Problem;
use crate::yaml::render::{ProblemStyle, render};

/// A trial that can only fail.
pub(super) fn failing(name: &str, message: String) -> Trial {
    Trial::test(harmless(name), move || Err(Failed::from(harmless(&message))))
}

/// One failing trial a file with problems, so that listing never fails and no other suite is held up.
///
/// Problems that belong to no suite, such as the project file's, fail a trial of their own.
pub(super) fn loading(problems: &[Problem], unsound: &[Arc<str>]) -> Vec<Trial> {
    let text = |concerned: &dyn Fn(&Problem) -> bool| {
        let found: Vec<Problem> = problems.iter().filter(|problem| concerned(problem)).cloned().collect();
        (!found.is_empty()).then(|| render(&found, ProblemStyle::Plain))
    };
    let suites = unsound.iter().map(|file| {
        let message = text(&|problem| problem.concerns(file));
        failing(&format!("{file}::loads"), message.unwrap_or_else(|| format!("{file} cannot be loaded")))
    });
    let rest = text(&|problem| !unsound.iter().any(|file| problem.concerns(file)));
    suites.chain(rest.map(|message| failing("flowproof::project", message))).collect()
}

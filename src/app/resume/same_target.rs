//! Whether a plan is of the target that a run was of: a record has one.

use crate::app::opened::OpenFailure;
use crate::base::digest::Digest;
use crate::dify::cassette::Mode;
use crate::plan::case::Plan;
use crate::record::event::RunStart;

/// A record speaks of one target: another one needs another run.
pub(super) fn fits(plan: &Plan, now: &RunStart, then: &RunStart) -> Result<(), OpenFailure> {
    let run = &then.run;
    let other = |what: &str, was: &str, is: &str, flag: &str| {
        Err(OpenFailure::Usage(format!(
            "the run {run} was of the {what} `{was}`, and this would be of `{is}`: name {flag} {was}, or start a new run"
        )))
    };
    if now.target != then.target {
        return other("target", &then.target, &now.target, "--target");
    }
    if now.profile != then.profile {
        return other("profile", &then.profile, &now.profile, "--profile");
    }
    let differs = |one: Digest, two: Digest| one != two && !one.is_none() && !two.is_none();
    if now.mock != then.mock || differs(now.address, then.address) {
        return Err(OpenFailure::Usage(format!(
            "the target `{}` has another address or pins another version than when the run {run} began: start a new run",
            plan.target.name
        )));
    }
    if now.cassettes != then.cassettes {
        return Err(OpenFailure::Usage(format!(
            "the run {run} {}: a record holds one kind of answers; start a new run",
            match then.cassettes {
                Some(Mode::None) => "replayed recorded exchanges, and this would not: add --replay",
                Some(_) => "recorded exchanges in another way: leave --record and --replay out",
                None => "replayed nothing, and this would: leave --replay and --record out",
            }
        )));
    }
    Ok(())
}

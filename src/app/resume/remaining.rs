//! What is left of a run that is taken up: each test of the plan compared with what is recorded of it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::app::facts::planned;
use crate::app::opened::OpenFailure;
use crate::base::digest::Digest;
use crate::base::plural::counted;
use crate::plan::case::{Case, Plan};
use crate::plan::select::is_wanted;
use crate::record::event::{ContinuationReason, PlannedCase, RunOptions};
use crate::record::journal::{Roster, RunRecord};

/// What is left of a run.
#[derive(Debug, Default)]
pub(super) struct RemainingTests {
    /// Tests that are to be planned: new ones and changed ones.
    pub planned: Vec<PlannedCase>,
    /// Those that finished and have changed since.
    pub changed: Vec<Arc<str>>,
    /// Those that the run did not know.
    pub new: Vec<Arc<str>>,
    /// Those that it knew and that are in no suite any more.
    pub gone: Vec<GoneTest>,
    /// Those that were red and are run again.
    pub red: usize,
    /// Those that had not finished.
    pub open: usize,
    /// Those that have no whole result, and are not run now either.
    pub postponed: usize,
    /// New ones that are left out, because the run was a sample or a shard.
    pub not_drawn: usize,
    /// How many are run now.
    pub runs: usize,
    /// Those that keep their result, with the app they tested.
    pub finished: HashMap<Digest, Arc<str>>,
    /// True where the run was a sample or a shard, so that new tests are not its own.
    drawn: bool,
}

/// A test of the record that no suite has any more.
#[derive(Debug)]
pub(super) struct GoneTest {
    /// Which it was.
    pub key: Digest,
    /// Its full name.
    pub name: Arc<str>,
}

/// What becomes of a test of the plan.
enum ResumedTest {
    /// It keeps its result.
    Keeps,
    /// The run did not know it.
    New,
    /// It is run.
    Runs,
    /// It is run once it was planned anew; the reason is noted.
    Planned,
}

impl RemainingTests {
    /// What is gone of the tests of the record; a run none of whose tests is left belongs to another project.
    pub fn check(plan: &Plan, record: &RunRecord, roster: &Roster) -> Result<Self, OpenFailure> {
        let gone = gone(plan, roster);
        if !roster.planned.is_empty() && gone.len() == roster.planned.len() {
            return Err(OpenFailure::Usage(format!(
                "none of the {} of the run {} is in these suites: it belongs to another project; \
                 run this in its folder, or start a new run",
                counted(roster.planned.len(), "test"),
                record.start.run
            )));
        }
        let drawn = record.start.shard.is_some()
            || record.start.asked.as_ref().is_some_and(|asked| asked.sample.is_some());
        Ok(Self { gone, drawn, ..Self::default() })
    }

    /// Leaves in the plan what is to be run; the flags choose among it.
    pub fn take_from(
        &mut self,
        plan: &mut Plan,
        roster: &Roster,
        how: ContinuationReason,
        flags: &RunOptions,
    ) {
        let mut cases = std::mem::take(&mut plan.cases);
        cases.retain(|case| {
            let wanted = is_wanted(flags, &case.name, case.test.tags.iter().map(|tag| &**tag));
            let turn = self.turn(case, roster, how);
            match turn {
                ResumedTest::Keeps => {
                    self.finished.insert(case.key, case.test.app.clone());
                    return false;
                }
                ResumedTest::New if self.drawn => {
                    self.not_drawn += 1;
                    return false;
                }
                ResumedTest::New if !wanted => return false,
                ResumedTest::New => self.new.push(case.name.clone()),
                ResumedTest::Runs | ResumedTest::Planned => {}
            }
            if let ResumedTest::New | ResumedTest::Planned = turn {
                self.planned.extend(planned([case]));
            }
            self.postponed += usize::from(!wanted);
            wanted
        });
        (0..).zip(&mut cases).for_each(|(ordinal, case)| case.ordinal = ordinal);
        self.runs = cases.len();
        plan.cases = cases;
    }

    fn turn(&mut self, case: &Case, roster: &Roster, how: ContinuationReason) -> ResumedTest {
        let is_other = |print: Digest| print != case.print;
        match (roster.results.get(&case.key), roster.planned.get(&case.key)) {
            (Some(result), _) if is_other(result.print) => {
                self.changed.push(case.name.clone());
                ResumedTest::Planned
            }
            (Some(result), _) if how == ContinuationReason::Rerun && result.verdict.is_red() => {
                self.red += 1;
                ResumedTest::Runs
            }
            (Some(_), _) => ResumedTest::Keeps,
            (None, Some(listed)) => {
                self.open += 1;
                if is_other(listed.print) { ResumedTest::Planned } else { ResumedTest::Runs }
            }
            (None, None) => ResumedTest::New,
        }
    }
}

/// Tests of the record that no suite has any more; those that were only not selected are not gone.
fn gone(plan: &Plan, roster: &Roster) -> Vec<GoneTest> {
    let there: HashSet<Digest> =
        plan.cases.iter().map(|case| case.key).chain(plan.left_out.iter().copied()).collect();
    let gone = roster.planned.iter().filter(|(key, _)| !there.contains(key));
    let mut gone: Vec<GoneTest> =
        gone.map(|(key, listed)| GoneTest { key: *key, name: listed.name.clone() }).collect();
    gone.sort_by(|one, other| one.name.cmp(&other.name));
    gone
}

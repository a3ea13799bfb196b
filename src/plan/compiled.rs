//! What compiling comes to.

use std::sync::Arc;

use crate::plan::case::Plan;
use crate::plan::target_error::TargetError;
use crate::yaml::problem::Problem;

/// A plan, and everything that is wrong.
pub struct CompiledPlan {
    /// What can run: the tests of all suites without problems. None where the target cannot be chosen.
    pub plan: Option<Plan>,
    /// Everything wrong in files, those of loading included; `run` sends nothing before all is fixed.
    pub problems: Vec<Problem>,
    /// Why the target cannot be used; `run` exits with 3.
    pub target_errors: Vec<TargetError>,
    /// Suite files with problems: none of their tests is in the plan. `Problem::concerns` finds the problems that are theirs.
    pub unsound: Vec<Arc<str>>,
}

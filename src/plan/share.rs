//! What was cut from a plan that is run in shares.

/// What was cut from a plan that is run in shares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlanShare {
    /// Which, from 1.
    pub index: u32,
    /// How many there are.
    pub total: u32,
    /// Tests of all shares together.
    pub cases: u32,
    /// Those of them that no suite skips.
    pub runnable: u32,
}

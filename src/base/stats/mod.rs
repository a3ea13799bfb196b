//! Formulas with their sources: intervals, plans that end as soon as they are decided, and ranks. Pure.

pub(crate) mod fixed;
pub(crate) mod quantile;
pub(crate) mod sequential;
pub(crate) mod wilson;

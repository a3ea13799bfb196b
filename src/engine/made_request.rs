//! A request that was made: by whom, under which names, and when.

use std::time::{Duration, Instant};

use crate::base::template::TemplateScope;
use crate::engine::request::AttemptId;
use crate::engine::route::AnswerRoute;
use crate::engine::waiting::AttemptWaits;
use crate::plan::case::Case;

/// A request, as far as its answer is judged by it.
pub(super) struct MadeRequest<'a> {
    /// The case.
    pub case: &'a Case,
    /// Which attempt of it.
    pub id: AttemptId,
    /// The names that its templates see.
    pub scope: TemplateScope,
    /// What it waited for before it was sent.
    pub waits: AttemptWaits,
    /// When it was sent.
    pub sent: Instant,
    /// The limit of the attempt, from then on.
    pub limit: Duration,
    /// When it was to be sent by the rate; `None` without a rate.
    pub intended: Option<Instant>,
    /// Where the answer came from.
    pub route: AnswerRoute,
}

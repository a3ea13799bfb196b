//! The search for one lost run: what it is reported before it begins.

use std::time::Instant;

use crate::dify::client::recover::ask::Caller;
use crate::dify::client::recover::users::Users;
use crate::dify::client::wait::Waiter;
use crate::dify::client::{Recover, Timeouts};
use crate::dify::transcript::WorkflowRequest;

/// The search for one lost run.
pub struct RunSearch<'a, 'b> {
    /// How the calls are made.
    pub caller: Caller<'a>,
    /// Waits, and ends them.
    pub waiter: &'a mut Waiter<'b>,
    /// How long and how often.
    pub waits: Recover,
    /// The waits of the attempt.
    pub timeouts: &'a Timeouts,
    /// What was sent.
    pub request: &'a WorkflowRequest,
    /// When it was sent.
    pub sent_at: Instant,
    /// Users under which something was sent.
    pub users: &'a Users,
    /// Forms of the run that were answered: a pause that waits for no other is over.
    pub answered: &'a [String],
}

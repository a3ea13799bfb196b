//! The ladder itself: rung by rung, look by look, until the run's end is known or the time is up.

use std::time::{Duration, Instant};

use crate::base::clock;
use crate::base::units::format_duration;
use crate::client::document::is_json;
use crate::client::recover::ask::{Events, NoAnswer};
use crate::client::recover::loss::{BackOff, has_events};
use crate::client::recover::pauses::Pauses;
use crate::client::recover::replay::{self, Followed};
use crate::client::recover::same::Ours;
use crate::client::recover::sight::{self, Found, Sending, Sight};
use crate::client::recover::{Known, Over, Search};
use crate::client::wait::{GivenUp, after};
use crate::exchange::{Call, Ending, NodeRun, RecoveredBy, Trace, Transcript};
use crate::wire::request;

/// A search under way.
pub(super) struct Climb<'s, 'a, 'b> {
    search: &'s mut Search<'a, 'b>,
    pub(super) lost: &'s Transcript,
    until: Instant,
    pause: BackOff,
    version: Option<String>,
    follows: Follows,
    nodes: Vec<NodeRun>,
    /// What the last look showed that was not cut short by the end of the search.
    shown: Option<String>,
    /// How many pages of the logs without the run are believed; none: as many as there is time for.
    looks: Option<u32>,
    /// How long a run is waited for that was seen, and had not ended.
    once_seen: Instant,
    /// True once it was seen so.
    going_on: bool,
}

/// What a search gathered besides the run's end.
pub(super) struct Gathered {
    /// The nodes that were told again.
    pub nodes: Vec<NodeRun>,
    /// Dify's version.
    pub version: Option<String>,
    /// What the last look showed.
    pub shown: Option<String>,
    /// True where the run was seen, and had not ended.
    pub going_on: bool,
}

/// Whether the events endpoint is worth asking.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Follows {
    MayBe,
    No,
}

impl<'s, 'a, 'b> Climb<'s, 'a, 'b> {
    /// Begins a search that ends at `until`, or after so many looks into logs without the run.
    pub(super) fn new(
        search: &'s mut Search<'a, 'b>,
        lost: &'s Transcript,
        (until, looks): (Instant, Option<u32>),
    ) -> Self {
        let (pause, version) = (BackOff::new(&search.waits), lost.dify_version.clone());
        let (nodes, shown) = (Vec::new(), None);
        let (once_seen, going_on) = (until, false);
        Self {
            search,
            lost,
            until,
            pause,
            version,
            follows: Follows::MayBe,
            nodes,
            shown,
            looks,
            once_seen,
            going_on,
        }
    }

    /// Waits longer for a run that is seen: it is there, and will end.
    pub(super) fn patient_until(self, once_seen: Instant) -> Self {
        Self { once_seen, ..self }
    }

    /// A run of ours was seen, and may not have ended.
    fn sighted(&mut self) {
        self.until = self.until.max(self.once_seen);
    }

    /// What was learnt, whatever came of it.
    pub(super) fn gathered(self) -> Gathered {
        Gathered { nodes: self.nodes, version: self.version, shown: self.shown, going_on: self.going_on }
    }

    /// Looks at a run until it has ended.
    pub(super) async fn watch(&mut self, id: &str, by: RecoveredBy) -> Result<Known, Over> {
        let mut trace = Trace::None;
        // A run found by its user is compared with ours before its events, which do not tell its inputs, are believed.
        let mut is_ours = by != RecoveredBy::Logs;
        let mut pauses = Pauses::default();
        loop {
            if is_ours && let Some(known) = self.follow(id, by).await? {
                return Ok(known);
            }
            let why = match self.look(id).await? {
                Sight::Ended(run) => return Ok(Known { ending: Ending::Finished, run, by }),
                Sight::Paused(run) => {
                    is_ours = true;
                    if pauses.settles(self.search, self.version.as_deref()) {
                        return Ok(Known { ending: Ending::Paused, run, by });
                    }
                    pauses.last = Some(run);
                    (trace, self.until) = (Trace::Seen, self.until.max(self.once_seen));
                    format!("the run {id} is paused")
                }
                Sight::Running => {
                    (is_ours, trace, self.going_on) = (true, Trace::Seen, true);
                    self.sighted();
                    format!("the run {id} had not ended")
                }
                Sight::Unknown => format!("Dify does not know the run {id}"),
                Sight::Foreign(why) => {
                    return Err(Over::Lost(format!("the run {id} is not ours: {why}"), Trace::Seen));
                }
                Sight::Refused(why) => {
                    return Err(Over::Lost(format!("the run {id} could not be looked up: {why}"), trace));
                }
                Sight::Unclear(why) => format!("the run {id} could not be looked up: {why}"),
            };
            match (self.rest(why, trace).await, pauses.last.take()) {
                (Ok(()), last) => pauses.last = last.filter(|_| trace == Trace::Seen),
                (Err(Over::Lost(..)), Some(run)) => return Ok(Known { ending: Ending::Paused, run, by }),
                (Err(over), _) => return Err(over),
            }
        }
    }

    /// Looks for the run in the logs, then at it.
    pub(super) async fn find_and_watch(&mut self) -> Result<(String, Known), Over> {
        let id = self.find().await?;
        self.sighted();
        let known = self.watch(&id, RecoveredBy::Logs).await?;
        Ok((id, known))
    }

    /// Looks for the run of our user until there is one.
    async fn find(&mut self) -> Result<String, Over> {
        let user = &self.search.request.user;
        let mut empty = 0;
        loop {
            if !self.is_unique() {
                let why = "the logs were not searched, for the test's `user` is not this attempt's alone";
                return Err(Over::Lost(why.to_owned(), Trace::None));
            }
            let why = match self.look_into_logs().await? {
                // The user may have been given to another attempt while the answer was under way.
                Found::One(id) if self.is_unique() => return Ok(id),
                Found::One(_) => continue,
                Found::Several(count) => {
                    let why = format!(
                        "the logs show {count} runs of the user {user:?}, and which is ours cannot be told"
                    );
                    return Err(Over::Lost(why, Trace::Seen));
                }
                Found::Nothing => {
                    empty += 1;
                    if self.looks.is_some_and(|looks| empty >= looks) {
                        return Err(Over::Lost(self.never_came(empty), Trace::None));
                    }
                    format!("the logs show no run of the user {user:?}")
                }
                Found::Refused(why) => {
                    return Err(Over::Lost(format!("the logs could not be searched: {why}"), Trace::None));
                }
                Found::Unclear(why) => format!("the logs could not be searched: {why}"),
            };
            self.rest(why, Trace::None).await?;
        }
    }

    /// What is said where the logs were answered so often without the run.
    fn never_came(&self, looks: u32) -> String {
        let user = &self.search.request.user;
        let sent = format_duration(clock::now().saturating_duration_since(self.search.sent_at));
        format!(
            "the logs show no run of the user {user:?}, in {looks} looks, the last {sent} after it was sent: \
             the request may never have arrived, or the run goes on for longer"
        )
    }

    pub(super) fn is_unique(&self) -> bool {
        let Search { caller, request, users, .. } = &*self.search;
        users.is_unique(caller.authorization, &request.user, request.user_scope)
    }

    /// Follows the run's events for a while, where this Dify has them.
    async fn follow(&mut self, id: &str, by: RecoveredBy) -> Result<Option<Known>, Over> {
        if self.follows == Follows::No || !has_events(self.version.as_deref()) {
            return Ok(None);
        }
        let until = self.until.min(after(clock::now(), self.pause.slice()));
        let path = request::events_path(id);
        let query = request::events_query(&self.search.request.user);
        let caller = self.search.caller;
        let mut stream =
            match caller.events((&path, &query), self.search.answered, self.search.waiter, until).await {
                Ok(Events::Stream(stream)) => stream,
                Ok(Events::Other(answer)) => {
                    // Without JSON it is no answer of Dify's: the address is not served.
                    if matches!(answer.status, 404 | 405) && !is_json(&answer.content_type) {
                        self.follows = Follows::No;
                    }
                    return Ok(None);
                }
                Err(NoAnswer::GivenUp(given_up)) => return Err(Over::GivenUp(given_up)),
                Err(NoAnswer::Failed(_)) => return Ok(None),
            };
        let by = if by == RecoveredBy::Logs { by } else { RecoveredBy::Events };
        let followed = replay::judge(&mut stream, &self.ours(id));
        replay::join(&mut self.nodes, stream.nodes);
        match followed {
            Followed::Ended(run) => Ok(Some(Known { ending: Ending::Finished, run, by })),
            Followed::Paused(run) => Ok(Some(Known { ending: Ending::Paused, run, by })),
            Followed::Open => Ok(None),
            Followed::Foreign(why) => {
                Err(Over::Lost(format!("the run {id} is not ours: {why}"), Trace::Seen))
            }
        }
    }

    /// Reads the run's detail once.
    pub(super) async fn look(&mut self, id: &str) -> Result<Sight, Over> {
        let path = request::detail_path(id);
        let caller = self.search.caller;
        match caller.get((Call::Detail, &path, &[]), self.search.waiter, self.until).await {
            Ok(answer) => {
                self.version = answer.dify_version.clone().or(self.version.take());
                Ok(sight::read_detail(&answer, &self.ours(id)))
            }
            Err(NoAnswer::GivenUp(given_up)) => Err(Over::GivenUp(given_up)),
            Err(NoAnswer::Failed(why)) => Ok(Sight::Unclear(why)),
        }
    }

    /// Reads the logs once.
    pub(super) async fn look_into_logs(&mut self) -> Result<Found, Over> {
        let query = request::logs_query(&self.search.request.user);
        let caller = self.search.caller;
        match caller.get((Call::Logs, request::logs_path(), &query), self.search.waiter, self.until).await {
            Ok(answer) => {
                let ago = seconds(clock::now().saturating_duration_since(self.search.sent_at));
                let sending = Sending { ago, at: clock::wall().as_second().saturating_sub(ago) };
                Ok(sight::read_logs(&answer, &self.search.request.user, sending))
            }
            Err(NoAnswer::GivenUp(given_up)) => Err(Over::GivenUp(given_up)),
            Err(NoAnswer::Failed(why)) => Ok(Found::Unclear(why)),
        }
    }

    /// Waits before the next look; an error when there is no time for one.
    async fn rest(&mut self, why: String, trace: Trace) -> Result<(), Over> {
        let now = clock::now();
        let cut_short = now >= self.until && self.shown.is_some();
        let shown = if cut_short { self.shown.take() } else { None }.unwrap_or(why);
        let Some(wait) = self.pause.wait(self.until.saturating_duration_since(now)) else {
            if self.until >= self.search.waiter.end {
                self.shown = Some(shown);
                return Err(Over::GivenUp(GivenUp::Deadline));
            }
            let sent = format_duration(now.saturating_duration_since(self.search.sent_at));
            return Err(Over::Lost(format!("{shown}, {sent} after it was sent"), trace));
        };
        self.shown = Some(shown);
        match self.search.waiter.wait(after(now, wait), std::future::pending::<()>()).await {
            Ok(()) => Ok(()),
            Err(GivenUp::Deadline) if !self.search.waiter.is_over(clock::now()) => Ok(()),
            Err(given_up) => Err(Over::GivenUp(given_up)),
        }
    }

    fn ours<'o>(&'o self, id: &'o str) -> Ours<'o> {
        let request = self.search.request;
        Ours {
            run_id: id,
            user: &request.user,
            workflow_id: self.lost.workflow_id.as_deref().or(request.workflow_id.as_deref()),
            inputs: &self.lost.inputs,
        }
    }
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

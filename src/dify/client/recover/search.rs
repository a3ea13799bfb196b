//! The ladder itself: rung by rung, look by look, until the run's end is known or the time is up.

use std::time::{Duration, Instant};

use crate::base::clock;
use crate::base::units::format_duration;
use crate::dify::client::document::is_json;
use crate::dify::client::recover::ask::{EventsReply, NoAnswer};
use crate::dify::client::recover::loss::{BackOff, has_events};
use crate::dify::client::recover::pauses::PausedLooks;
use crate::dify::client::recover::replay::{self, FollowResult};
use crate::dify::client::recover::run_search::RunSearch;
use crate::dify::client::recover::same::SentRunFacts;
use crate::dify::client::recover::search_result::{KnownRun, SearchEnd, SearchResult};
use crate::dify::client::recover::sight::{self, DetailFinding, LogFinding, SendTime};
use crate::dify::client::wait::{WaitEnd, after};
use crate::dify::transcript::{Ending, NodeRun, RecoveredBy, SideCall, Trace, Transcript};
use crate::dify::wire::request;

/// A search under way.
pub(super) struct OngoingSearch<'s, 'a, 'b> {
    search: &'s mut RunSearch<'a, 'b>,
    pub(super) lost: &'s Transcript,
    until: Instant,
    pause: BackOff,
    version: Option<String>,
    follows: EventsEndpoint,
    nodes: Vec<NodeRun>,
    /// What the last look showed that was not cut short by the end of the search.
    shown: Option<String>,
    /// How many pages of the logs without the run are believed; `None`: as many as there is time for.
    looks: Option<u32>,
    /// How long a run is waited for that was seen, and had not ended.
    once_seen: Instant,
    /// True once it was seen so.
    going_on: bool,
}

/// Whether the events endpoint is worth asking.
#[derive(Clone, Copy, PartialEq, Eq)]
enum EventsEndpoint {
    MayBe,
    No,
}

impl<'s, 'a, 'b> OngoingSearch<'s, 'a, 'b> {
    /// Begins a search that ends at `until`, or after this many looks into logs without the run.
    pub(super) fn new(
        search: &'s mut RunSearch<'a, 'b>,
        lost: &'s Transcript,
        (until, looks): (Instant, Option<u32>),
    ) -> Self {
        let (pause, version) = (BackOff::new(&search.waits), lost.dify_version.clone());
        let (nodes, shown, once_seen, going_on) = (Vec::new(), None, until, false);
        Self {
            search,
            lost,
            until,
            pause,
            version,
            follows: EventsEndpoint::MayBe,
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

    /// The run goes on: the patience begins anew, up to the attempt's own limit.
    fn renew(&mut self) {
        let (waits, waiter) = (&self.search.waits, &self.search.waiter);
        self.until = self.until.max(after(clock::now(), waits.deadline).min(waiter.end));
    }

    /// What was learnt.
    pub(super) fn gathered(self) -> SearchResult {
        SearchResult { nodes: self.nodes, version: self.version, shown: self.shown, going_on: self.going_on }
    }

    /// Looks at a run until it has ended.
    pub(super) async fn watch(&mut self, id: &str, by: RecoveredBy) -> Result<KnownRun, SearchEnd> {
        let mut trace = Trace::None;
        // A run found by its user is compared with ours before its events are trusted: they do not contain its inputs.
        let mut is_ours = by != RecoveredBy::Logs;
        let mut pauses = PausedLooks::default();
        loop {
            if is_ours && let Some(known) = self.follow(id, by).await? {
                return Ok(known);
            }
            let why = match self.look(id).await? {
                DetailFinding::Ended(run) => return Ok(KnownRun { ending: Ending::Finished, run, by }),
                DetailFinding::Paused(run) => {
                    is_ours = true;
                    if pauses.settles(self.search, self.version.as_deref()) {
                        return Ok(KnownRun { ending: Ending::Paused, run, by });
                    }
                    pauses.last = Some(run);
                    (trace, self.until) = (Trace::Seen, self.until.max(self.once_seen));
                    format!("the run {id} is paused")
                }
                DetailFinding::Running => {
                    (is_ours, trace, self.going_on) = (true, Trace::Seen, true);
                    self.renew();
                    format!("the run {id} had not ended")
                }
                DetailFinding::Unknown => format!("Dify does not know the run {id}"),
                DetailFinding::Foreign(why) => {
                    return Err(SearchEnd::Lost(format!("the run {id} is not ours: {why}"), Trace::Seen));
                }
                DetailFinding::Refused(why) => {
                    return Err(SearchEnd::Lost(
                        format!("the run {id} could not be looked up: {why}"),
                        trace,
                    ));
                }
                DetailFinding::Unclear(why) => format!("the run {id} could not be looked up: {why}"),
            };
            match (self.rest(why, trace).await, pauses.last.take()) {
                (Ok(()), last) => pauses.last = last.filter(|_| trace == Trace::Seen),
                (Err(SearchEnd::Lost(..)), Some(run)) => {
                    return Ok(KnownRun { ending: Ending::Paused, run, by });
                }
                (Err(over), _) => return Err(over),
            }
        }
    }

    /// Looks for the run in the logs, then at it.
    pub(super) async fn find_and_watch(&mut self) -> Result<(String, KnownRun), SearchEnd> {
        let id = self.find().await?;
        self.until = self.until.max(self.once_seen);
        let known = self.watch(&id, RecoveredBy::Logs).await?;
        Ok((id, known))
    }

    /// Looks for the run of our user until there is one.
    async fn find(&mut self) -> Result<String, SearchEnd> {
        let user = &self.search.request.user;
        let mut empty = 0;
        loop {
            if !self.is_unique() {
                let why = "the logs were not searched, for the test's `user` is not this attempt's alone";
                return Err(SearchEnd::Lost(why.to_owned(), Trace::None));
            }
            let why = match self.look_into_logs().await? {
                // The user may have been given to another attempt while the answer was under way.
                LogFinding::One(id) if self.is_unique() => return Ok(id),
                LogFinding::One(_) => continue,
                LogFinding::Several(count) => {
                    let why = format!(
                        "the logs show {count} runs of the user {user:?}, and which one is ours is unknown"
                    );
                    return Err(SearchEnd::Lost(why, Trace::Seen));
                }
                LogFinding::Nothing => {
                    empty += 1;
                    if self.looks.is_some_and(|looks| empty >= looks) {
                        return Err(SearchEnd::Lost(self.never_came(empty), Trace::None));
                    }
                    format!("the logs show no run of the user {user:?}")
                }
                LogFinding::Refused(why) => {
                    return Err(SearchEnd::Lost(
                        format!("the logs could not be searched: {why}"),
                        Trace::None,
                    ));
                }
                LogFinding::Unclear(why) => format!("the logs could not be searched: {why}"),
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
        let RunSearch { caller, request, users, .. } = &*self.search;
        users.is_unique(caller.authorization, &request.user, request.user_scope)
    }

    /// Follows the run's events for a while, where this Dify has them.
    async fn follow(&mut self, id: &str, by: RecoveredBy) -> Result<Option<KnownRun>, SearchEnd> {
        if self.follows == EventsEndpoint::No || !has_events(self.version.as_deref()) {
            return Ok(None);
        }
        let until = self.until.min(after(clock::now(), self.pause.slice()));
        let path = request::events_path(id);
        let query = request::events_query(&self.search.request.user);
        let caller = self.search.caller;
        let mut stream =
            match caller.events((&path, &query), self.search.answered, self.search.waiter, until).await {
                Ok(EventsReply::Stream(stream)) => stream,
                Ok(EventsReply::Other(answer)) => {
                    // Without JSON it is no answer of Dify's: the address is not served.
                    if matches!(answer.status, 404 | 405) && !is_json(&answer.content_type) {
                        self.follows = EventsEndpoint::No;
                    }
                    return Ok(None);
                }
                Err(NoAnswer::GivenUp(given_up)) => return Err(SearchEnd::GivenUp(given_up)),
                Err(NoAnswer::Failed(_)) => return Ok(None),
            };
        let by = if by == RecoveredBy::Logs { by } else { RecoveredBy::Events };
        let followed = replay::judge(&mut stream, &self.ours(id));
        replay::join(&mut self.nodes, stream.answer.nodes);
        match followed {
            FollowResult::Ended(run) => Ok(Some(KnownRun { ending: Ending::Finished, run, by })),
            FollowResult::Paused(run) => Ok(Some(KnownRun { ending: Ending::Paused, run, by })),
            FollowResult::Open => Ok(None),
            FollowResult::Foreign(why) => {
                Err(SearchEnd::Lost(format!("the run {id} is not ours: {why}"), Trace::Seen))
            }
        }
    }

    /// Reads the run's detail once.
    pub(super) async fn look(&mut self, id: &str) -> Result<DetailFinding, SearchEnd> {
        let path = request::detail_path(id);
        let caller = self.search.caller;
        match caller.get((SideCall::Detail, &path, &[]), self.search.waiter, self.until).await {
            Ok(answer) => {
                self.version = answer.dify_version.clone().or(self.version.take());
                Ok(sight::read_detail(&answer, &self.ours(id)))
            }
            Err(NoAnswer::GivenUp(given_up)) => Err(SearchEnd::GivenUp(given_up)),
            Err(NoAnswer::Failed(why)) => Ok(DetailFinding::Unclear(why)),
        }
    }

    /// Reads the logs once.
    pub(super) async fn look_into_logs(&mut self) -> Result<LogFinding, SearchEnd> {
        let query = request::logs_query(&self.search.request.user);
        let caller = self.search.caller;
        match caller.get((SideCall::Logs, request::logs_path(), &query), self.search.waiter, self.until).await
        {
            Ok(answer) => {
                let ago = seconds(clock::now().saturating_duration_since(self.search.sent_at));
                let sending = SendTime { ago, at: clock::wall().as_second().saturating_sub(ago) };
                Ok(sight::read_logs(&answer, &self.search.request.user, sending))
            }
            Err(NoAnswer::GivenUp(given_up)) => Err(SearchEnd::GivenUp(given_up)),
            Err(NoAnswer::Failed(why)) => Ok(LogFinding::Unclear(why)),
        }
    }

    /// Waits before the next look; an error when there is no time for one.
    async fn rest(&mut self, why: String, trace: Trace) -> Result<(), SearchEnd> {
        let now = clock::now();
        let cut_short = now >= self.until && self.shown.is_some();
        let shown = if cut_short { self.shown.take() } else { None }.unwrap_or(why);
        let Some(wait) = self.pause.wait(self.until.saturating_duration_since(now)) else {
            if self.until >= self.search.waiter.end {
                self.shown = Some(shown);
                return Err(SearchEnd::GivenUp(WaitEnd::Deadline));
            }
            let sent = format_duration(now.saturating_duration_since(self.search.sent_at));
            return Err(SearchEnd::Lost(format!("{shown}, {sent} after it was sent"), trace));
        };
        self.shown = Some(shown);
        match self.search.waiter.wait(after(now, wait), std::future::pending::<()>()).await {
            Ok(()) => Ok(()),
            Err(WaitEnd::Deadline) if !self.search.waiter.is_over(clock::now()) => Ok(()),
            Err(given_up) => Err(SearchEnd::GivenUp(given_up)),
        }
    }

    fn ours<'o>(&'o self, id: &'o str) -> SentRunFacts<'o> {
        let request = self.search.request;
        SentRunFacts {
            run_id: id,
            user: &request.user,
            workflow_id: self.lost.answer.ids.workflow.as_deref().or(request.workflow_id.as_deref()),
            inputs: &self.lost.inputs,
        }
    }
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

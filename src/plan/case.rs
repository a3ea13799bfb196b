//! The plan's types: what will be sent where, and what must hold.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use serde_json::Value;

use crate::assert::check::Check;
use crate::assert::snapshot::{SnapshotPlace, SnapshotShelf};
use crate::base::bindings::Bindings;
use crate::base::digest::Digest;
use crate::base::files::Fence;
use crate::base::origin::Place;
use crate::base::template::{Template, Templates};
use crate::base::units::RequestRate;
use crate::budget::SpendingLimit;
use crate::dify::cassette;
use crate::dify::client::Endpoint;
use crate::dify::mock::script::Script;
use crate::dify::mock::server::MockOptions;
use crate::dify::transcript::ResponseMode;
use crate::plan::budget::SuiteBudget;
use crate::plan::judge::PlannedJudge;
use crate::plan::share::PlanShare;
use crate::record::event::SuiteThresholds;
use crate::record::verdict::RepeatRule;

/// Everything that will be run, in order.
pub struct Plan {
    /// The arena of all compiled templates.
    pub templates: Arc<Templates>,
    /// Where it runs.
    pub target: Target,
    /// The cases selected, in the order to run; `Case::ordinal` is the index here.
    pub cases: Vec<Case>,
    /// Suite-level mock answers (`when`), in file order, for the built-in mock.
    pub mock_rules: Vec<crate::dify::mock::script::Rule>,
    /// The cases that filters, tags and `only` left out, by key.
    pub left_out: Vec<Digest>,
    /// By app, the version that a part of the run has tested which is already recorded.
    pub held: BTreeMap<Arc<str>, HeldVersion>,
    /// What suites must come to as a whole; also of those without a test here, for other machines may run theirs.
    pub thresholds: Vec<SuiteThresholds>,
    /// How many cases filters left out.
    pub deselected: u32,
    /// Which share of the selected cases these are; `None`: all of them.
    pub share: Option<PlanShare>,
    /// True when the order was drawn by the seed.
    pub shuffled: bool,
    /// True where a run goes on: its other cases are recorded already.
    pub goes_on: bool,
    /// The seed of shuffling, sampling and jitter.
    pub seed: u64,
    /// The fingerprint of all tests that were selected, before a sample was drawn.
    pub print: Digest,
    /// What the whole run may use.
    pub budget: SpendingLimit,
    /// Values to be masked everywhere.
    pub secrets: Vec<String>,
    /// Where the tests' snapshots lie, those too of tests that are not selected.
    pub spots: Vec<SnapshotPlace>,
    /// What was approved of the selected tests, once that was read; `None` where no test takes a snapshot.
    pub snapshots: Option<SnapshotShelf>,
    /// What the suites have recorded, once that was read; `None` where cassettes play no part.
    pub cassettes: Option<cassette::CassetteShelf>,
    /// The judges of the project by name; of one that is not asked, why not.
    pub judges: BTreeMap<String, Result<PlannedJudge, String>>,
}

/// A version that a run has tested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldVersion {
    /// Dify's `workflow_id`.
    pub workflow_id: String,
    /// A test that ran on it.
    pub test: Arc<str>,
}

/// One test, or one row of it.
#[derive(Clone)]
pub struct Case {
    /// Index in the plan.
    pub ordinal: u32,
    /// Its place among the cases of all shards, in the order of files and tests.
    pub place_in_all: u32,
    /// `<suite>::<test>` or `<suite>::<test>[<row>]`.
    pub name: Arc<str>,
    /// Which test it is in every process: the hash of its name.
    pub key: Digest,
    /// The fingerprint of what it sends and asserts.
    pub print: Digest,
    /// The test it comes from.
    pub test: Arc<CompiledTest>,
    /// Its data row: an object.
    pub row: Option<Arc<Value>>,
    /// Why it will not be run, if so.
    pub skip: Option<Arc<str>>,
}

/// A test as meant, shared by its rows.
pub struct CompiledTest {
    /// The suite it is in.
    pub suite: Arc<SuiteHead>,
    /// Its name, without the suite's.
    pub name: Arc<str>,
    /// Where its name is.
    pub place: Arc<Place>,
    /// The suite's tags, then its own, without repetition.
    pub tags: Vec<Arc<str>>,
    /// The app it runs; a key of `Target::apps` (empty name: the target's only app).
    pub app: Arc<str>,
    /// `vars`, rendered for each attempt, and the environment.
    pub bindings: Arc<Bindings>,
    /// The workflow's variables.
    pub inputs: Template,
    /// Files by variable.
    pub files: Vec<(String, FileTemplate)>,
    /// Dify's end user; `None`: unique for each attempt.
    pub user: Option<Template>,
    /// Streaming or blocking.
    pub mode: ResponseMode,
    /// Limit of a whole attempt; `None`: the target's.
    pub timeout: Option<Duration>,
    /// Infrastructure retries; `None`: the target's.
    pub retries: Option<Retries>,
    /// How often it runs, and the rate at which it must pass.
    pub repeats: RepeatRule,
    /// Whether Dify's token total is compared with its nodes' sum.
    pub usage: crate::assert::check::UsageAudit,
    /// What must hold.
    pub checks: Vec<Check>,
    /// The judges that its checks name; `None` for one whose name is rendered for each attempt.
    pub judges: Vec<Option<String>>,
    /// Answers to the forms of paused runs, in the order written.
    pub answers: Vec<AnswerTemplate>,
    /// What the mock answers.
    pub mock: Option<Arc<Script>>,
    /// The fingerprint of what it sends and asserts, its row and its skipping left out.
    pub print: Digest,
}

/// An entry of `human_input` before rendering.
#[derive(Clone)]
pub struct AnswerTemplate {
    /// Where it is.
    pub place: Arc<Place>,
    /// Title or id of the node that asks.
    pub node: Template,
    /// The action taken.
    pub action: Template,
    /// What is filled in.
    pub inputs: Template,
    /// Files by field.
    pub files: Vec<(String, FileTemplate)>,
}

/// A suite's own facts.
#[derive(Debug)]
pub struct SuiteHead {
    /// Its name.
    pub name: Arc<str>,
    /// Where its exchanges are recorded: `cassettes/<file>.jsonl` beside its file.
    pub cassette: PathBuf,
    /// Holds what is found by its place beside its file.
    pub place: Fence,
    /// Where its snapshots lie: `snapshots/<file>` beside its file.
    pub snapshots: Arc<PathBuf>,
    /// What its attempts may use.
    pub budget: SuiteBudget,
}

/// A `files` entry before rendering.
#[derive(Clone)]
pub enum FileTemplate {
    /// A single file.
    One(FileSource),
    /// A list of files.
    Many(Vec<FileSource>),
}

/// Where one file comes from.
#[derive(Clone)]
pub enum FileSource {
    /// A path relative to the suite; checked again after rendering not to leave its fence.
    Path {
        /// The path as written.
        path: Template,
        /// The folder of the suite.
        base: Arc<PathBuf>,
        /// May not be left.
        fence: Fence,
        /// Dify's type, if written; else by the file's ending.
        kind: Option<String>,
    },
    /// An address that Dify fetches.
    Url {
        /// The address.
        url: Template,
        /// Dify's type, if written; else by the address's ending.
        kind: Option<String>,
    },
}

/// Infrastructure retries: only where the run provably did not start.
#[derive(Debug, Clone, PartialEq)]
pub struct Retries {
    /// How many tries follow the first.
    pub count: u32,
    /// Before the first retry.
    pub delay: Duration,
    /// At most between two tries.
    pub max_delay: Duration,
    /// Whether delays are drawn at random below their value (full jitter).
    pub jitter: Jitter,
    /// Whether a request whose run may have started is sent again too.
    pub resend: Resend,
}

/// Whether a request whose run may have started is sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resend {
    /// Never: it would run, and cost, twice.
    Never,
    /// `resend: true`: the user accepts a second run.
    Allowed,
}

/// Whether back-off delays are randomised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Jitter {
    /// Drawn uniformly between half and all of the delay.
    On,
    /// Exactly the delay.
    Off,
}

/// Where the plan runs.
pub struct Target {
    /// Its name in the project file, or `mock`.
    pub name: Arc<str>,
    /// The profile that was used.
    pub profile: Arc<str>,
    /// The mock or a live Dify.
    pub kind: TargetKind,
    /// Attempts at once.
    pub concurrency: usize,
    /// Requests begun per second, at most.
    pub rate: Option<RequestRate>,
    /// Infrastructure retries of tests without their own.
    pub retries: Retries,
    /// What an answer means that differs from what Dify is known to send.
    pub contract: ContractRule,
}

/// What an answer means that differs from what Dify is known to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContractRule {
    /// It is reported.
    Watch,
    /// It is reported, and its test fails.
    Strict,
}

/// The mock or a live Dify.
pub enum TargetKind {
    /// The built-in mock, started by the runner.
    Mock(MockOptions),
    /// Nothing but cassettes: no key is needed, and nothing is sent.
    Replay {
        /// The server that answers.
        options: MockOptions,
        /// The pinned version of each app of the target that was recorded; empty where that is not known.
        apps: BTreeMap<String, Option<String>>,
    },
    /// A Dify somewhere.
    Live {
        /// Address and transport settings.
        endpoint: Box<Endpoint>,
        /// Apps by name; a single app without a name has the empty one.
        apps: BTreeMap<String, App>,
    },
}

/// One Dify app of a target.
pub struct App {
    /// Its API key.
    pub api_key: SecretString,
    /// The published version to run, if pinned.
    pub workflow_id: Option<String>,
}

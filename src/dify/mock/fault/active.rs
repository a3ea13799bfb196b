//! The faults that act on one request, by where they act.

use std::time::Duration;

use super::spec::{
    AnswerDamage, ConnectionEnd, FalseFacts, FaultSpec, LostRunRecord, LostSight, MockFault, Replacement,
    RunningReplies, UnusualForm,
};

/// The faults that act on one request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ActiveFaults {
    /// What replaces the run: the first that is written.
    pub replacement: Option<Replacement>,
    /// How the client loses sight of the run: the first that is written.
    pub cut: Option<CutStream>,
    /// What is damaged.
    pub damage: Vec<AnswerDamage>,
    /// The unusual forms of the answer.
    pub forms: UnusualForms,
    /// Facts of the run that are false.
    pub facts: Vec<FalseFacts>,
}

/// How a client loses sight of a run, and what becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CutStream {
    /// How.
    pub loss: LostSight,
    /// How the connection ends, if that was chosen.
    pub end: Option<ConnectionEnd>,
    /// How often Dify says that the run is still going on.
    pub running: RunningReplies,
    /// Whether Dify has recorded the run.
    pub record: LostRunRecord,
}

/// All unusual forms of an answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnusualForms {
    /// How long the head is held back.
    pub wait: Duration,
    /// How the bytes are cut into chunks.
    pub chunks: ChunkCutting,
    /// How lines end.
    pub lines: LineEnding,
    /// How the body is encoded.
    pub encoding: Encoding,
    /// Blanks by which an event is inflated.
    pub blanks: u64,
    /// What answers a blocking call.
    pub blocking: BlockingFault,
    /// Events lost at the beginning.
    pub lost: u64,
}

/// How bytes are cut into chunks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ChunkCutting {
    /// One chunk per event.
    #[default]
    Events,
    /// One chunk per byte.
    Bytes,
}

/// How lines end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LineEnding {
    /// LF.
    #[default]
    Lf,
    /// CR LF.
    CrLf,
}

/// How a body is encoded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Encoding {
    /// As it is.
    #[default]
    Identity,
    /// Compressed.
    Gzip,
}

/// What answers a blocking call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum BlockingFault {
    /// One JSON document.
    #[default]
    Document,
    /// A stream.
    Stream,
}

impl ActiveFaults {
    /// The faults that affect a try, by its number from 0.
    pub fn of<'a>(specs: impl Iterator<Item = &'a FaultSpec>, number: u32) -> Self {
        let mut active = Self::default();
        for spec in specs.filter(|spec| spec.times.is_none_or(|times| number < times)) {
            active.add(spec);
        }
        active
    }

    fn add(&mut self, spec: &FaultSpec) {
        match spec.fault {
            MockFault::Instead(replacement) => drop(self.replacement.get_or_insert(replacement)),
            MockFault::Loss(loss) => {
                let FaultSpec { running, booked: record, end, .. } = *spec;
                let _ = self.cut.get_or_insert(CutStream { loss, end, running, record });
            }
            MockFault::Damage(damage) => self.damage.push(damage),
            MockFault::Form(form) => self.forms.add(form),
            MockFault::Facts(facts) => self.facts.push(facts),
        }
    }

    /// The number of runs of the app after which another version runs.
    pub fn version_change(&self) -> Option<u64> {
        self.facts.iter().find_map(|facts| match facts {
            FalseFacts::VersionChange(after) => Some(*after),
            FalseFacts::ZeroUsage | FalseFacts::DoubleUsage => None,
        })
    }
}

impl UnusualForms {
    fn add(&mut self, form: UnusualForm) {
        match form {
            UnusualForm::SlowHeaders(wait) => self.wait = self.wait.saturating_add(wait),
            UnusualForm::OneByteChunks => self.chunks = ChunkCutting::Bytes,
            UnusualForm::Crlf => self.lines = LineEnding::CrLf,
            UnusualForm::Gzip => self.encoding = Encoding::Gzip,
            UnusualForm::HugeEvent(size) => self.blanks = self.blanks.saturating_add(size),
            UnusualForm::SseForBlocking => self.blocking = BlockingFault::Stream,
            UnusualForm::MissingStarted(lost) => self.lost = self.lost.max(lost),
        }
    }
}

//! Which faults act on one request, sorted by where they act.

use std::time::Duration;

use super::{Booked, Damage, End, Facts, Fault, FaultSpec, Form, Loss, Replacement, Running};

/// The faults that act on one request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Active {
    /// What comes in place of the run: the first written.
    pub replacement: Option<Replacement>,
    /// How the client loses sight of the run: the first written.
    pub cut: Option<Cut>,
    /// What is damaged.
    pub damage: Vec<Damage>,
    /// The answer's form.
    pub dress: Dress,
    /// What is told of the run and is not so.
    pub facts: Vec<Facts>,
}

/// How a client loses sight of a run, and what becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// How.
    pub loss: Loss,
    /// How the connection ends, if that was chosen.
    pub end: Option<End>,
    /// How often Dify says that the run is still going on.
    pub running: Running,
    /// Whether Dify knows the run.
    pub booked: Booked,
}

/// The unusual forms of an answer, together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dress {
    /// How long the head is held back.
    pub wait: Duration,
    /// How the bytes are cut into chunks.
    pub chunks: Chunks,
    /// How lines end.
    pub lines: Lines,
    /// How the body is encoded.
    pub encoding: Encoding,
    /// Blanks by which an event is inflated.
    pub blanks: u64,
    /// What answers a blocking call.
    pub blocking: Answers,
    /// Events lost at the beginning.
    pub lost: u64,
}

/// How bytes are cut into chunks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Chunks {
    /// One an event.
    #[default]
    Events,
    /// One a byte.
    Bytes,
}

/// How lines end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Lines {
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
pub enum Answers {
    /// One JSON document.
    #[default]
    Document,
    /// A stream.
    Stream,
}

impl Active {
    /// The faults that try number `turn`, from 0, meets.
    pub fn of<'a>(specs: impl Iterator<Item = &'a FaultSpec>, turn: u32) -> Self {
        let mut active = Self::default();
        for spec in specs.filter(|spec| spec.times.is_none_or(|times| turn < times)) {
            active.add(spec);
        }
        active
    }

    fn add(&mut self, spec: &FaultSpec) {
        match spec.fault {
            Fault::Instead(replacement) => drop(self.replacement.get_or_insert(replacement)),
            Fault::Loss(loss) => {
                let FaultSpec { running, booked, end, .. } = *spec;
                let _ = self.cut.get_or_insert(Cut { loss, end, running, booked });
            }
            Fault::Damage(damage) => self.damage.push(damage),
            Fault::Form(form) => self.dress.add(form),
            Fault::Facts(facts) => self.facts.push(facts),
        }
    }

    /// After how many runs of the app another version runs.
    pub fn version_change(&self) -> Option<u64> {
        self.facts.iter().find_map(|facts| match facts {
            Facts::VersionChange(after) => Some(*after),
            Facts::ZeroUsage | Facts::DoubleUsage => None,
        })
    }
}

impl Dress {
    fn add(&mut self, form: Form) {
        match form {
            Form::SlowHeaders(wait) => self.wait = self.wait.saturating_add(wait),
            Form::OneByteChunks => self.chunks = Chunks::Bytes,
            Form::Crlf => self.lines = Lines::CrLf,
            Form::Gzip => self.encoding = Encoding::Gzip,
            Form::HugeEvent(size) => self.blanks = self.blanks.saturating_add(size),
            Form::SseForBlocking => self.blocking = Answers::Stream,
            Form::MissingStarted(lost) => self.lost = self.lost.max(lost),
        }
    }
}

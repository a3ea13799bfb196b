//! Folds a journal to a `RunRecord` in one pass: every line is checked to be JSON, only a few fields are taken.
//!
//! The writer folds each event as it appends it, so that a run that has ended need not be read again; what it folds must be
//! what its lines say.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use rust_decimal::Decimal;
use serde::Deserialize;

use crate::event::{Event, RunEnd, RunStart};
use crate::journal::index::{Entry, Index, Mark};
use crate::journal::read::{Damage, RunRecord, SuiteTotals, Totals};
use crate::journal::watched::Watched;
use crate::journal::{JournalError, SCHEMA};
use crate::outcome::{CaseOutcome, ContractNote, Price, RepeatFacts, UsageDoubt};
use crate::verdict::Verdict;

/// The first line, as far as every version has it.
#[derive(Deserialize)]
struct FirstLine {
    run_started: Schema,
}

#[derive(Deserialize)]
struct Schema {
    schema: u32,
}

/// A further line, as far as the fold needs it.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line<'a> {
    RunStarted(serde::de::IgnoredAny),
    AttemptFinished(AttemptLine),
    #[serde(borrow)]
    CaseFinished(OutcomeLine<'a>),
    RunFinished(RunEnd),
}

#[derive(Deserialize)]
struct AttemptLine {
    case: u32,
    #[serde(default)]
    replayed: bool,
    facts: FactsLine,
    #[serde(default)]
    contract: Vec<ContractNote>,
}

#[derive(Deserialize)]
struct FactsLine {
    tokens: Option<u64>,
    #[serde(default)]
    cost: Vec<Price>,
    usage: Option<UsageDoubt>,
}

#[derive(Deserialize)]
struct OutcomeLine<'a> {
    case: u32,
    #[serde(borrow)]
    suite: Cow<'a, str>,
    verdict: Verdict,
    duration_ms: f64,
    #[serde(default)]
    warnings: u32,
    #[serde(default)]
    tolerated: bool,
    repeats: Option<RepeatFacts>,
}

impl<'a> From<&'a CaseOutcome> for OutcomeLine<'a> {
    fn from(outcome: &'a CaseOutcome) -> Self {
        Self {
            case: outcome.case,
            suite: Cow::Borrowed(&outcome.suite),
            verdict: outcome.verdict,
            duration_ms: outcome.duration_ms,
            warnings: outcome.warnings,
            tolerated: outcome.tolerated,
            repeats: outcome.repeats.clone(),
        }
    }
}

/// Reads a journal; lines that cannot be read are named in the record and left out.
pub(crate) fn read(path: &Path) -> Result<RunRecord, JournalError> {
    let failed = |source: io::Error| JournalError::Io { path: path.to_owned(), source };
    let mut input = BufReader::with_capacity(256 * 1024, File::open(path).map_err(failed)?);
    let mut line = Vec::new();
    input.read_until(b'\n', &mut line).map_err(failed)?;
    let mut fold = Fold::new(start_of(path, &line)?);
    let mut offset = line.len() as u64;
    loop {
        line.clear();
        let length = input.read_until(b'\n', &mut line).map_err(failed)?;
        if length == 0 {
            break;
        }
        fold.line(&line, offset);
        offset += length as u64;
    }
    Ok(fold.finish(path))
}

/// What the first line says.
pub(super) fn start_of(path: &Path, line: &[u8]) -> Result<RunStart, JournalError> {
    let foreign = |reason: String| JournalError::NotAJournal { path: path.to_owned(), reason };
    if line.is_empty() {
        return Err(foreign(String::from("is missing: the file is empty")));
    }
    let first: FirstLine =
        serde_json::from_slice(line).map_err(|error| foreign(format!("is no `run_started`: {error}")))?;
    let found = first.run_started.schema;
    if found > SCHEMA {
        return Err(JournalError::Newer { path: path.to_owned(), found });
    }
    match serde_json::from_slice(line) {
        Ok(Event::RunStarted(start)) => Ok(start),
        Ok(_) => Err(foreign(String::from("is no `run_started`"))),
        Err(error) => Err(foreign(format!("is damaged: {error}"))),
    }
}

/// The state of the fold.
#[derive(Debug)]
pub(super) struct Fold {
    start: RunStart,
    end: Option<RunEnd>,
    totals: Totals,
    suites: Vec<SuiteTotals>,
    by_name: HashMap<String, u32>,
    watched: Watched,
    entries: Vec<Entry>,
    damage: Vec<Damage>,
    line: u64,
}

impl Fold {
    /// A fold that has taken the first line.
    pub fn new(start: RunStart) -> Self {
        let expected = start.cases.min(1 << 20) as usize * 2;
        Self {
            start,
            end: None,
            totals: Totals::default(),
            suites: Vec::new(),
            by_name: HashMap::new(),
            watched: Watched::default(),
            entries: Vec::with_capacity(expected),
            damage: Vec::new(),
            line: 1,
        }
    }

    /// Takes a further line, its end included.
    pub fn line(&mut self, line: &[u8], offset: u64) {
        self.line += 1;
        let Some(text) = line.strip_suffix(b"\n") else {
            self.damaged(String::from("is torn: the run was killed while it was written"));
            return;
        };
        match serde_json::from_slice(text) {
            Ok(Line::AttemptFinished(AttemptLine { case, facts, replayed, contract })) => {
                self.watched.take(case, facts.usage, contract);
                self.totals.replayed += u32::from(replayed);
                self.attempt(case, facts.tokens, &facts.cost, offset);
            }
            Ok(Line::CaseFinished(outcome)) => self.outcome(&outcome, offset),
            Ok(Line::RunFinished(end)) => self.end = Some(end),
            Ok(Line::RunStarted(_)) => self.damaged(String::from("starts another run")),
            Err(error) => self.damaged(error.to_string()),
        }
    }

    /// Takes an event whose line was written as it is; false when only the line itself tells what is read from it.
    pub fn event(&mut self, event: &Event, offset: u64) -> bool {
        match event {
            Event::RunStarted(_) => return false,
            Event::AttemptFinished(attempt) => {
                let facts = &attempt.facts;
                self.line += 1;
                self.watched.take(attempt.case, facts.usage.clone(), attempt.contract.clone());
                self.totals.replayed += u32::from(attempt.replayed);
                self.attempt(attempt.case, facts.tokens, &facts.cost, offset);
            }
            Event::CaseFinished(outcome) => {
                // JSON has no word for what is no finite number.
                if !outcome.duration_ms.is_finite() {
                    return false;
                }
                self.line += 1;
                self.outcome(&OutcomeLine::from(&**outcome), offset);
            }
            Event::RunFinished(end) => {
                if !end.duration_ms.is_finite() {
                    return false;
                }
                self.line += 1;
                self.end = Some(end.clone());
            }
        }
        true
    }

    fn attempt(&mut self, case: u32, tokens: Option<u64>, cost: &[Price], offset: u64) {
        self.entries.push(Entry::new(offset, Mark::Attempt, case, 0));
        self.totals.attempts += 1;
        match tokens {
            Some(tokens) => self.totals.tokens = self.totals.tokens.saturating_add(tokens),
            None => self.totals.tokens_unknown += 1,
        }
        for price in cost {
            match price.amount.parse::<Decimal>() {
                Ok(amount) => match self.totals.cost.get_mut(&price.currency) {
                    Some(sum) => *sum = sum.saturating_add(amount),
                    None => drop(self.totals.cost.insert(price.currency.clone(), amount)),
                },
                Err(_) => self.damaged(format!("has a price that is no number: `{}`", price.amount)),
            }
        }
    }

    fn outcome(&mut self, outcome: &OutcomeLine<'_>, offset: u64) {
        let suite = match self.by_name.get(outcome.suite.as_ref()) {
            Some(suite) => *suite,
            None => self.add_suite(outcome.suite.clone().into_owned()),
        };
        let totals = &mut self.suites[suite as usize];
        totals.duration_ms += outcome.duration_ms;
        totals.totals.warnings += outcome.warnings;
        self.totals.warnings += outcome.warnings;
        if let Some(sequential) = outcome.repeats.as_ref().and_then(|repeats| repeats.sequential.as_ref()) {
            self.totals.saved.add(sequential);
        }
        // Nothing but an inconclusive test can be tolerated, whatever a line says.
        let tolerated = outcome.tolerated && outcome.verdict == Verdict::Inconclusive;
        let mark = if tolerated { Mark::Tolerated } else { Mark::Outcome(outcome.verdict) };
        self.entries.push(Entry::new(offset, mark, outcome.case, suite));
    }

    fn add_suite(&mut self, name: String) -> u32 {
        let suite = u32::try_from(self.suites.len()).expect("there are not more suites than cases");
        self.suites.push(SuiteTotals { name: name.clone(), ..SuiteTotals::default() });
        self.by_name.insert(name, suite);
        suite
    }

    fn damaged(&mut self, reason: String) {
        self.damage.push(Damage { line: self.line, reason });
    }

    /// The record of what was taken.
    pub fn finish(mut self, path: &Path) -> RunRecord {
        let mut index = Index::new(self.entries);
        let order = index.number_suites(self.suites.len());
        let mut suites = vec![SuiteTotals::default(); self.suites.len()];
        for (suite, position) in self.suites.into_iter().zip(order) {
            suites[position as usize] = suite;
        }
        for case in index.cases() {
            self.totals.count(case);
            suites[case.outcome.suite as usize].totals.count(case);
        }
        RunRecord {
            start: self.start,
            end: self.end,
            totals: self.totals,
            suites,
            watched: self.watched,
            damage: self.damage,
            path: path.to_owned(),
            index,
        }
    }
}

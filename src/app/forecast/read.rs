//! Reads of a journal only what its attempts used; a line that cannot be read teaches nothing.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use serde::Deserialize;

use crate::base::byte_order_mark::without_mark;
use crate::base::digest::Digest;
use crate::base::files;
use crate::budget::{Costs, Currency};
use crate::record::attempt::{Price, REJECTED};
use crate::record::journal::{SCHEMA, fence_of};

/// The longest first line.
const FIRST_LINE: u64 = 64 * 1024;
/// Attempts of one case that wait for its name.
const WAITING: usize = 10_000;

/// Whose attempts count.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PastScope<'a> {
    /// The target's name.
    pub target: &'a str,
    /// True for the built-in mock.
    pub mock: bool,
}

/// What one attempt used, if known.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AttemptSample {
    /// Tokens.
    pub tokens: Option<u64>,
    /// Prices.
    pub cost: Option<Costs>,
    /// Client clock, milliseconds.
    pub latency_ms: Option<f64>,
}

/// What an attempt of a case of the plan used.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct CaseSample {
    /// The number of the case in the plan.
    pub case: u32,
    /// What it used.
    pub sample: AttemptSample,
}

#[derive(Deserialize)]
struct PastFirstLine {
    run_started: PastStart,
}

#[derive(Deserialize)]
struct PastStart {
    schema: u32,
    target: String,
    mock: bool,
}

#[derive(Deserialize)]
struct PastAttemptLine {
    attempt_finished: PastAttempt,
}

#[derive(Deserialize)]
struct PastAttempt {
    case: u32,
    #[serde(default)]
    key: Digest,
    #[serde(default)]
    replayed: bool,
    facts: PastFacts,
}

#[derive(Deserialize)]
struct PastFacts {
    status: Option<String>,
    latency_ms: Option<f64>,
    tokens: Option<u64>,
    #[serde(default)]
    cost: Vec<Price>,
}

#[derive(Deserialize)]
struct CaseLine {
    case_finished: PastCase,
}

#[derive(Deserialize)]
struct PastCase {
    case: u32,
    #[serde(default)]
    key: Digest,
    name: String,
}

/// A case in all processes that write a journal: by its key, and where it has none by its number.
type CaseIdentity = (Digest, u32);

fn of(key: Digest, case: u32) -> CaseIdentity {
    (key, if key.is_none() { case } else { 0 })
}

/// True for a journal of this target that can be read.
pub(super) fn is_of(path: &Path, whose: PastScope<'_>) -> bool {
    let line = || -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        BufReader::new(files::open(path, &fence_of(path))?.take(FIRST_LINE)).read_until(b'\n', &mut line)?;
        Ok(line)
    };
    let first =
        line().ok().and_then(|line| serde_json::from_slice::<PastFirstLine>(without_mark(&line)).ok());
    first.is_some_and(|PastFirstLine { run_started: PastStart { schema, target, mock } }| {
        schema <= SCHEMA && target == whose.target && mock == whose.mock
    })
}

/// What the attempts of some tests used in one run, the newest first.
pub(super) fn read_journal(path: &Path, names: &HashMap<&str, u32>) -> Vec<CaseSample> {
    let Ok(file) = files::open(path, &fence_of(path)) else { return Vec::new() };
    let mut input = BufReader::with_capacity(256 * 1024, file);
    let mut waiting: HashMap<CaseIdentity, Vec<AttemptSample>> = HashMap::new();
    let (mut line, mut samples) = (Vec::new(), Vec::new());
    loop {
        line.clear();
        match input.read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => break,
            Ok(_) => {}
        }
        if line.starts_with(b"{\"attempt_finished\"") {
            let Ok(PastAttemptLine { attempt_finished: attempt }) = serde_json::from_slice(&line) else {
                continue;
            };
            let Some(sample) = sample(&attempt) else { continue };
            let of_case = waiting.entry(of(attempt.key, attempt.case)).or_default();
            if of_case.len() < WAITING {
                of_case.push(sample);
            }
        } else if line.starts_with(b"{\"case_finished\"") {
            let Ok(CaseLine { case_finished: PastCase { case, key, name } }) = serde_json::from_slice(&line)
            else {
                continue;
            };
            let own = waiting.remove(&of(key, case)).unwrap_or_default();
            if let Some(wanted) = names.get(name.as_str()) {
                samples.extend(own.into_iter().map(|sample| CaseSample { case: *wanted, sample }));
            }
        }
    }
    samples.reverse();
    samples
}

/// What an attempt used; `None` where it ran nothing: a replay, or a refusal.
fn sample(attempt: &PastAttempt) -> Option<AttemptSample> {
    let facts = &attempt.facts;
    let status = facts.status.as_deref()?;
    if attempt.replayed || status == REJECTED {
        return None;
    }
    let cost = match facts.cost.as_slice() {
        [] => (facts.tokens == Some(0)).then(Costs::new),
        prices => {
            let price = |price: &Price| Some((Currency::of(&price.currency)?, price.amount.parse().ok()?));
            prices.iter().map(price).collect()
        }
    };
    Some(AttemptSample { tokens: facts.tokens, cost, latency_ms: facts.latency_ms })
}

//! The record of a run of nextest, where each test is a process: all of them write one journal.

use std::path::Path;

use crate::app::runs::ReportsFolder;
use crate::app::settings::{Nextest, Settings};
use crate::base::clock;
use crate::base::digest::Digest;
use crate::base::redact::Redactor;
use crate::record::event::{Event, PlannedCase, RunStart, Sink, SinkError};
use crate::record::journal::{SCHEMA, SharedJournal};

/// The folder of the run below `<reports>/runs`: `nextest-<NEXTEST_RUN_ID>`.
pub fn run_of(nextest: &Nextest) -> String {
    let id = &nextest.run_id;
    let is_name = id.len() <= 64 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    // An id that could lead elsewhere is replaced by its hash.
    if is_name { format!("nextest-{id}") } else { format!("nextest-{}", Digest::of(id)) }
}

/// Notes in the record of the run that a test was begun, before anything of it can fail: without a result it is not green.
pub fn announce(settings: &Settings, nextest: &Nextest, name: &str) -> Result<(), SinkError> {
    let runs = ReportsFolder::of(settings, None)
        .map_err(|why| SinkError { what: "record the run".to_owned(), source: std::io::Error::other(why) })?;
    announce_in(&runs.reports, nextest, name, settings)
}

fn announce_in(reports: &Path, nextest: &Nextest, name: &str, settings: &Settings) -> Result<(), SinkError> {
    let run = run_of(nextest);
    let mut journal = SharedJournal::open(reports, &run, Redactor::new([]))?;
    journal.take(&Event::RunStarted(start(run, settings)))?;
    let case =
        PlannedCase { key: Digest::of(name), name: name.into(), print: Digest::default(), place: None };
    journal.take(&Event::CasesPlanned([case].into()))
}

/// What is known of a run whose suites cannot be loaded.
fn start(run: String, settings: &Settings) -> RunStart {
    RunStart {
        schema: SCHEMA,
        run,
        flowproof: env!("CARGO_PKG_VERSION").to_owned(),
        target: settings.options.target.clone().unwrap_or_else(|| String::from("none")),
        mock: false,
        cassettes: None,
        profile: settings.options.profile.clone().unwrap_or_default(),
        started: clock::timestamp_text(clock::wall()),
        cases: 0,
        shard: None,
        merged: Vec::new(),
        build: settings.build.clone(),
        nextest: true,
        deselected: 0,
        seed: 0,
        shuffled: false,
        plan: Digest::default(),
        address: Digest::default(),
        asked: None,
        thresholds: Vec::new(),
    }
}

//! `junit.xml`: a suite is a testsuite, a test a testcase; written case by case, so that memory does not grow.
//!
//! The elements are those of the schema of Jenkins's xunit plugin (junit-10.xsd); `file`, `line` and `properties` of a
//! testcase are not in it, but in what Jenkins's junit plugin, GitLab and nextest read and write.
//! Re-runs are written as nextest and Surefire do: `flakyFailure`, `flakyError`, `rerunFailure`, `rerunError`.

use std::io::{self, Write};
use std::sync::Arc;

use crate::record::attempt::{Attempt, JudgesSpent};
use crate::record::journal::{CaseRecord, RunRecord, SuiteTotals};
use crate::record::thresholds::{self, RunConclusion, ThresholdGates};
use crate::record::verdict::Verdict;
use crate::report::facts::{bounded_explanation, way};
use crate::report::headline::{attempt_headline, headline};
use crate::report::judges::told_judges;
use crate::report::junit_gates::{push_thresholds, red_suites, repeat_properties};
use crate::report::pieces::TestcaseWriter;
use crate::report::provenance;
use crate::report::run_facts::told_run;
use crate::report::spent::told_properties;
use crate::report::xml::Xml;

/// A `junit.xml` that is being written; cases come suite by suite.
#[derive(Debug)]
pub(crate) struct Junit<'a, W> {
    xml: Xml<W>,
    record: &'a RunRecord,
    gates: ThresholdGates,
    /// Why the run is not green besides its tests and thresholds.
    beyond: Option<String>,
    /// How many suites were opened.
    suites: usize,
}

impl<'a, W: Write> Junit<'a, W> {
    /// Begins the document with the counts of the whole run.
    pub fn new(out: W, record: &'a RunRecord) -> io::Result<Self> {
        let mut xml = Xml::new(out)?;
        let totals = &record.totals;
        let gates = thresholds::judge(record).map_err(io::Error::other)?;
        let beyond = RunConclusion::of(record, &gates).beyond_tests(record);
        let missing = u32::from(beyond.is_some());
        let (failed, errored) = red_suites(&gates, |_| true);
        xml.open("testsuites")?
            .attribute("name", "flowproof")?
            .attribute("tests", &(totals.cases() + missing + failed + errored).to_string())?
            .attribute("failures", &(totals.failed + totals.undecided() + failed).to_string())?
            .attribute("errors", &(totals.errored + missing + errored).to_string())?;
        if let Some(end) = &record.end {
            xml.attribute("time", &seconds(end.duration_ms))?;
        }
        Ok(Self { xml, record, gates, beyond, suites: 0 })
    }

    /// Adds cases of one suite.
    pub fn section(&mut self, section: &SuiteSection) -> io::Result<()> {
        let current = self.suites.checked_sub(1).map(|suite| &self.record.suites[suite]);
        if current.is_none_or(|suite| suite.name != section.suite) {
            self.next_suite(&section.file)?;
        }
        self.xml.piece(&section.cases)
    }

    /// Ends the document; what makes a run red and is no test of it is told as an error, for it must not look green.
    pub fn finish(mut self) -> io::Result<W> {
        self.end_suite()?;
        if let Some(message) = &self.beyond {
            self.xml.open("testsuite")?.attribute("name", "flowproof")?.attribute("tests", "1")?;
            for (name, value) in [("failures", "0"), ("errors", "1"), ("skipped", "0")] {
                self.xml.attribute(name, value)?;
            }
            self.xml.open("testcase")?.attribute("name", "the run is complete")?;
            self.xml.attribute("classname", "flowproof")?;
            self.xml.open("error")?.attribute("message", message)?.attribute("type", "not judged")?;
        }
        self.xml.finish()
    }

    /// Ends the suite that is open, if one is, with its thresholds where they do not hold.
    fn end_suite(&mut self) -> io::Result<()> {
        let Some(suite) = self.suites.checked_sub(1).map(|suite| &self.record.suites[suite]) else {
            return Ok(());
        };
        push_thresholds(&mut self.xml, &self.gates, &suite.name)?;
        self.xml.close()?;
        Ok(())
    }

    fn next_suite(&mut self, file: &str) -> io::Result<()> {
        self.end_suite()?;
        let suite: &SuiteTotals = &self.record.suites[self.suites];
        self.suites += 1;
        let (totals, start) = (&suite.totals, &self.record.start);
        let (failed, errored) = red_suites(&self.gates, |gate| gate.suite == suite.name);
        self.xml
            .open("testsuite")?
            .attribute("name", &suite.name)?
            .attribute("tests", &(totals.cases() + failed + errored).to_string())?
            .attribute("failures", &(totals.failed + totals.undecided() + failed).to_string())?
            .attribute("errors", &(totals.errored + errored).to_string())?
            .attribute("skipped", &(totals.skipped + totals.tolerated).to_string())?
            .attribute("time", &seconds(suite.duration_ms))?
            .attribute("timestamp", &start.started)?
            .attribute("file", file)?;
        self.xml.open("properties")?;
        property(&mut self.xml, "flowproof.run", &start.run)?;
        property(&mut self.xml, "flowproof.version", &start.flowproof)?;
        property(&mut self.xml, "flowproof.target", &start.target)?;
        property(&mut self.xml, "flowproof.profile", &start.profile)?;
        property(&mut self.xml, "flowproof.seed", &start.seed.to_string())?;
        if let Some(note) = provenance::note(start, &self.record.totals) {
            property(&mut self.xml, "flowproof.note", &note)?;
        }
        for (name, value) in told_run(self.record) {
            property(&mut self.xml, name, &value)?;
        }
        if let Some(beyond) = &self.beyond {
            property(&mut self.xml, "flowproof.unfinished", beyond)?;
        }
        self.xml.close()?;
        Ok(())
    }
}

/// Cases of one suite that follow each other, as testcases.
#[derive(Debug)]
pub(super) struct SuiteSection {
    suite: String,
    /// The file of the first.
    file: Arc<str>,
    cases: Vec<u8>,
}

/// Adds a case to the sections of those before it.
pub(super) fn push_case(sections: &mut Vec<SuiteSection>, case: &CaseRecord, writing: TestcaseWriter) {
    let (suite, place) = (&case.outcome.suite, &case.outcome.place);
    if sections.last().is_none_or(|section| section.suite != *suite) {
        sections.push(SuiteSection { suite: suite.clone(), file: place.file.clone(), cases: Vec::new() });
    }
    let section = sections.last_mut().expect("there is one");
    let xml = Xml::inside(&mut section.cases, &["testsuites", "testsuite"]);
    Testcase { xml, writing }.write(case).expect("a Vec takes all");
}

/// A testcase that is being written.
struct Testcase<W> {
    xml: Xml<W>,
    writing: TestcaseWriter,
}

impl<W: Write> Testcase<W> {
    fn write(&mut self, case: &CaseRecord) -> io::Result<()> {
        self.xml.open("testcase")?;
        self.head(case)?;
        self.properties(case)?;
        match case.outcome.verdict {
            Verdict::Passed => {}
            Verdict::Flaky => self.reruns(case, None, ["flakyFailure", "flakyError"])?,
            Verdict::Failed => self.red(case, "failure", "assertion")?,
            Verdict::Inconclusive if case.outcome.tolerated => {
                let message = format!("inconclusive, which the suite tolerates: {}", headline(case));
                self.xml.open("skipped")?.attribute("message", &message)?.close()?;
            }
            Verdict::Inconclusive => self.red(case, "failure", "inconclusive")?,
            Verdict::Errored => self.red(case, "error", "not judged")?,
            Verdict::Skipped => {
                self.xml.open("skipped")?;
                if let Some(reason) = &case.outcome.reason {
                    self.xml.attribute("message", reason)?;
                }
                self.xml.close()?;
            }
        }
        self.xml.close()?;
        Ok(())
    }

    fn head(&mut self, case: &CaseRecord) -> io::Result<()> {
        let outcome = &case.outcome;
        let prefix = outcome.name.strip_prefix(outcome.suite.as_str());
        let name = prefix.and_then(|name| name.strip_prefix("::")).unwrap_or(&outcome.name);
        self.xml
            .attribute("classname", &outcome.suite)?
            .attribute("name", name)?
            .attribute("time", &seconds(outcome.duration_ms))?
            .attribute("file", &outcome.place.file)?;
        if outcome.place.line > 0 {
            self.xml.attribute("line", &outcome.place.line.to_string())?;
        }
        Ok(())
    }

    fn properties(&mut self, case: &CaseRecord) -> io::Result<()> {
        let Some(attempt) = case.deciding() else { return Ok(()) };
        self.xml.open("properties")?;
        let facts = &attempt.facts;
        let ids = [
            ("run_id", &facts.run_id),
            ("workflow_id", &facts.workflow_id),
            ("dify_version", &facts.dify_version),
        ];
        for (name, id) in ids {
            if let Some(id) = id {
                self.property(name, id)?;
            }
        }
        if let Some(by) = facts.recovered {
            self.property("recovered", way(by))?;
        }
        for (name, told) in told_properties(case, self.writing.answers) {
            self.property(name, &told)?;
        }
        if let Some(doubt) = &facts.usage {
            self.property("usage", &doubt.message)?;
        }
        let mut judges = JudgesSpent::default();
        case.attempts.iter().for_each(|attempt| judges.add(&attempt.judges));
        if judges.questions > 0 {
            self.property("judges", &told_judges(&judges))?;
        }
        if let Some(ttft) = facts.ttft_ms {
            self.property("ttft", &seconds(ttft))?;
        }
        if let Some(latency) = facts.latency_ms {
            self.property("latency", &seconds(latency))?;
        }
        if let Some(server) = facts.server_ms {
            self.property("server_latency", &seconds(server))?;
        }
        if attempt.waited_ms >= 1.0 {
            self.property("waited", &seconds(attempt.waited_ms))?;
        }
        if let Some(intended) = attempt.intended_ms {
            self.property("late", &seconds((attempt.sent_ms - intended).max(0.0)))?;
        }
        for (name, value) in case.outcome.repeats.iter().flat_map(repeat_properties) {
            self.property(name, &value)?;
        }
        if case.outcome.warnings > 0 {
            self.property("warnings", &case.outcome.warnings.to_string())?;
        }
        self.xml.close()?;
        Ok(())
    }

    fn property(&mut self, name: &str, value: &str) -> io::Result<()> {
        property(&mut self.xml, name, value)
    }

    fn red(&mut self, case: &CaseRecord, element: &'static str, kind: &str) -> io::Result<()> {
        self.xml.open(element)?.attribute("message", &headline(case))?.attribute("type", kind)?;
        let deciding = case.deciding();
        if let Some(attempt) = deciding {
            self.xml.text(&bounded_explanation(attempt, self.writing.bounds))?;
        }
        self.xml.close()?;
        self.reruns(case, deciding, ["rerunFailure", "rerunError"])
    }

    /// The attempts that did not pass, but for the one already told.
    fn reruns(
        &mut self,
        case: &CaseRecord,
        told: Option<&Attempt>,
        elements: [&'static str; 2],
    ) -> io::Result<()> {
        for attempt in &case.attempts {
            let element = match attempt.verdict {
                Verdict::Failed | Verdict::Inconclusive => elements[0],
                Verdict::Errored => elements[1],
                Verdict::Passed | Verdict::Flaky | Verdict::Skipped => continue,
            };
            if told.is_some_and(|told| std::ptr::eq(told, attempt)) {
                continue;
            }
            self.xml
                .open(element)?
                .attribute("message", &attempt_headline(attempt))?
                .attribute("type", attempt.verdict.word())?
                .open("stackTrace")?
                .text(&bounded_explanation(attempt, self.writing.bounds))?
                .close()?
                .close()?;
        }
        Ok(())
    }
}

fn property<W: Write>(xml: &mut Xml<W>, name: &str, value: &str) -> io::Result<()> {
    xml.open("property")?.attribute("name", name)?.attribute("value", value)?.close()?;
    Ok(())
}

/// Milliseconds as seconds with three decimals.
fn seconds(ms: f64) -> String {
    format!("{:.3}", if ms.is_finite() { ms.max(0.0) / 1e3 } else { 0.0 })
}

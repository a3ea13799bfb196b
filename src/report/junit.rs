//! `junit.xml`: a suite is a testsuite, a test a testcase; written case by case, so that memory does not grow.
//!
//! The elements are those of the schema of Jenkins's xunit plugin (junit-10.xsd); `file`, `line` and `properties` of a
//! testcase are not in it, but in what Jenkins's junit plugin, GitLab and nextest read and write.
//! Re-runs are written as nextest and Surefire do: `flakyFailure`, `flakyError`, `rerunFailure`, `rerunError`.

use std::io::{self, Write};

use crate::record::journal::{CaseRecord, RunRecord, SuiteTotals};
use crate::record::thresholds::{self, RunConclusion, ThresholdGates};
use crate::report::document::{
    CaseBatch, Document, DocumentFailure, DocumentPlace, DocumentSelection, OpenDocument, WrittenDocument,
    batch_of,
};
use crate::report::explain::ExcerptLimits;
use crate::report::junit_cases::{SuiteSection, TestcaseContext, property, push_case, seconds};
use crate::report::junit_gates::{RedSuites, push_thresholds, red_suites};
use crate::report::provenance;
use crate::report::run_facts::run_properties;
use crate::report::spent::AttemptSources;
use crate::report::xml::Xml;

/// `junit.xml`, for build servers.
pub(super) struct JunitDocument;

impl Document for JunitDocument {
    fn word(&self) -> &'static str {
        "junit"
    }

    fn file_name(&self) -> &'static str {
        "junit.xml"
    }

    fn selection(&self) -> DocumentSelection {
        DocumentSelection::Usual
    }

    fn shown_ending(&self) -> Option<String> {
        Some(String::from(".xml (JUnit)"))
    }

    fn begin<'r>(
        &self,
        place: DocumentPlace<'_>,
        record: &'r RunRecord,
    ) -> Result<Box<dyn OpenDocument + 'r>, DocumentFailure> {
        Ok(Box::new(Junit::new(place.file()?, record)?))
    }

    fn batch(&self, record: &RunRecord) -> Option<Box<dyn CaseBatch>> {
        let context = TestcaseContext {
            limits: ExcerptLimits::of_file(record.totals.red()),
            sources: AttemptSources::of(record),
        };
        Some(Box::new(JunitBatch { sections: Vec::new(), context }))
    }
}

/// Testcases, by suite.
struct JunitBatch {
    sections: Vec<SuiteSection>,
    context: TestcaseContext,
}

impl CaseBatch for JunitBatch {
    fn push(&mut self, case: &CaseRecord, _: &[u8]) {
        push_case(&mut self.sections, case, self.context);
    }
}

/// A `junit.xml` that is being written; cases come suite by suite.
#[derive(Debug)]
struct Junit<'a, W> {
    xml: Xml<W>,
    record: &'a RunRecord,
    gates: ThresholdGates,
    /// Why the run is not green, apart from its tests and thresholds.
    beyond: Option<String>,
    /// How many suites were opened.
    suites: usize,
}

impl<'a, W: Write> Junit<'a, W> {
    /// Begins the document with the counts of the whole run.
    fn new(out: W, record: &'a RunRecord) -> io::Result<Self> {
        let mut xml = Xml::new(out)?;
        let totals = &record.totals;
        let gates = thresholds::judge(record).map_err(io::Error::other)?;
        let beyond = RunConclusion::of(record, &gates).beyond_tests(record);
        let missing = u32::from(beyond.is_some());
        let RedSuites { failed, errored } = red_suites(&gates, |_| true);
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
    fn section(&mut self, section: &SuiteSection) -> io::Result<()> {
        let current = self.suites.checked_sub(1).map(|suite| &self.record.suites[suite]);
        if current.is_none_or(|suite| suite.name != section.suite) {
            self.next_suite(&section.file)?;
        }
        self.xml.piece(&section.cases)
    }

    /// Ends the suite that is open, if any, with the thresholds that it misses.
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
        let RedSuites { failed, errored } = red_suites(&self.gates, |gate| gate.suite == suite.name);
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
        for fact in run_properties(self.record) {
            property(&mut self.xml, fact.name, &fact.value)?;
        }
        if let Some(beyond) = &self.beyond {
            property(&mut self.xml, "flowproof.unfinished", beyond)?;
        }
        self.xml.close()?;
        Ok(())
    }
}

impl<W: Write + Send> OpenDocument for Junit<'_, W> {
    fn add(&mut self, batch: &dyn CaseBatch) -> io::Result<()> {
        batch_of::<JunitBatch>(batch).sections.iter().try_for_each(|section| self.section(section))
    }

    /// Ends the document. A reason beyond the tests for which the run is red becomes an error, so that the run does not look green.
    fn finish(mut self: Box<Self>) -> io::Result<WrittenDocument> {
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
        self.xml.finish()?.flush()?;
        Ok(WrittenDocument::File)
    }
}

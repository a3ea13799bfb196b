//! The testcases of `junit.xml`, each written by itself so that any core can do it.

use std::io::{self, Write};
use std::sync::Arc;

use crate::record::attempt::{Attempt, JudgesSpent};
use crate::record::journal::CaseRecord;
use crate::record::verdict::Verdict;
use crate::report::explain::ExcerptLimits;
use crate::report::facts::{bounded_explanation, recovery_word};
use crate::report::headline::{attempt_headline, headline};
use crate::report::judges::judges_line;
use crate::report::junit_gates::repeat_properties;
use crate::report::spent::{AttemptSources, usage_properties};
use crate::report::xml::Xml;

/// What all testcases of a run share.
#[derive(Debug, Clone, Copy)]
pub(super) struct TestcaseContext {
    /// How much of each explanation is shown.
    pub limits: ExcerptLimits,
    /// Who answered the attempts.
    pub sources: AttemptSources,
}

/// Cases of one suite that follow each other, as testcases.
#[derive(Debug)]
pub(super) struct SuiteSection {
    /// The suite's name.
    pub suite: String,
    /// The file of the first case.
    pub file: Arc<str>,
    /// The testcases as XML.
    pub cases: Vec<u8>,
}

/// Adds a case to the last section, or to a new one where its suite is another.
pub(super) fn push_case(sections: &mut Vec<SuiteSection>, case: &CaseRecord, context: TestcaseContext) {
    let (suite, place) = (&case.outcome.suite, &case.outcome.place);
    if sections.last().is_none_or(|section| section.suite != *suite) {
        sections.push(SuiteSection { suite: suite.clone(), file: place.file.clone(), cases: Vec::new() });
    }
    let section = sections.last_mut().expect("one was pushed if there was none");
    let xml = Xml::inside(&mut section.cases, &["testsuites", "testsuite"]);
    Testcase { xml, context }.write(case).expect("writing to memory does not fail");
}

/// A testcase that is being written.
struct Testcase<W> {
    xml: Xml<W>,
    context: TestcaseContext,
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
            self.property("recovered", recovery_word(by))?;
        }
        for usage in usage_properties(case, self.context.sources) {
            self.property(usage.name, &usage.value)?;
        }
        if let Some(doubt) = &facts.usage {
            self.property("usage", &doubt.message)?;
        }
        let mut judges = JudgesSpent::default();
        case.attempts.iter().for_each(|attempt| judges.add(&attempt.judges));
        if judges.questions > 0 {
            self.property("judges", &judges_line(&judges))?;
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
        for repeat in case.outcome.repeats.iter().flat_map(repeat_properties) {
            self.property(repeat.name, &repeat.value)?;
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
            self.xml.text(&bounded_explanation(attempt, self.context.limits))?;
        }
        self.xml.close()?;
        self.reruns(case, deciding, ["rerunFailure", "rerunError"])
    }

    /// Writes the attempts that did not pass, except the one that is already shown.
    fn reruns(
        &mut self,
        case: &CaseRecord,
        shown: Option<&Attempt>,
        elements: [&'static str; 2],
    ) -> io::Result<()> {
        for attempt in &case.attempts {
            let element = match attempt.verdict {
                Verdict::Failed | Verdict::Inconclusive => elements[0],
                Verdict::Errored => elements[1],
                Verdict::Passed | Verdict::Flaky | Verdict::Skipped => continue,
            };
            if shown.is_some_and(|shown| std::ptr::eq(shown, attempt)) {
                continue;
            }
            self.xml
                .open(element)?
                .attribute("message", &attempt_headline(attempt))?
                .attribute("type", attempt.verdict.word())?
                .open("stackTrace")?
                .text(&bounded_explanation(attempt, self.context.limits))?
                .close()?
                .close()?;
        }
        Ok(())
    }
}

/// Writes a property of the element that is open.
pub(super) fn property<W: Write>(xml: &mut Xml<W>, name: &str, value: &str) -> io::Result<()> {
    xml.open("property")?.attribute("name", name)?.attribute("value", value)?.close()?;
    Ok(())
}

/// Milliseconds as seconds with three decimals.
pub(super) fn seconds(ms: f64) -> String {
    format!("{:.3}", if ms.is_finite() { ms.max(0.0) / 1e3 } else { 0.0 })
}

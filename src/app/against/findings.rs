//! What does not fit, collected as problems: each once, however many rows and tests meet it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use crate::app::against::forms::{InputForms, named};
use crate::app::against::last_run::LastRun;
use crate::app::against::sent::{repeats, sent};
use crate::app::against::written::{WrittenSuite, WrittenTest};
use crate::app::live_app::compare::compare;
use crate::app::live_app::mismatch::{FaultKind, InputMismatch};
use crate::app::live_app::nodes::{self, Claim, RecordedNodes, UnknownNode};
use crate::base::plural::plural;
use crate::plan::case::{Case, Plan};
use crate::yaml::node::{FilePosition, SourceText};
use crate::yaml::problem::Problem;

/// The findings so far.
pub struct Findings<'a> {
    plan: &'a Plan,
    suites: &'a [WrittenSuite],
    /// Where each test is.
    tests_at: HashMap<(Arc<str>, u32, u32), PlacedTest<'a>>,
    found: Vec<SharedFinding>,
    known: HashMap<(String, String), usize>,
    /// What could not be compared.
    pub notes: Vec<String>,
    /// Cases compared.
    pub tests: usize,
}

/// A test as written, in its file.
#[derive(Clone, Copy)]
struct PlacedTest<'a> {
    source: &'a Arc<SourceText>,
    test: &'a WrittenTest,
}

/// One finding, and which tests meet it.
struct SharedFinding {
    problem: Problem,
    first: Arc<str>,
    has_row: bool,
    more: HashSet<Arc<str>>,
}

impl<'a> Findings<'a> {
    /// No findings yet.
    pub fn new(plan: &'a Plan, suites: &'a [WrittenSuite]) -> Self {
        let placed = |suite: &'a WrittenSuite| {
            suite.tests.iter().map(|test| PlacedTest { source: &suite.source, test })
        };
        let tests_at = suites.iter().flat_map(placed).map(|placed| {
            let mark = placed.test.mark;
            ((placed.source.name.clone(), mark.line, mark.column), placed)
        });
        Self {
            plan,
            suites,
            tests_at: tests_at.collect(),
            found: Vec::new(),
            known: HashMap::new(),
            notes: Vec::new(),
            tests: 0,
        }
    }

    /// Holds what each case sends against the inputs of its app.
    pub fn add_inputs(&mut self, forms: &InputForms) {
        let skipped = self.plan.cases.iter().filter(|case| case.skip.is_some()).count();
        for case in self.plan.cases.iter().filter(|case| case.skip.is_none()) {
            let Some(Some(form)) = forms.get(&case.test.app) else { continue };
            let place = &case.test.place;
            let written = self.tests_at.get(&(place.file.clone(), place.line, place.column)).copied();
            let is_rejected = written.is_some_and(|placed| placed.test.is_rejected);
            self.tests += 1;
            for repeat in 0..repeats(self.plan, case) {
                match sent(self.plan, case, repeat) {
                    Err(reason) => {
                        let problem =
                            Problem::new((**place).clone(), format!("what it sends is unknown: {reason}"));
                        self.add(case, "templates".to_owned(), problem);
                    }
                    Ok(sent) => {
                        for fault in compare(form, &sent) {
                            if !(is_rejected && fault.kind.is_refused()) {
                                self.add_fault(case, written, fault);
                            }
                        }
                    }
                }
            }
        }
        if skipped > 0 {
            let tests = plural(skipped, "test was", "tests were");
            self.notes.push(format!("{skipped} skipped {tests} not compared"));
        }
    }

    fn add_fault(&mut self, case: &Case, written: Option<PlacedTest<'_>>, fault: InputMismatch) {
        let place = written.map_or_else(
            || (*case.test.place).clone(),
            |PlacedTest { source, test }| {
                let mark = test.spot(&fault.input).map_or(test.mark, |spot| {
                    if fault.kind == FaultKind::Unknown { spot.key } else { spot.value }
                });
                source.place(mark)
            },
        );
        let key = format!("{:?} {}", fault.kind, fault.input);
        let mut problem = Problem::new(place, fault.message);
        problem.help = fault.help;
        self.add(case, key, problem);
    }

    fn add(&mut self, case: &Case, key: String, problem: Problem) {
        let (place, next) = (problem.place.to_string(), self.found.len());
        let at = *self.known.entry((place, key)).or_insert(next);
        match self.found.get_mut(at) {
            Some(found) if found.first != case.name => drop(found.more.insert(case.name.clone())),
            Some(_) => {}
            None => self.found.push(SharedFinding {
                problem,
                first: case.name.clone(),
                has_row: case.row.is_some(),
                more: HashSet::new(),
            }),
        }
    }

    /// Whether a test names a node.
    pub fn names_nodes(&self) -> bool {
        self.tests_at.values().any(|placed| !placed.test.mentions.is_empty())
    }

    /// Holds the nodes that suites name against those that ran.
    pub fn add_nodes(&mut self, last: &LastRun) {
        let (suites, plan) = (self.suites, self.plan);
        let apps: BTreeMap<&str, &Arc<str>> =
            plan.cases.iter().map(|case| (&*case.test.suite.name, &case.test.app)).collect();
        let mut unseen: Vec<&str> = Vec::new();
        let mut templated = HashSet::new();
        for suite in suites {
            let Some(app) = apps.get(suite.name.as_str()) else { continue };
            let Some(seen) = last.apps.get(*app) else {
                if suite.tests.iter().any(|test| !test.mentions.is_empty()) && !unseen.contains(&&***app) {
                    unseen.push(app);
                }
                continue;
            };
            templated.extend(self.add_suite(suite, seen));
        }
        for app in unseen {
            self.notes.push(format!("names of nodes of {} were not compared: none ran in it", named(app)));
        }
        if !templated.is_empty() {
            let names = templated.len();
            self.notes.push(format!("names of nodes that templates make were not compared: {names}"));
        }
    }

    /// Adds what is wrong with a suite's names of nodes, each place once; returns where templates make them.
    fn add_suite(&mut self, suite: &WrittenSuite, seen: &RecordedNodes) -> Vec<String> {
        let (mut places, mut templated): (HashSet<(u32, u32)>, Vec<String>) = Default::default();
        for mention in suite.tests.iter().flat_map(|test| &test.mentions) {
            let FilePosition { line, column, .. } = mention.mark;
            if !places.insert((line, column)) {
                continue;
            }
            let place = suite.source.place(mention.mark);
            if mention.claim == Claim::Templated {
                templated.push(place.to_string());
            } else if let Some(UnknownNode { message, help }) = nodes::judge(mention, seen) {
                self.found.push(SharedFinding {
                    problem: Problem::new(place, message).help(help),
                    first: Arc::from(""),
                    has_row: false,
                    more: HashSet::new(),
                });
            }
        }
        templated
    }

    /// The findings, file by file from top to bottom; those of several tests say so.
    pub fn into_problems(self) -> Vec<Problem> {
        let order: Vec<Arc<str>> = self.suites.iter().map(|suite| suite.source.name.clone()).collect();
        let mut problems: Vec<Problem> = self.found.into_iter().map(SharedFinding::into_problem).collect();
        problems.sort_by_key(|problem| {
            let file = order.iter().position(|name| *name == problem.place.file);
            (file, problem.place.line, problem.place.column)
        });
        problems
    }
}

impl SharedFinding {
    fn into_problem(mut self) -> Problem {
        let more = self.more.len();
        let tests = plural(more, "test", "tests");
        match (more, self.has_row) {
            (0, false) => {}
            (0, true) => self.problem.message += &format!(" (in `{}`)", self.first),
            _ => self.problem.message += &format!(" (in `{}` and {more} more {tests})", self.first),
        }
        self.problem
    }
}

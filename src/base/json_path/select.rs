//! Following a path through a value: every node that is looked at costs a step, and the nodes held at the same time are bounded.

use std::collections::HashMap;
use std::iter::successors;

use regex::Regex;
use serde_json::Value;

use crate::base::effort::{Effort, EffortError};

use super::place::PathStep;
use super::syntax::{
    PathQuery, PatternExtent, QuerySegment, QueryStart, SegmentReach, Selector, SliceSelector,
};

/// The most nodes that a path may select at the same time.
const MOST: usize = 1_000_000;

/// A selected value, and the number of its last step in the trail.
#[derive(Clone, Copy)]
pub(super) struct SelectedValue<'v> {
    pub value: &'v Value,
    link: usize,
}

/// The steps that lead to selected values, each with the number of the one before; nothing is kept where no place is asked for.
#[derive(Default)]
pub(super) struct StepTrail<'v> {
    links: Option<Vec<(usize, ChildStep<'v>)>>,
}

/// A step from a value to its child.
#[derive(Clone, Copy)]
enum ChildStep<'v> {
    Name(&'v str),
    Index(usize),
}

impl<'v> StepTrail<'v> {
    /// One that keeps the steps.
    pub fn kept() -> Self {
        Self { links: Some(Vec::new()) }
    }

    fn add(&mut self, parent: usize, near: ChildStep<'v>) -> usize {
        let Some(links) = &mut self.links else { return 0 };
        links.push((parent, near));
        links.len()
    }

    /// The way from the root to a selected value.
    pub fn steps(&self, selected: SelectedValue<'v>) -> Vec<PathStep> {
        let link = |number: usize| self.links.as_ref()?.get(number.checked_sub(1)?);
        let back = successors(link(selected.link), |(parent, _)| link(*parent));
        let mut steps: Vec<PathStep> = back
            .map(|(_, near)| match near {
                ChildStep::Name(name) => PathStep::Name((*name).to_owned()),
                ChildStep::Index(index) => PathStep::Index(*index),
            })
            .collect();
        steps.reverse();
        steps
    }
}

/// Takes what is selected: the values, and in the trail the steps that lead to them.
struct FoundValues<'f, 'v> {
    trail: &'f mut StepTrail<'v>,
    values: &'f mut Vec<SelectedValue<'v>>,
}

impl<'v> FoundValues<'_, 'v> {
    /// Adds a child of a selected value.
    fn push(&mut self, value: &'v Value, parent: SelectedValue<'v>, step: ChildStep<'v>) {
        self.values.push(SelectedValue { value, link: self.trail.add(parent.link, step) });
    }
}

/// One look through a value.
pub(super) struct PathSearch<'v, 'e> {
    pub root: &'v Value,
    pub effort: &'e Effort<'e>,
    /// Patterns that were found in the value; `None` for what is no regular expression.
    pub patterns: HashMap<(String, PatternExtent), Option<Regex>>,
}

impl<'v, 'e> PathSearch<'v, 'e> {
    pub fn new(root: &'v Value, effort: &'e Effort<'e>) -> Self {
        Self { root, effort, patterns: HashMap::new() }
    }

    /// Everything that a query selects, in order.
    pub fn run(
        &mut self,
        query: &PathQuery,
        current: &'v Value,
        trail: &mut StepTrail<'v>,
    ) -> Result<Vec<SelectedValue<'v>>, EffortError> {
        let value = match query.start {
            QueryStart::Root => self.root,
            QueryStart::Current => current,
        };
        let mut nodes = vec![SelectedValue { value, link: 0 }];
        for segment in &query.segments {
            let mut next = Vec::new();
            for node in nodes {
                match segment.reach {
                    SegmentReach::Children => {
                        self.select(segment, node, &mut FoundValues { trail, values: &mut next })?
                    }
                    SegmentReach::Descendants => {
                        self.descend(segment, node, &mut FoundValues { trail, values: &mut next })?
                    }
                }
            }
            nodes = next;
        }
        Ok(nodes)
    }

    /// Applies a segment to a value and everything below it, parents first.
    fn descend(
        &mut self,
        segment: &QuerySegment,
        node: SelectedValue<'v>,
        found: &mut FoundValues<'_, 'v>,
    ) -> Result<(), EffortError> {
        let mut waiting = vec![node];
        while let Some(node) = waiting.pop() {
            self.select(segment, node, found)?;
            let first = waiting.len();
            self.children(node, &mut FoundValues { trail: found.trail, values: &mut waiting })?;
            waiting[first..].reverse();
        }
        Ok(())
    }

    fn select(
        &mut self,
        segment: &QuerySegment,
        node: SelectedValue<'v>,
        found: &mut FoundValues<'_, 'v>,
    ) -> Result<(), EffortError> {
        for selector in &segment.selectors {
            self.effort.spend(1)?;
            match (selector, node.value) {
                (Selector::Name(name), Value::Object(members)) => {
                    if let Some((name, value)) = members.get_key_value(name) {
                        found.push(value, node, ChildStep::Name(name));
                    }
                }
                (Selector::Wildcard, _) => self.children(node, found)?,
                (Selector::Index(index), Value::Array(items)) => {
                    if let Some((at, value)) =
                        at(*index, items.len()).and_then(|at| Some((at, items.get(at)?)))
                    {
                        found.push(value, node, ChildStep::Index(at));
                    }
                }
                (Selector::Slice(slice), Value::Array(items)) => {
                    for index in indices(*slice, items.len()) {
                        self.effort.spend(1)?;
                        let Some(value) = items.get(index) else { continue };
                        found.push(value, node, ChildStep::Index(index));
                    }
                }
                (Selector::Filter(condition), _) => {
                    let first = found.values.len();
                    self.children(node, found)?;
                    let mut kept = first;
                    for index in first..found.values.len() {
                        let child = found.values[index];
                        if self.holds(condition, child.value)? {
                            found.values[kept] = child;
                            kept += 1;
                        }
                    }
                    found.values.truncate(kept);
                }
                (Selector::Name(_) | Selector::Index(_) | Selector::Slice(_), _) => {}
            }
            if found.values.len() > MOST {
                return Err(EffortError::TooMany(MOST));
            }
        }
        Ok(())
    }

    /// Adds all children of a value.
    fn children(&self, node: SelectedValue<'v>, found: &mut FoundValues<'_, 'v>) -> Result<(), EffortError> {
        match node.value {
            Value::Array(items) => {
                self.effort.spend(items.len() as u64)?;
                for (index, value) in items.iter().enumerate() {
                    found.push(value, node, ChildStep::Index(index));
                }
            }
            Value::Object(members) => {
                self.effort.spend(members.len() as u64)?;
                for (name, value) in members {
                    found.push(value, node, ChildStep::Name(name));
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
        Ok(())
    }
}

/// An index from the front, of one that may count from the end.
fn at(index: i64, length: usize) -> Option<usize> {
    match usize::try_from(index) {
        Ok(index) => Some(index),
        Err(_) => length.checked_sub(usize::try_from(index.unsigned_abs()).ok()?),
    }
}

/// The indices of a slice (RFC 9535, section 2.3.4.2.2).
fn indices(slice: SliceSelector, length: usize) -> Box<dyn Iterator<Item = usize>> {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let step = slice.step.unwrap_or(1);
    let normal = |bound: i64| if bound >= 0 { bound } else { length.saturating_add(bound) };
    let as_index = |index: i64| usize::try_from(index).unwrap_or(usize::MAX);
    match step {
        0 => Box::new(std::iter::empty()),
        1.. => {
            let low = normal(slice.start.unwrap_or(0)).clamp(0, length);
            let high = normal(slice.end.unwrap_or(length)).clamp(0, length);
            Box::new((low..high).step_by(as_index(step)).map(as_index))
        }
        _ => {
            let high = normal(slice.start.unwrap_or(length - 1)).clamp(-1, length - 1);
            let low = slice.end.map_or(-1, normal).clamp(-1, length - 1);
            let back = successors(Some(high), move |index| index.checked_add(step));
            Box::new(back.take_while(move |index| *index > low).map(as_index))
        }
    }
}
